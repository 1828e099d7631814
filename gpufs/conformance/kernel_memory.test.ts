// Memory that kernels of a mount share from dispatch to dispatch, and a file as the host has it in memory.
import { beforeEach, describe, expect, test } from 'vitest';
import type { KernelMemory } from '../kernel_memory.ts';
import type { Mount } from '../mount.ts';
import { pattern, useFixture } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { kernelsMissing, mountOnTestDevice, testDevice } from './test_device.ts';

const missing = nativePresence().missing ?? kernelsMissing();

const addOne = {
  name: 'add_one',
  inputs: { memory: 'memory', more: 'u32' },
  outputs: { before: 'u32[]' },
  source: `
    if (lane.index == 0u) before[item] = atomic_add((WARPFS_DEVICE uint*)memory, more);`,
} as const;

const copyWords = {
  name: 'copy_words',
  inputs: { from: 'memory', to: 'memory', words: 'u32' },
  source: `
    WARPFS_DEVICE uint* source = (WARPFS_DEVICE uint*)from;
    WARPFS_DEVICE uint* target = (WARPFS_DEVICE uint*)to;
    for (uint i = lane.index; i < words; i += lane.count) target[i] = source[i] + 1u;`,
} as const;

function words(memory: KernelMemory): Uint32Array {
  const { buffer, byteOffset } = memory.view as Uint8Array;
  return new Uint32Array(buffer, byteOffset, memory.bytes / 4);
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'memory of kernels' : `SKIP ${missing}`, () => {
  const fixture = useFixture(mountOnTestDevice);
  let fs: Mount;
  beforeEach(async () => {
    fs = await fixture.mounted();
  });

  test.each(['device', 'host'] as const)('begins as zeros and stays as kernels leave it: %s', async (place) => {
    const kernel = await fs.kernel(addOne);
    const memory = await fs.memory({ bytes: 64, place });
    expect([...(await kernel.dispatch({ items: 4, inputs: { memory, more: 3 }, outputs: { before: 4 } })).before].toSorted((a, b) => a - b)).toEqual([0, 3, 6, 9]);
    expect((await kernel.dispatch({ items: 1, inputs: { memory, more: 0 }, outputs: { before: 1 } })).before[0]).toBe(12);
    if (place === 'host') expect(words(memory)[0]).toBe(12);
    const other = await fs.memory({ bytes: 64, place });
    expect((await kernel.dispatch({ items: 1, inputs: { memory: other, more: 0 }, outputs: { before: 1 } })).before[0]).toBe(0);
  });

  test('what the host writes into it kernels see, and the other way round, by copies too', async () => {
    const [first, second, device] = [await fs.memory({ bytes: 4096, place: 'host' }), await fs.memory({ bytes: 4096, place: 'host' }), await fs.memory({ bytes: 4096, place: 'device' })];
    words(first).forEach((_, index, all) => (all[index] = index * 7));
    const kernel = await fs.kernel(copyWords);
    await kernel.dispatch({ items: 1, inputs: { from: first, to: second, words: 512 } });
    expect(words(second).slice(0, 514)).toEqual(Uint32Array.from({ length: 514 }, (_, index) => (index < 512 ? index * 7 + 1 : 0)));
    await first.copyTo(device, 2048);
    await kernel.dispatch({ items: 1, inputs: { from: device, to: device, words: 1024 } });
    await device.copyTo(second, 4096);
    expect(words(second)).toEqual(Uint32Array.from({ length: 1024 }, (_, index) => (index < 512 ? index * 7 + 1 : 1)));
  });

  test('may be a file where the host has it', async () => {
    fixture.write('a', pattern(8192));
    const memory = await fs.memory({ file: fixture.path('a'), bytes: 4096, writes: false }).catch((error: Error) => error.message);
    if (typeof memory === 'string') return expect(memory).toMatch(/^\[warpfs\] memory: .*registering/); // the driver need not be able to
    const target = await fs.memory({ bytes: 4096, place: 'host' });
    await (await fs.kernel(copyWords)).dispatch({ items: 1, inputs: { from: memory, to: target, words: 1024 } });
    const bytes = pattern(8192);
    const wanted = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 4096)).map((word) => word + 1);
    expect(words(target)).toEqual(wanted);
    return memory.free();
  });

  test('says what is wrong with what was asked for', async () => {
    fixture.write('a', pattern(100));
    await expect(fs.memory({ bytes: 0 })).rejects.toThrow('memory.bytes: 0 is not a whole number from 1');
    await expect(fs.memory({ bytes: 1, place: 'moon' as 'host' })).rejects.toThrow('memory.place: "moon" is not one of device, host');
    await expect(fs.memory({ bytes: 4096, file: fixture.path('a'), writes: false })).rejects.toThrow(/a has 100 bytes, fewer than 4096/);
    await expect(fs.memory({ bytes: 4096, file: fixture.path('none'), writes: false })).rejects.toMatchObject({ code: 'ENOENT' });
    const memory = await fs.memory({ bytes: 64 });
    const kernel = await fs.kernel(addOne);
    await expect(kernel.dispatch({ items: 1, inputs: { memory: new Uint8Array(4) as unknown as KernelMemory, more: 1 }, outputs: { before: 1 } })).rejects.toThrow('is not what memory() of a mount gave');
    await expect(memory.copyTo(memory, 65)).rejects.toThrow('copyTo.bytes: 65 is not a whole number from 0 to 64');
    memory.free();
    memory.free();
    expect(memory.view).toBeUndefined();
    await expect(kernel.dispatch({ items: 1, inputs: { memory, more: 1 }, outputs: { before: 1 } })).rejects.toThrow('the memory was given back');
  });

  test.skipIf(testDevice === 'cpu')('more than the device has is refused, and the mount lives', async () => {
    await expect(fs.memory({ bytes: 2 ** 40 })).rejects.toMatchObject({ code: expect.stringMatching(/ENOMEM|ERR_WARPFS_DEVICE/) });
    const kernel = await fs.kernel(addOne);
    expect((await kernel.dispatch({ items: 1, inputs: { memory: await fs.memory({ bytes: 16 }), more: 1 }, outputs: { before: 1 } })).before[0]).toBe(0);
  });
});
