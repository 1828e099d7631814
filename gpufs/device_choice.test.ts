import { expect, test } from 'vitest';
import { cudaObstacle, type CudaSight, describeCuda } from './cuda_sight.ts';
import { checkDeviceIndex, chooseDevice, type DeviceSights, listDevices } from './device_choice.ts';

const h200 = { index: 0, name: 'NVIDIA H200', computeMajor: 9, computeMinor: 0, multiprocessors: 132, memoryBytes: 150_110_011_392 };
const everything: CudaSight = {
  driver: { found: true, path: '/lib/libcuda.so.1', version: '13.0', reason: '' },
  devices: [h200, { ...h200, index: 1, name: 'Tesla P100', computeMajor: 6 }],
  nvrtc: { found: true, path: '/lib/libnvrtc.so.13', version: '13.0', reason: '' },
  nvcc: { found: false, detail: 'not found' },
};
const noMetal = { obstacle: 'no Mac', name: '', memoryBytes: 0 };
const sights = (cuda: CudaSight, metal = noMetal): DeviceSights => ({ cuda: () => cuda, metal: () => metal });
const noNvrtc = { found: false, reason: 'not found (anywhere)' };

test.each<[string, Partial<CudaSight>, number, RegExp | undefined]>([
  ['nothing', {}, 0, undefined],
  ['NVRTC, where there is nvcc', { nvrtc: noNvrtc, nvcc: { found: true, detail: '/bin/nvcc (nvcc)' } }, 0, undefined],
  ['both compilers', { nvrtc: noNvrtc }, 0, /^no compiler: NVRTC not found \(anywhere\); nvcc not found \(WARPFS_NVCC, nvcc on PATH, .*\/usr\/local\/cuda\/bin\)$/],
  ['the driver', { driver: { found: false, reason: 'no driver: install it' }, devices: [] }, 0, /^no driver: install it$/],
  ['a device that is new enough', {}, 1, /^device 1, Tesla P100, has compute capability 6\.0, and 7\.0 is the least$/],
])('what a mount on a GPU lacks: %s', (_, change, index, obstacle) => {
  const said = cudaObstacle({ ...everything, ...change }, index);
  if (obstacle === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(obstacle);
});

test('a GPU with all that it needs is what auto takes', () => {
  const cuda = listDevices(sights(everything))[1];
  expect(cuda).toEqual({ name: 'cuda', available: true, reason: expect.stringContaining('NVIDIA H200, sm_90') });
  expect(chooseDevice({ device: 'auto', deviceIndex: 0 }, sights(everything))).toMatchObject({ name: 'cuda', notTaken: [{ name: 'metal' }] });
});

test('auto goes on behind a device on which no mount could be made', () => {
  const choice = chooseDevice({ device: 'auto', deviceIndex: 0 }, sights(everything), [{ name: 'cuda', reason: 'no memory' }]);
  expect(choice).toMatchObject({ name: 'cpu', notTaken: [{ name: 'metal' }, { name: 'cuda', reason: 'no memory' }] });
});

test('what is not there cannot be chosen, and the reason is told', () => {
  const nothing = { ...everything, driver: { found: false, reason: 'no driver: install it' }, devices: [] };
  expect(() => chooseDevice({ device: 'cuda', deviceIndex: 0 }, sights(nothing))).toThrow('option device: "cuda" is not available: no driver: install it');
  const { name, notTaken } = chooseDevice({ device: 'auto', deviceIndex: 0 }, sights(nothing));
  expect([name, notTaken.map((device) => device.name), notTaken[1]?.reason]).toEqual(['cpu', ['metal', 'cuda'], 'no driver: install it']);
});

test('nobody looks for a GPU where the choice does not depend on it', () => {
  const looked = (): never => expect.unreachable();
  expect(chooseDevice({ device: 'cpu', deviceIndex: 0 }, { cuda: looked, metal: looked }).name).toBe('cpu');
  expect(() => chooseDevice({ device: 'metal', deviceIndex: 0 }, { cuda: looked, metal: () => noMetal })).toThrow('option device: "metal" is not available: no Mac');
});

test('a Mac is what auto takes first', () => {
  const mac = { obstacle: '', name: 'Apple M4 Max', memoryBytes: 96 * 2 ** 30 };
  expect(chooseDevice({ device: 'auto', deviceIndex: 0 }, sights(everything, mac))).toEqual({ name: 'metal', notTaken: [] });
  expect(listDevices(sights(everything, mac))[0]).toEqual({ name: 'metal', available: true, reason: 'Apple M4 Max, which may use 96 GiB at once' });
});

test('a device that does not exist is named, and how many there are', () => {
  expect(() => chooseDevice({ device: 'cpu', deviceIndex: 2 }, sights(everything))).toThrow(
    expect.objectContaining({ code: 'ERR_WARPFS_DEVICE', message: '[warpfs] option deviceIndex: 2 does not exist: there is one cpu device, number 0' }),
  );
  expect(() => checkDeviceIndex('cuda', 5, 4)).toThrow('option deviceIndex: 5 does not exist: there are 4 cuda devices, numbers 0 to 3');
  expect(() => checkDeviceIndex('cuda', 3, 4)).not.toThrow();
});

test('what doctor says', () => {
  expect(describeCuda({ ...everything, nvrtc: noNvrtc })).toEqual([
    ['cuda driver', '/lib/libcuda.so.1 (13.0)'],
    ['cuda device 0', 'NVIDIA H200, sm_90, 132 multiprocessors, 139.8 GiB'],
    ['cuda device 1', 'Tesla P100, sm_60, 132 multiprocessors, 139.8 GiB'],
    ['nvrtc', 'not found (anywhere)'],
    ['nvcc', 'not found'],
  ]);
});
