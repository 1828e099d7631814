import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileKernel, type CompileRequest } from './kernel_compiler.ts';
import type { KernelDefinition } from './kernel_definition.ts';
import { usualKernelFolder } from './kernel_folder.ts';
import { cpuKernelText } from './kernel_source.ts';
import { findCompiler, requireCompiler } from './system_compiler.ts';

// Shader headers of the smallest kind: these tests are about the compiler and its cache, not about the file system.
const headers = {
  'dialect/cpu.h': `#pragma once
#define WARPFS_FN [[maybe_unused]] static inline
#define WARPFS_THREAD
#define WARPFS_DEVICE
namespace warpfs { using uint = unsigned; using uchar = unsigned char; struct Lane { uint index, count; }; }`,
  'warpfs.h': `#pragma once
namespace warpfs { struct Fs { Lane lane; uint item; }; enum { WARPFS_DONE = 0 }; }`,
  'entry/cpu.h': `#pragma once
#define WARPFS_KERNEL_ENTRY(call) extern "C" __attribute__((visibility("default"))) int run(warpfs::Fs& fs, void** own) { using namespace warpfs; return call; }`,
};

let folder: string;
let shadersRoot: string;
let environment: NodeJS.ProcessEnv;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-compiler-test-'));
  shadersRoot = writeHeaders('shaders', '');
  environment = { ...process.env, WARPFS_CACHE_DIR: join(folder, 'cache') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeHeaders(name: string, extra: string): string {
  const root = join(folder, name);
  for (const [file, text] of Object.entries(headers)) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), text + extra);
  }
  return root;
}

function request(source: string, name = 'sum_pages'): CompileRequest {
  const definition: KernelDefinition = { name, source, outputs: { sums: 'u32[]' } };
  return { name, source, text: cpuKernelText(definition, []), policy: 0, replay: false };
}

/** A compiler that notes each of its runs before it passes them on. */
function countingCompiler(): { command: string; runs: () => number } {
  const log = join(folder, 'compiler-runs');
  const command = join(folder, 'counting-compiler');
  writeFileSync(log, '');
  writeFileSync(command, `#!/bin/sh\necho run >> ${log}\nexec ${requireCompiler().path} "$@"\n`);
  chmodSync(command, 0o755);
  return { command, runs: () => readFileSync(log, 'utf8').split('\n').length - 1 };
}

test('a kernel is compiled once, and a second look-up is quick and starts no process', async () => {
  const compiler = countingCompiler();
  const settings = { shadersRoot, environment: { ...environment, WARPFS_CXX: compiler.command } };
  const first = await compileKernel(request('sums[item] = 1;'), settings);
  expect(first.cached).toBe(false);
  expect(compiler.runs()).toBe(2); // --version and the kernel
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const start = performance.now();
    expect(await compileKernel(request('sums[item] = 1;'), settings)).toEqual({ module: first.module, cached: true });
    times.push(performance.now() - start);
  }
  expect(Math.min(...times)).toBeLessThan(5);
  expect(compiler.runs()).toBe(2);
  expect(readdirSync(join(folder, 'cache')).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('calls at one time share one compiler run', async () => {
  const compiler = countingCompiler();
  const settings = { shadersRoot, environment: { ...environment, WARPFS_CXX: compiler.command, WARPFS_CACHE_DIR: join(folder, 'shared') } };
  const compiled = await Promise.all([1, 2, 3, 4].map(() => compileKernel(request('sums[item] = 2;'), settings)));
  expect(new Set(compiled.map((kernel) => kernel.module)).size).toBe(1);
  expect(readdirSync(join(folder, 'shared')).filter((name) => name.endsWith('.so')).length).toBe(1);
});

test('the text, the headers, the policy and the wait each make another kernel', async () => {
  const base = request('sums[item] = 3;');
  const modules = await Promise.all([
    compileKernel(base, { shadersRoot, environment }),
    compileKernel(request('sums[item] = 4;'), { shadersRoot, environment }),
    compileKernel({ ...base, policy: 1 }, { shadersRoot, environment }),
    compileKernel({ ...base, replay: true }, { shadersRoot, environment }),
    compileKernel(base, { shadersRoot: writeHeaders('other_shaders', '\n// changed\n'), environment }),
  ]);
  expect(new Set(modules.map((kernel) => kernel.module)).size).toBe(5);
});

test('a compile error is told in the lines of the user', async () => {
  const source = '\n  uint total = 0;\n  total += missing;\n  sums[item] = total;\n';
  const failed = compileKernel(request(source), { shadersRoot, environment });
  await expect(failed).rejects.toMatchObject({
    code: 'ERR_WARPFS_COMPILE',
    diagnostics: [expect.objectContaining({ line: 3, column: 12, severity: 'error' })],
  });
  const message = await failed.catch((error: Error) => error.message);
  expect(message).toMatch(/^\[warpfs\] kernel sum_pages does not compile:\nsum_pages:3:12: error: .*missing.*\n {4}total \+= missing;\n {13}\^$/);
  expect(message).not.toContain(folder);
  expect(readdirSync(join(folder, 'cache')).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a brace too many is explained, without our paths', async () => {
  const message = await compileKernel(request('}'), { shadersRoot, environment }).catch((error: Error) => error.message);
  expect(message).toContain('a brace too many');
  expect(message).not.toContain(folder);
});

test('a folder that cannot be written is no obstacle', async () => {
  writeFileSync(join(folder, 'a-file'), '');
  const settings = { shadersRoot, environment: { ...environment, WARPFS_CACHE_DIR: join(folder, 'a-file', 'cache') } };
  const first = await compileKernel(request('sums[item] = 5;'), settings);
  expect(first.module.startsWith(join(tmpdir(), 'warpfs-kernels-'))).toBe(true);
  expect((await compileKernel(request('sums[item] = 5;'), settings)).cached).toBe(true);
});

test('which compiler, and what is said where there is none', () => {
  expect(findCompiler({ PATH: '/nowhere' })).toBeUndefined();
  expect(() => requireCompiler({ PATH: '/nowhere' })).toThrow(/needs a C\+\+20 compiler.*apt install g\+\+/);
  expect(() => findCompiler({ PATH: '/nowhere', WARPFS_CXX: 'my-cxx' })).toThrow('WARPFS_CXX: my-cxx is not a compiler');
  expect(findCompiler({ PATH: process.env['PATH'], CXX: 'sh -x' })).toMatchObject({ leading: ['-x'], from: 'CXX' });
});

test('where kernels are kept', () => {
  expect(usualKernelFolder({ WARPFS_CACHE_DIR: '/a' })).toBe('/a');
  expect(usualKernelFolder({ XDG_CACHE_HOME: '/b' })).toBe('/b/warpfs/kernels');
  expect(usualKernelFolder({})).toMatch(/\/\.cache\/warpfs\/kernels$/);
});
