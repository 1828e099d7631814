import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildHooksForTests } from './hooks_for_tests.ts';
import { hooksLibrary, instrumentedFlags, instrumentedLinkOptions } from './instrumentation.ts';
import { compileKernel, type CompileRequest } from './kernel_compiler.ts';
import { cpuKernelText } from './kernel_source.ts';
import { requireCompiler } from './system_compiler.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-instrumentation-'));
  environment = { ...process.env, WARPFS_CACHE_DIR: join(folder, 'cache'), WARPFS_NATIVE: buildHooksForTests(folder) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function request(source: string, instrumented: boolean): CompileRequest {
  const definition = { name: 'sum_pages', source, outputs: { sums: 'u32[]' } } as const;
  return { name: definition.name, source, text: cpuKernelText(definition, []), policy: 0, replay: false, instrumented };
}

test('an instrumented kernel is another module, calls the hooks, and brings no thread sanitizer', async () => {
  const usual = await compileKernel(request('sums[item] = 1;', false), { environment });
  const { module, cached } = await compileKernel(request('sums[item] = 1;', true), { environment });
  expect(cached).toBe(false);
  expect(module).not.toBe(usual.module);
  const exported = execFileSync('nm', ['-D', '--defined-only', module], { encoding: 'utf8' });
  for (const name of ['warpfs_kernel', 'warpfs_kernel_abi_hash', 'warpfs_attach', 'warpfs_check_attach']) expect(exported).toMatch(new RegExp(` T ${name}$`, 'm'));
  expect(exported).not.toContain('__tsan');
  expect(execFileSync('nm', [module], { encoding: 'utf8' })).toContain('__tsan_write4');
  expect(execFileSync('nm', ['-D', module], { encoding: 'utf8' })).not.toContain('tsan');
  expect((await compileKernel(request('sums[item] = 1;', true), { environment })).cached).toBe(true);
  expect(readdirSync(join(folder, 'cache')).filter((name) => name.startsWith('.'))).toEqual([]);
}, 60_000);

test('a mistake of the user is told as ever', async () => {
  const failed = compileKernel(request('sums[item] = missing;', true), { environment });
  await expect(failed).rejects.toMatchObject({ code: 'ERR_WARPFS_COMPILE', diagnostics: expect.arrayContaining([expect.objectContaining({ line: 1, severity: 'error' })]) });
}, 60_000);

test.each([
  ['has no such option', 'echo "cc: error: unrecognized argument to \'-fsanitize=\' option: \'thread\'" >&2; exit 1', /has no -fsanitize=thread \(cc: error: unrecognized argument/],
  ['does nothing for it', 'a=""; for o; do [ "$o" = -fsanitize=thread ] || a="$a $o"; done; exec REAL $a', /it takes -fsanitize=thread and does nothing/],
])('a compiler that %s is refused', async (name, script, message) => {
  const command = join(folder, `compiler ${name}`.replaceAll(' ', '-'));
  const real = requireCompiler().path;
  writeFileSync(command, `#!/bin/sh\n[ "$1" = --version ] && exec ${real} --version\n${script.replace('REAL', real)}\n`);
  chmodSync(command, 0o755);
  const failed = compileKernel(request('sums[item] = 2;', true), { environment: { ...environment, WARPFS_CXX: command } });
  await expect(failed).rejects.toMatchObject({ code: 'ERR_WARPFS_COMPILE' });
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.toThrow('kernel sum_pages cannot be instrumented for check mode');
}, 60_000);

test('without the hooks the message says where they were looked for', () => {
  expect(() => hooksLibrary({ WARPFS_NATIVE: '/nowhere/warpfs.node' })).toThrow(
    'check mode needs a library that is built with the addon:\n  /nowhere/libwarpfs_check_hooks.a: no such file\nFix: npm run build:native',
  );
});

test('an entry point that the hooks do not have is named', async () => {
  const bare = join(folder, 'bare');
  mkdirSync(bare);
  writeFileSync(join(bare, 'empty.cpp'), 'extern "C" void warpfs_nothing() {}\n');
  const compiler = requireCompiler();
  execFileSync(compiler.path, [...compiler.leading, '-fPIC', '-c', '-o', 'empty.o', 'empty.cpp'], { cwd: bare });
  execFileSync('ar', ['rcs', 'libwarpfs_check_hooks.a', 'empty.o'], { cwd: bare });
  const failed = compileKernel(request('sums[item] = 3;', true), { environment: { ...environment, WARPFS_NATIVE: join(bare, 'warpfs.node') } });
  await expect(failed).rejects.toThrow(/check mode does not know these entry points of the compiler: .*__tsan_init/s);
}, 60_000);

test('flags by compiler and platform', () => {
  const variant = { policy: 1, replay: true };
  expect(instrumentedFlags(variant, 'g++ (Debian) 12.2', '/s')).toContain('-fno-tree-loop-distribute-patterns');
  expect(instrumentedFlags(variant, 'Apple clang version 15', '/s')).toContain('-fno-builtin');
  expect(instrumentedFlags(variant, '', '/s')).toEqual(expect.arrayContaining(['-DWARPFS_POLICY=1', '-DWARPFS_REPLAY=1', '-DWARPFS_LANES_BELOW_WAYS=1', '-fsanitize=thread']));
  const hooks = { path: '/a/hooks.a', version: '1' };
  expect(instrumentedLinkOptions(hooks, 'darwin')).toEqual(['-shared', '-Wl,-force_load,/a/hooks.a']);
  for (const platform of ['linux', 'darwin'] as const) expect(instrumentedLinkOptions(hooks, platform).join(' ')).not.toContain('sanitize');
});
