import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { ProgramResult } from '../native/abi/abi.ts';
import { type BindingForTests, bindingForTests } from './binding_for_tests.ts';
import { type Mount, mountWith } from './mount.ts';
import { bindingCandidates, loadBindingFrom } from './native_binding.ts';
import type { MountOptions } from './options.ts';

async function mounted(options: Partial<MountOptions> = {}): Promise<{ fs: Mount; binding: BindingForTests }> {
  const binding = bindingForTests();
  return { fs: await mountWith(() => binding, { root: tmpdir(), ...options }), binding };
}

test('programs read back what programs wrote', async () => {
  const { fs, binding } = await mounted();
  binding.files.set('a.bin', Uint8Array.from({ length: 100 }, (_, index) => index));
  const [[opened, read, short, stat], [, written, async, waited, missing]] = await fs.run([
    [
      { op: 'open', path: 'a.bin', mode: 'r' },
      { op: 'read', file: 0, offset: 10, length: 4 },
      { op: 'read', file: 0, offset: 98, length: 4096 },
      { op: 'stat', file: 0 },
    ],
    [
      { op: 'open', path: 'b.bin', mode: 'w+' },
      { op: 'write', file: 0, offset: 2, data: Uint8Array.of(5, 6) },
      { op: 'read_async', file: 0, offset: 0, length: 16 },
      { op: 'wait', ticket: 2 },
      { op: 'open', path: 'none', mode: 'r' },
    ],
  ]);
  expect(opened.result).toBe(0);
  expect([...read.data]).toEqual([10, 11, 12, 13]);
  expect(read.nanoseconds).toBe(7);
  expect([short.result, ...short.data]).toEqual([2, 98, 99]);
  expect(stat.sizeBytes).toBe(100);
  expect(written.result).toBe(2);
  expect(waited.result).toBe(4);
  expect([...waited.data!]).toEqual([0, 0, 5, 6]);
  expect([...async.data]).toEqual([0, 0, 5, 6]);
  expect(missing.result).toBe(-2);
  await fs.unmount();
});

test('the options as the addon sees them, and the device that was chosen', async () => {
  const { fs, binding } = await mounted({ cache: { lines: 64, policy: 'fifo' }, residentWarps: 16, timeoutMs: 5 });
  expect(binding.configs[0]).toMatchObject({ lineCount: 64, lineBytes: 4096, policy: 1, slotCount: 16, waitMs: 5, workers: 2, io: 'auto' });
  expect(fs.device).toMatchObject({ name: 'cpu', wait: 'spin', residentWarps: 16 });
  expect(fs.device.notTaken.map((device) => device.name)).toEqual(['metal', 'cuda']);
  expect(fs.stats()).toMatchObject({ hits: 0, misses: 1, bytesWritten: 11 });
  await expect(mounted({ device: 'cuda' })).rejects.toMatchObject({ code: 'ERR_WARPFS_DEVICE' });
});

test('a mount with check passes its options on, and a finding is an error with its report', async () => {
  const { fs, binding } = await mounted({ check: { seed: 7, memory: 'relaxed' } });
  expect(binding.configs[0]).toMatchObject({ lineCount: 64, slotCount: 8, fileCount: 64, workers: 1, check: { seed: 7, memory: 'relaxed', module: '', mutant: 0 } });
  expect(fs.device.name).toBe('cpu');
  await fs.run([[{ op: 'compute', steps: 1 }]]);
  const finding = { kind: 'race', message: 'two writes to byte 3', schedule: 0, actors: [], decisions: Uint32Array.of(0, 1, 0, 1), traceHash: '00000000000000aa' };
  binding.answer = () => ({ finding });
  const failed = fs.run([[{ op: 'compute', steps: 1 }]]);
  await expect(failed).rejects.toMatchObject({ code: 'ERR_WARPFS_CHECK', finding });
  await expect(failed).rejects.toThrow(/^\[warpfs\] run: race: two writes to byte 3\n {2}seed 7, schedule 0: 1 switch, trace 00000000000000aa\n {2}again: the same calls/);
  expect((await mounted()).binding.configs[0]).not.toHaveProperty('check');
});

test('a barrier with more warps than can be resident is refused before the dispatch, with the limit', async () => {
  const { fs, binding } = await mounted({ residentWarps: 2 });
  const program = [{ op: 'barrier' }] as const;
  await fs.run([program, program]);
  expect(binding.dispatches[0]?.allResident).toBe(true);
  await expect(fs.run([program, program, program])).rejects.toMatchObject({
    code: 'ERR_WARPFS_RESIDENT',
    message: '[warpfs] run: 3 warps wait for each other, and 2 can be resident at once (option residentWarps)',
  });
  expect(binding.dispatches.length).toBe(1);
  const replay = await mounted({ residentWarps: 2, wait: 'replay' });
  await expect(replay.fs.run([program, program, program])).rejects.toMatchObject({ code: 'ERR_WARPFS_RESIDENT' });
});

