// Mounts on the cuda device as the addon is asked for them. No GPU is needed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BindingForTests, bindingForTests, cudaForTests } from './binding_for_tests.ts';
import { type Mount, mountWith } from './mount.ts';
import type { NativeCudaProbe } from './native_cuda.ts';
import type { MountOptions } from './options.ts';

let folder: string;
let cuda: NativeCudaProbe;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-mount-cuda-'));
  writeFileSync(join(folder, 'libnvrtc.so.13'), '');
  cuda = cudaForTests(join(folder, 'libnvrtc.so.13'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function mounted(options: Partial<MountOptions> = {}, prepare: (binding: BindingForTests) => void = () => undefined, more: NodeJS.ProcessEnv = {}): Promise<{ fs: Mount; binding: BindingForTests; notes: number }> {
  const binding = bindingForTests();
  binding.cuda = structuredClone(cuda);
  prepare(binding);
  let notes = 0;
  const environment = { PATH: '/nowhere', WARPFS_CACHE_DIR: join(folder, 'cache'), ...more };
  const fs = await mountWith(() => binding, { root: folder, ...options }, { environment, onCompile: () => notes++ });
  return { fs, binding, notes };
}

const failure = (code: string, message: string) => Object.assign(new Error(message), { code });
const noMemory = failure('ENOMEM', 'the cache needs 300 GiB, and of the 139 GiB of NVIDIA H200 100 GiB are free');

test('auto takes the GPU: its built-in kernels are compiled once, and the addon is told where they are', async () => {
  const { fs, binding, notes } = await mounted();
  const builtin = binding.configs[0]?.builtin ?? '';
  expect(binding.configs[0]).toMatchObject({ device: 'cuda', deviceIndex: 0, kernelTimeMs: 600_000, fill: 'auto', slotCount: 4096, ringCount: 8, sandbox: 'auto' });
  expect(binding.configs[0]).not.toHaveProperty('windowBytesMax');
  expect(readFileSync(builtin, 'utf8')).toBe('a cubin');
  expect(binding.nvrtcRequests[0]?.options).toContain('-DWARPFS_CALLS_HERE=1');
  expect(fs.device).toMatchObject({ name: 'cuda', residentWarps: 4096, fill: expect.stringMatching(/^map/), notTaken: [{ name: 'metal' }] });
  expect(fs.options).toMatchObject({ device: 'auto', residentWarps: 4096, ring: { count: 8 } });
  expect(notes).toBe(1);
  const again = await mounted();
  expect([again.binding.configs[0]?.builtin, again.notes, again.binding.nvrtcRequests.length]).toEqual([builtin, 0, 0]);
  const replayed = await mounted({ wait: 'replay', fill: 'map', windowBytes: 2 ** 33, kernelTimeMs: 5, residentWarps: 7 });
  expect(replayed.binding.configs[0]).toMatchObject({ fill: 'map', windowBytesMax: 2 ** 33, kernelTimeMs: 5, slotCount: 7 });
  expect(replayed.binding.configs[0]?.builtin).not.toBe(builtin);
  const pushed = await mounted({ fill: 'push' });
  expect(pushed.binding.configs[0]).toMatchObject({ device: 'cuda', fill: 'push', builtin }); // the kernels are the same
});

test.each<[string, NodeJS.ProcessEnv, string | undefined]>([
  ['by its own name', { WARPFS_CUDA_SERIAL: '1' }, 'WARPFS_CUDA_SERIAL=1'],
  ['by the variable of the driver', { CUDA_LAUNCH_BLOCKING: '1' }, 'CUDA_LAUNCH_BLOCKING=1'],
  ['by what compute-sanitizer and ncu set', { CUDA_INJECTION64_PATH: '/opt/tool.so' }, 'CUDA_INJECTION64_PATH, which a tool such as compute-sanitizer or ncu sets'],
  ['not where the variables are empty or 0', { WARPFS_CUDA_SERIAL: '', CUDA_LAUNCH_BLOCKING: '0', CUDA_INJECTION64_PATH: '' }, undefined],
  ['not where its own name says no', { WARPFS_CUDA_SERIAL: '0', CUDA_INJECTION64_PATH: '/opt/tool.so', CUDA_LAUNCH_BLOCKING: '1' }, undefined],
])('one kernel runs at a time where the environment says so: %s', async (_name, environment, reason) => {
  const { fs, binding } = await mounted({ device: 'cuda', wait: 'replay' }, undefined, environment);
  expect(binding.configs[0]).toMatchObject({ device: 'cuda', wait: 'replay', serial: reason !== undefined });
  expect(fs.device.serial).toBe(reason);
  const spinning = mounted({ device: 'cuda' }, undefined, environment);
  if (reason === undefined) expect((await spinning).fs.device.wait).toBe('spin');
  else await expect(spinning).rejects.toMatchObject({ code: 'ERR_WARPFS_OPTION', message: expect.stringMatching(`option wait: "spin" does not go with ${reason}: .*Take wait: 'replay'`) });
});

test('where one kernel runs at a time, auto says so as well, and the kernels know their lines', async () => {
  const environment = { WARPFS_CUDA_SERIAL: '1' };
  await expect(mounted({}, undefined, environment)).rejects.toMatchObject({ code: 'ERR_WARPFS_OPTION', message: expect.stringContaining('WARPFS_CUDA_SERIAL=1') });
  const wrong = mounted({ wait: 'replay' }, undefined, { WARPFS_CUDA_SERIAL: 'yes' });
  await expect(wrong).rejects.toMatchObject({ code: 'ERR_WARPFS_OPTION', message: expect.stringContaining('WARPFS_CUDA_SERIAL: "yes" is neither 0 nor 1') });
  const [plain, serial] = [await mounted({ wait: 'replay' }), await mounted({ wait: 'replay' }, undefined, environment)];
  expect(serial.fs.device.name).toBe('cuda');
  expect(serial.binding.configs[0]?.builtin).not.toBe(plain.binding.configs[0]?.builtin);
  const cpu = await mounted({ device: 'cpu' }, undefined, environment);
  expect(cpu.fs.device.serial).toBeUndefined();
});

test('the cpu device and check mode take the cpu, and no compiler', async () => {
  for (const options of [{ device: 'cpu' }, { check: true }] as const) {
    const { fs, binding } = await mounted(options);
    expect(binding.configs[0]).toMatchObject({ device: 'cpu' });
    for (const field of ['builtin', 'fill', 'kernelTimeMs', 'deviceIndex', 'windowBytesMax']) expect(binding.configs[0]).not.toHaveProperty(field);
    expect(binding.nvrtcRequests).toEqual([]);
    expect(fs.device).toMatchObject({ name: 'cpu', fill: 'the host reads into the lines' });
  }
});

test('auto goes on where no mount can be made on the GPU, and says why', async () => {
  const { fs, binding } = await mounted({}, (with_) => {
    with_.refuse = ({ device }) => (device === 'cuda' ? noMemory : undefined);
  });
  expect(binding.configs.map(({ device, slotCount }) => [device, slotCount])).toEqual([['cuda', 4096], ['cpu', 1024]]);
  expect(fs.device.name).toBe('cpu');
  expect(fs.device.notTaken[1]).toEqual({ name: 'cuda', reason: expect.stringContaining('ENOMEM the cache needs 300 GiB') });
  const uncompiled = await mounted({}, (with_) => {
    with_.nvrtcCompile = async () => ({ ok: false, log: 'out of luck' });
    (with_.cuda.devices[0] as { computeMinor: number }).computeMinor = 3; // nothing of it is kept
  });
  expect(uncompiled.fs.device).toMatchObject({ name: 'cpu', notTaken: [{}, { reason: expect.stringContaining('out of luck') }] });
});

test.each<[string, Partial<MountOptions>]>([['device', { device: 'cuda' }], ['deviceIndex', { deviceIndex: 1 }], ['fill', { fill: 'push' }]])(
  'whoever asks for a GPU by option %s gets no other device in its place',
  async (_name, options) => {
    const refused = mounted(options, (with_) => {
      with_.cuda.devices.push({ ...(with_.cuda.devices[0] as (typeof with_.cuda.devices)[0]), index: 1 });
      with_.refuse = () => noMemory;
    });
    await expect(refused).rejects.toMatchObject({ code: 'ENOMEM', message: `[warpfs] mount ${folder}: ENOMEM ${noMemory.message}` });
  },
);

test('what is no failure of the GPU is told by the device after it', async () => {
  const refused = mounted({}, (with_) => {
    with_.refuse = () => failure('EACCES', 'may not be read');
  });
  await expect(refused).rejects.toMatchObject({ code: 'EACCES' });
  await expect(mounted({ fill: 'pull' }, (with_) => void (with_.cuda.devices = []))).rejects.toThrow('option fill: "pull" does not go with the cpu device');
});

test('a kernel is compiled for the GPU of its mount', async () => {
  const { fs, binding } = await mounted();
  const kernel = await fs.kernel({ name: 'k', outputs: { sums: 'u32[]' }, source: 'sums[item] = item;' });
  await kernel.dispatch({ items: 1, outputs: { sums: 1 } });
  expect(binding.dispatches[0]?.module).toMatch(/\.cubin$/);
  expect(binding.dispatches[0]?.module).not.toBe(binding.configs[0]?.builtin);
  const { options, text } = binding.nvrtcRequests.at(-1) as (typeof binding.nvrtcRequests)[0];
  expect(options).toEqual(['--gpu-architecture=sm_90', '--std=c++17', '-rdc=true', '--maxrregcount=64', '-lineinfo', '-DWARPFS_CALLS_LINKED=1', '-DWARPFS_POLICY=0', '-DWARPFS_REPLAY=0']);
  expect(text).toContain('sums[item] = item;');
  expect((await fs.kernel({ name: 'k', outputs: { sums: 'u32[]' }, source: 'sums[item] = item;' })).cached).toBe(true);
});

test('after the GPU is lost every call says so, and a discard lets go', async () => {
  const { fs, binding } = await mounted();
  const lost = failure('ETIMEDOUT', 'running a kernel: CUDA_ERROR_LAUNCH_TIMEOUT. This mount is lost');
  const program = [[{ op: 'compute', steps: 1 }]] as const;
  binding.answer = () => Promise.reject(lost);
  await expect(fs.run(program)).rejects.toMatchObject({ name: 'WarpfsError', code: 'ETIMEDOUT', cause: lost });
  binding.answer = () => Promise.reject(failure('EIO', 'this mount has lost its GPU: running a kernel'));
  await expect(fs.run(program)).rejects.toMatchObject({ code: 'EIO', message: expect.stringContaining('has lost its GPU') });
  binding.answer = () => Promise.reject(failure('ERR_WARPFS_DEVICE', 'gone'));
  await expect(fs.run(program)).rejects.toMatchObject({ code: 'ERR_WARPFS_DEVICE' });
  binding.unmountResult = -5; // what was not synced is lost with it
  await expect(fs.unmount()).rejects.toMatchObject({ code: 'EIO' });
  await expect(fs.unmount({ discard: true })).rejects.toMatchObject({ code: 'EIO' });
  await fs.unmount();
  expect(binding.unmounts).toEqual([false, true]);
  expect(() => fs.stats()).toThrow('is unmounted');
});
