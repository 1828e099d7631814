import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BindingForTests, bindingForTests, cudaForTests } from '../binding_for_tests.ts';
import { type DeviceToPrepare, prepareDevice } from './prepare_device.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-prepare-'));
  writeFileSync(join(folder, 'libnvrtc.so.13'), '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function machineWithGpu(): BindingForTests {
  const binding = bindingForTests();
  binding.cuda = cudaForTests(join(folder, 'libnvrtc.so.13'));
  return binding;
}

/** What is said to a person, and how often the compiler ran. */
async function prepared(wanted: DeviceToPrepare, { json = false, watched = true, binding = machineWithGpu() } = {}): Promise<[string, number]> {
  let said = '';
  const streams = { out: () => undefined, error: (text: string) => void (said += text), watched };
  await prepareDevice(streams, json, wanted, { binding: () => binding, environment: { PATH: '/nowhere', WARPFS_CACHE_DIR: join(folder, 'cache') } });
  return [said, binding.nvrtcRequests.length];
}

const NOTE = 'compiling the built-in kernels for sm_90, once\n';

test('whoever watches is told what takes so long, the first time', async () => {
  expect(await prepared({ device: 'auto' }, { watched: false })).toEqual(['', 0]);
  expect(await prepared({ device: 'auto' }, { json: true })).toEqual(['', 0]);
  expect(await prepared({ device: 'cpu' })).toEqual(['', 0]);
  expect(await prepared({ device: 'auto' })).toEqual([NOTE, 1]);
  expect(await prepared({ device: 'cuda' })).toEqual(['', 0]);
  expect(await prepared({ device: 'cuda', wait: 'replay' })).toEqual([NOTE, 1]);
});

test('what is in the way is left to the mount', async () => {
  expect(await prepared({ device: 'cuda' }, { binding: bindingForTests() })).toEqual(['', 0]);
  const broken = machineWithGpu();
  broken.nvrtcCompile = async () => ({ ok: false, log: 'out of luck' });
  expect(await prepared({ device: 'auto', policy: 'fifo' }, { binding: broken })).toEqual([NOTE, 0]);
});