test('unmount waits for what runs, happens once, and ends all further calls', async () => {
  const { fs, binding } = await mounted();
  const order: string[] = [];
  let release = () => {};
  binding.answer = async (dispatch) => {
    await new Promise<void>((resolve) => (release = resolve));
    new DataView(dispatch.buffers[2]!.buffer).setUint32(ProgramResult.done, 1, true);
    order.push('dispatched');
    return {};
  };
  const running = fs.run([[{ op: 'compute', steps: 1 }]]);
  const unmounting = fs.unmount().then(() => order.push('unmounted'));
  await expect(fs.run([[]])).rejects.toMatchObject({ code: 'ERR_WARPFS_UNMOUNTED' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  release();
  await Promise.all([running, unmounting, fs.unmount()]);
  expect(order).toEqual(['dispatched', 'unmounted']);
  expect(() => fs.stats()).toThrow('is unmounted');
});

test('where dirty bytes could not be written unmount rejects, and the mount is used on and unmounted again', async () => {
  const { fs, binding } = await mounted();
  binding.unmountResult = -28;
  const [first, second] = [fs.unmount(), fs.unmount()];
  await expect(first).rejects.toMatchObject({ code: 'ENOSPC' });
  await expect(second).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(binding.unmounts).toEqual([false]);
  fs.stats();
  await fs.run([[{ op: 'compute', steps: 1 }]]);
  await expect(fs.unmount()).rejects.toMatchObject({ code: 'ENOSPC' });
  binding.unmountResult = 0;
  await fs.unmount();
  await fs.unmount();
  expect(binding.unmounts).toEqual([false, false, false]);
  expect(() => fs.stats()).toThrow('is unmounted');
});

test('unmount with discard lets go whatever was lost, and says so once', async () => {
  const { fs, binding } = await mounted();
  binding.unmountResult = -28;
  await expect(fs.unmount({ discard: true })).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(() => fs.stats()).toThrow('is unmounted');
  await fs.unmount();
  expect(binding.unmounts).toEqual([true]);
});

test('a discard while another unmount is under way waits for it, and is only needed where that fails', async () => {
  const failing = await mounted();
  failing.binding.unmountResult = -28;
  const [kept, discarded] = [failing.fs.unmount(), failing.fs.unmount({ discard: true })];
  await expect(kept).rejects.toMatchObject({ code: 'ENOSPC' });
  await expect(discarded).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(failing.binding.unmounts).toEqual([false, true]);
  expect(() => failing.fs.stats()).toThrow('is unmounted');
  const fine = await mounted();
  await Promise.all([fine.fs.unmount(), fine.fs.unmount({ discard: true })]);
  expect(fine.binding.unmounts).toEqual([false]);
});

test('await using unmounts', async () => {
  const { fs } = await mounted();
  {
    await using scoped = fs;
    scoped.stats();
  }
  expect(() => fs.stats()).toThrow('is unmounted');
});

test('await using lets go also where bytes could not be written, and rejects', async () => {
  const { fs, binding } = await mounted();
  const scope = async () => {
    await using scoped = fs;
    binding.unmountResult = -28;
    return scoped.stats();
  };
  await expect(scope()).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(binding.unmounts).toEqual([false, true]);
  expect(() => fs.stats()).toThrow('is unmounted');
});

test('a warp that could not go on is an error of the run', async () => {
  const { fs, binding } = await mounted();
  binding.answer = () => ({ failedItems: 1, failures: [{ item: 0, errno: 110 }] });
  await expect(fs.run([[{ op: 'compute', steps: 1 }]])).rejects.toMatchObject({
    code: 'ERR_WARPFS_DISPATCH',
    message: '[warpfs] run: program[0][0] was not reached: 1 of 1 items failed; first: item 0: ETIMEDOUT the wait exceeded its bound',
    failures: [{ item: 0, errno: 'ETIMEDOUT' }],
  });
});

test('what the addon throws keeps its code', async () => {
  const { fs, binding } = await mounted();
  binding.answer = () => {
    throw Object.assign(new Error('no memory for that'), { code: 'ENOMEM' });
  };
  await expect(fs.run([[]])).rejects.toMatchObject({ name: 'WarpfsError', code: 'ENOMEM', message: '[warpfs] run: ENOMEM no memory for that' });
});

test('the loader tries each place and says what was wrong with each', () => {
  expect(bindingCandidates({}).map((path) => path.split('/').slice(-3).join('/'))).toEqual([
    'build/RelWithDebInfo/warpfs.node', 'build/Release/warpfs.node',
  ]);
  expect(bindingCandidates({ WARPFS_NATIVE: '/x/y.node' })).toEqual(['/x/y.node']);
  const load = (path: string) => {
    if (path === 'old') return { abiHash: () => 1 };
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  };
  expect(() => loadBindingFrom(['none', 'old'], load)).toThrow(
    /none: no such file\n  old: built from another schema \(its ABI hash is 0x00000001, this version needs 0x[0-9a-f]{8}\)\nFix: npm run build:native/,
  );
});
