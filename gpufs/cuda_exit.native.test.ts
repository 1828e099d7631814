// How a process ends in which a kernel never does: with a stand-in for the driver, whose handler at exit waits for ever as the real one
// would. No GPU is needed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDriverForTests, configForTests, dispatchForTests, driverForTestsMissing, withDriverForTests } from './cuda_driver_for_tests.ts';
import { loadNativeBinding } from './native_binding.ts';

const missing = driverForTestsMissing();
const ends: [string, string, { status: number; stdout: string }][] = [
  ['by itself', 'process.exitCode = 7;', { status: 7, stdout: 'ETIMEDOUT' }],
  ['when it is told to', 'process.exit(8);', { status: 8, stdout: 'ETIMEDOUT' }],
  ['with an error that nobody catches', "throw new Error('oops');", { status: 1, stdout: 'ETIMEDOUT' }],
  ['behind an unmount', "mount.unmount(true).then((lost) => { process.stdout.write(' ' + lost); process.exitCode = 9; });", { status: 9, stdout: 'ETIMEDOUT -5' }],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-exit-test-'));
  if (missing === undefined) buildDriverForTests(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a mount, loses it to a kernel that never ends, and says so; then `end` comes. */
function loseAMount(end: string): string {
  return `
    const mount = require(${JSON.stringify(loadNativeBinding().path)}).mount(${JSON.stringify(configForTests(folder))});
    mount.dispatch(${JSON.stringify(dispatchForTests)}).then(undefined, (error) => {
      process.stdout.write(error.code);
      ${end}
    });`;
}

function run(script: string): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync(process.execPath, ['-e', script], { env: withDriverForTests(folder, 'endless'), encoding: 'utf8', timeout: 20_000 });
  return { status, stdout };
}

const name = missing === undefined ? 'a process with a kernel that never ends ends' : `SKIP ${missing}: a process ends`;
test.skipIf(missing !== undefined).each(ends)(`${name} %s`, (_how, end, expected) => {
  expect(run(loseAMount(end))).toEqual(expected);
});

test.skipIf(missing !== undefined)(`${name}, when the thread that had the mount is long gone`, () => {
  const script = `
    const worker = new (require('node:worker_threads').Worker)(${JSON.stringify(loseAMount(''))}, { eval: true });
    worker.on('exit', () => setTimeout(() => process.exit(6), 100));`;
  expect(run(script)).toEqual({ status: 6, stdout: 'ETIMEDOUT' });
});
