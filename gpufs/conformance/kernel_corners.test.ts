// What only a kernel can ask for: handles that it keeps across dispatches, and arguments that no program may have.
import { describe, expect, test } from 'vitest';
import type { WaitName } from '../options.ts';
import { dataOf, pattern, runWarp, times, useFixture } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { close, failed, open, read } from './operations.ts';
import { kernelsMissing, mountOnTestDevice } from './test_device.ts';

const missing = nativePresence().missing ?? kernelsMissing();
const GENERATIONS = 60;

const openOne = {
  name: 'open_one',
  inputs: { path: 'string' },
  outputs: { handle: 'i32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDWR));
    if (lane.index == 0) handle[item] = file;`,
} as const;

const closeOne = {
  name: 'close_one',
  inputs: { file: 'i32' },
  outputs: { closed: 'i32[]' },
  source: `
    WARPFS_TRY(int result, gclose(fs, file));
    if (lane.index == 0) closed[item] = result;`,
} as const;

/** Each item tries one handle in every call that takes one. */
const tryStale = {
  name: 'try_stale',
  inputs: { files: 'i32[]' },
  outputs: { answers: 'i32[]', room: 'u8[]' },
  source: `
    int file = files[item];
    uchar* mine = room + item * 64;
    WARPFS_TRY(int got, gread(fs, file, 0, 16, mine));
    WARPFS_TRY(int put, gwrite(fs, file, 0, 16, mine + 32));
    WARPFS_TRY(int synced, gfsync(fs, file));
    WARPFS_TRY(int cut, gftruncate(fs, file, 0));
    Map map;
    WARPFS_TRY(int mapped, gmmap(fs, file, 0, 16, WARPFS_RDWR, map));
    WARPFS_TRY(int closed, gclose(fs, file));
    if (lane.index == 0) {
      int* mine_too = answers + item * 6;
      mine_too[0] = got; mine_too[1] = put; mine_too[2] = synced; mine_too[3] = cut; mine_too[4] = mapped; mine_too[5] = closed;
    }`,
} as const;

const tryOffsets = {
  name: 'try_offsets',
  inputs: { path: 'string' },
  outputs: { answers: 'i32[]', room: 'u8[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDWR));
    if (file < 0) return file;
    const ulong offset = item == 0 ? ~(ulong)0 : item == 1 ? (ulong)1 << 63 : item == 2 ? ((ulong)1 << 63) - 8 : ~(ulong)0 - 15;
    uchar* mine = room + item * 64;
    WARPFS_TRY(int got, gread(fs, file, offset, 16, mine));
    WARPFS_TRY(int put, gwrite(fs, file, offset, 16, mine + 32));
    WARPFS_TRY(int hint, gprefetch(fs, file, offset, 16));
    WARPFS_TRY(int cut, gftruncate(fs, file, offset + (item == 2 ? 8 : 0)));
    Map map;
    WARPFS_TRY(int mapped, gmmap(fs, file, offset, 16, WARPFS_RDWR, map));
    if (lane.index == 0) {
      int* mine_too = answers + item * 5;
      mine_too[0] = got; mine_too[1] = put; mine_too[2] = hint; mine_too[3] = cut; mine_too[4] = mapped;
    }
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;`,
} as const;

for (const wait of ['spin', 'replay'] as const satisfies readonly WaitName[]) {
  describe.skipIf(missing !== undefined)(missing === undefined ? `kernels, wait ${wait}` : `SKIP ${missing}`, () => {
    const fixture = useFixture((options) => mountOnTestDevice({ ...options, wait }));

    test('a stale handle is EBADF in every call, and never a handle of the file that took its place', async () => {
      fixture.write('old', pattern(100, 1));
      fixture.write('new', pattern(100, 2));
      const fs = await fixture.mounted({ maxOpenFiles: 1 });
      const [opener, closer, trier] = [await fs.kernel(openOne), await fs.kernel(closeOne), await fs.kernel(tryStale)];
      const stale: number[] = [];
      // The table has one place, so each of them was the handle of that place.
      for (const turn of times(GENERATIONS, (index) => index)) {
        const { handle } = await opener.dispatch({ items: 1, inputs: { path: turn % 2 === 0 ? 'old' : 'new' }, outputs: { handle: 1 } });
        const file = handle[0] ?? -1;
        expect(file).toBeGreaterThanOrEqual(0);
        stale.push(file);
        const { closed } = await closer.dispatch({ items: 1, inputs: { file }, outputs: { closed: 1 } });
        expect(closed[0]).toBe(0);
      }
      expect(new Set(stale).size).toBe(GENERATIONS);
      // A handle belongs to its file, so the last one would be good again for the file that it was of.
      const { handle } = await opener.dispatch({ items: 1, inputs: { path: 'old' }, outputs: { handle: 1 } });
      const { answers } = await trier.dispatch({ items: GENERATIONS, inputs: { files: Int32Array.from(stale) }, outputs: { answers: GENERATIONS * 6, room: GENERATIONS * 64 } });
      expect([...answers]).toEqual(times(GENERATIONS * 6, () => failed('EBADF')));
      await closer.dispatch({ items: 1, inputs: { file: handle[0] ?? -1 }, outputs: { closed: 1 } });
      await fs.unmount();
      expect([...fixture.bytes('old')]).toEqual([...pattern(100, 1)]);
      expect([...fixture.bytes('new')]).toEqual([...pattern(100, 2)]);
    });

    test('offsets up to UINT64 overflow, and change nothing', async () => {
      fixture.write('a.bin', pattern(100));
      const fs = await fixture.mounted();
      const kernel = await fs.kernel(tryOffsets);
      const { answers } = await kernel.dispatch({ items: 4, inputs: { path: 'a.bin' }, outputs: { answers: 20, room: 256 } });
      for (const item of times(4, (index) => index)) {
        const [got, put, hint, cut, mapped] = answers.subarray(item * 5, item * 5 + 5);
        expect([got, hint], `item ${item}`).toEqual([failed('EOVERFLOW'), failed('EOVERFLOW')]);
        expect([failed('EOVERFLOW'), failed('EFBIG')], `item ${item}`).toContain(put);
        expect(cut, `item ${item}`).toBe(failed('EFBIG'));
        expect([failed('EOVERFLOW'), failed('EINVAL')], `item ${item}`).toContain(mapped);
      }
      expect([...dataOf(await runWarp(fs, open('a.bin'), read(0, 200), close()), 1)]).toEqual([...pattern(100)]);
    });
  });
}
