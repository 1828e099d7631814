import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import { makeBuffers } from './kernel_buffers.ts';
import { type KernelHost, makeKernel } from './kernel.ts';
import type { KernelDefinition } from './kernel_definition.ts';
import type { NativeDispatch, NativeDispatchResult } from './native_binding.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-kernel-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Kernels are compiled for real, into a folder of this test; only the dispatch is answered here. */
function settings() {
  return { environment: { PATH: process.env['PATH'], WARPFS_CACHE_DIR: folder } };
}

const dispatches: NativeDispatch[] = [];
function host(answer: Partial<NativeDispatchResult> = {}, wait: 'spin' | 'replay' = 'spin'): KernelHost {
  return {
    policy: 'clock',
    wait,
    residentWarps: 4,
    async dispatch(dispatch) {
      dispatches.push(dispatch);
      new Uint32Array(dispatch.buffers.at(-1)!.buffer)[0] = 77;
      return { failedItems: 0, failures: [], laneValues: [0, 0], nanoseconds: 5, rounds: 1, ...answer };
    },
  };
}

const definition = { name: 'k', inputs: { path: 'string', scale: 'u32' }, outputs: { sums: 'u32[]', wide: 'u64[]' }, source: '', groupWarps: 2 } as const;

test('values in, typed arrays out', async () => {
  const kernel = await makeKernel(host(), definition, settings());
  const { sums, wide, report } = await kernel.dispatch({ items: 3, inputs: { path: 'ü', scale: 5 }, outputs: { sums: 2, wide: 1 } });
  expectTypeOf(sums).toEqualTypeOf<Uint32Array>();
  expect(sums.length).toBe(2);
  expect(wide).toEqual(BigUint64Array.of(77n));
  expect(report).toEqual({ items: 3, failedItems: 0, failures: [], nanoseconds: 5, rounds: 1 });
  const { buffers, module, items, groupWarps } = dispatches.at(-1)!;
  expect(module).toMatch(/\.so$/);
  expect({ items, groupWarps }).toEqual({ items: 3, groupWarps: 2 });
  expect([...buffers[0]!.subarray(0, 3)]).toEqual([0xc3, 0xbc, 0]);
  expect(buffers[1]![0]).toBe(5);
});

test('items that failed reject with their names, or are returned', async () => {
  const failing = host({ failedItems: 12, failures: [{ item: 3, errno: 9 }, { item: 5, errno: 22 }], laneValues: [5, 7] });
  const kernel = await makeKernel(failing, definition, settings());
  const options = { items: 256, inputs: { path: 'a', scale: 1 }, outputs: { sums: 1, wide: 1 } };
  await expect(kernel.dispatch(options)).rejects.toMatchObject({
    code: 'ERR_WARPFS_DISPATCH',
    message:
      '[warpfs] kernel k: 12 of 256 items failed; first: item 3: EBADF bad file handle, item 5: EINVAL invalid argument; ' +
      'lanes of one warp disagree on an argument: 5 and 7',
    failures: [{ item: 3, errno: 'EBADF' }, { item: 5, errno: 'EINVAL' }],
  });
  const { report } = await kernel.dispatch({ ...options, onError: 'return' });
  expect(report.failedItems).toBe(12);
});

test('wrong arguments of a dispatch', async () => {
  const kernel = await makeKernel(host(), definition, settings());
  const right = { items: 1, inputs: { path: 'a', scale: 1 }, outputs: { sums: 1, wide: 1 } };
  const dispatch = (change: object) => kernel.dispatch({ ...right, ...change } as typeof right);
  await expect(dispatch({ items: 0 })).rejects.toThrow('kernel k.items: 0 is not a whole number from 1');
  await expect(dispatch({ items: 5, allResident: true })).rejects.toMatchObject({ code: 'ERR_WARPFS_RESIDENT' });
  await expect(dispatch({ inputs: { path: 'a' } })).rejects.toThrow('kernel k.inputs.scale: undefined is not a whole number');
  await expect(dispatch({ inputs: { path: 'a', scael: 1, scale: 1 } })).rejects.toThrow('kernel k.inputs.scael does not exist; did you mean scale?');
  await expect(dispatch({ outputs: { sums: -1, wide: 1 } })).rejects.toThrow('kernel k.outputs.sums: -1 is not a count of elements');
  await expect(dispatch({ onError: 'ignore' })).rejects.toThrow('kernel k.onError: "ignore" is not one of throw, return');
});

test('a kernel that must not be replayed is refused where items are replayed', async () => {
  await expect(makeKernel(host({}, 'replay'), { ...definition, replay: false }, settings())).rejects.toThrow('it says replay: false');
});

test('every input type, where it lies and how', () => {
  const inputs = { b: 'bytes', i: 'i32', f: 'f32', u: 'u64', w: 'u32[]' } as const;
  const kernel: KernelDefinition = { name: 'k', source: '', inputs };
  const shifted = new Uint8Array(32).subarray(1, 4).fill(9);
  const words = Uint32Array.of(1, 2);
  const { buffers } = makeBuffers(kernel, { b: shifted, i: -2, f: 0.5, u: 2n ** 63n, w: words }, {});
  expect(buffers.map((buffer) => buffer.byteOffset % 16)).toEqual([0, 0, 0, 0, 0]);
  expect([...buffers[0]!.subarray(0, 3)]).toEqual([9, 9, 9]);
  expect(new Int32Array(buffers[1]!.buffer)[0]).toBe(-2);
  expect(new Float32Array(buffers[2]!.buffer)[0]).toBe(0.5);
  expect(new BigUint64Array(buffers[3]!.buffer)[0]).toBe(2n ** 63n);
  expect(buffers[4]!.buffer).toBe(words.buffer); // not copied
  expect(() => makeBuffers(kernel, { b: shifted, i: 2 ** 31, f: 0, u: 0, w: words }, {})).toThrow('kernel k.inputs.i: 2147483648 is not');
  expect(() => makeBuffers(kernel, { b: shifted, i: 0, f: 0, u: 0, w: [1] }, {})).toThrow('kernel k.inputs.w: [1] is not a Uint32Array');
});
