// Memory with a device that has some of its own, played by arrays: what the boundary is asked for, and what is told where that is not possible.
import { expect, test } from 'vitest';
import { KernelMemory, placeOnDevice } from './kernel_memory.ts';
import type { NativeMemoryRequest, NativeMount } from './native_binding.ts';

class DeviceForTests {
  readonly asked: NativeMemoryRequest[] = [];
  readonly copies: [ArrayBuffer, ArrayBuffer, number][] = [];
  readonly freed: ArrayBuffer[] = [];
  refuses: string | undefined;

  mount(): NativeMount {
    return {
      placeMemory: async (request: NativeMemoryRequest) => {
        this.asked.push(request);
        const visible = request.host || request.file !== '';
        return { buffer: new ArrayBuffer(visible ? request.bytes : 16), visible };
      },
      copyMemory: async (from: ArrayBuffer, to: ArrayBuffer, bytes: number) => {
        if (this.refuses !== undefined) throw new Error(this.refuses);
        this.copies.push([from, to, bytes]);
      },
      freeMemory: async (buffer: ArrayBuffer) => void this.freed.push(buffer),
    } as unknown as NativeMount;
  }
}

test('it is named by a few bytes where the host does not see it, and is its bytes where it does', async () => {
  const device = new DeviceForTests();
  const native = device.mount();
  const far = new KernelMemory(4096, await placeOnDevice(native, { bytes: 4096 }));
  const near = new KernelMemory(512, await placeOnDevice(native, { bytes: 512, place: 'host' }));
  const file = new KernelMemory(64, await placeOnDevice(native, { file: '/data', bytes: 64, writes: true }));
  expect(device.asked).toEqual([
    { bytes: 4096, host: false, file: '', writes: false },
    { bytes: 512, host: true, file: '', writes: false },
    { bytes: 64, host: false, file: '/data', writes: true },
  ]);
  expect([far.view, near.view?.length, file.view?.length]).toEqual([undefined, 512, 64]);
  expect(far.passed('it').length).toBe(16);
  await near.copyTo(far, 512);
  expect(device.copies).toEqual([[near.passed('it').buffer, far.passed('it').buffer, 512]]);
  far.free();
  expect(device.freed).toHaveLength(1);
  expect(() => far.passed('kernel k.inputs.memory')).toThrow('kernel k.inputs.memory: the memory was given back');
  await expect(near.copyTo(far, 1)).rejects.toThrow('given back');
});

test('a copy that fails says why', async () => {
  const device = new DeviceForTests();
  const memory = new KernelMemory(64, await placeOnDevice(device.mount(), { bytes: 64 }));
  device.refuses = 'this mount has lost its GPU';
  await expect(memory.copyTo(memory, 64)).rejects.toThrow('copyTo: this mount has lost its GPU');
});

test('a mount in a process of its own has none to share', async () => {
  await expect(placeOnDevice({} as NativeMount, { bytes: 64 })).rejects.toMatchObject({ code: 'ERR_WARPFS_DEVICE', message: expect.stringContaining('in a process of its own') as string });
});
