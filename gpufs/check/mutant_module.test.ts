import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeMutatedShaders } from '../../native/check/mutate.ts';
import { buildHooksForTests } from '../hooks_for_tests.ts';
import { packageRoot } from '../package_root.ts';
import { buildMutantModule } from './mutant_module.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-mutant-module-'));
  environment = { ...process.env, WARPFS_CACHE_DIR: join(folder, 'cache'), WARPFS_NATIVE: buildHooksForTests(folder) };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The sources as they are, with a line more in one of them. */
function write(extra: string): (native: string) => void {
  return (native) => {
    for (const name of ['abi/abi.h', 'host/cpu/builtin.h', 'shaders']) {
      mkdirSync(dirname(join(native, name)), { recursive: true });
      cpSync(join(packageRoot, 'native', name), join(native, name), { recursive: true });
    }
    appendFileSync(join(native, 'shaders', 'read.h'), extra);
  };
}

test('all mutants together are one module, built once, which the addon can choose from', async () => {
  const first = await buildMutantModule({ write: writeMutatedShaders }, environment);
  expect(first.cached).toBe(false);
  expect(await buildMutantModule({ write: writeMutatedShaders }, environment)).toEqual({ module: first.module, cached: true });
  const exported = execFileSync('nm', ['-D', '--defined-only', first.module], { encoding: 'utf8' });
  for (const name of ['warpfs_builtins', 'warpfs_kernel_abi_hash', 'warpfs_attach', 'warpfs_check_attach']) expect(exported).toMatch(new RegExp(` T ${name}$`, 'm'));
  expect(readdirSync(join(folder, 'cache')).filter((name) => name.startsWith('.'))).toEqual([]);
}, 120_000);

test('a changed line makes another module, and one that does not compile says where', async () => {
  const failed = buildMutantModule({ write: write('int broken = missing;\n') }, environment);
  await expect(failed).rejects.toMatchObject({ code: 'ERR_WARPFS_COMPILE' });
  await expect(failed).rejects.toThrow(/^\[warpfs\] mutants do not compile:[^]*\bread\.h:\d+:\d+: error: [^]*missing/);
  await expect(failed).rejects.not.toThrow(tmpdir());
}, 120_000);
