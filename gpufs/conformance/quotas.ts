// The limits that a mount may be given: how large a file grows, and how many bytes the file does not have yet.
import { describe, expect, test } from 'vitest';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, times } from './fixture.ts';
import { close, failed, map, open, read, stat, truncate, unmap, write, writeAsync, wait } from './operations.ts';

const FILE_MAX = 10_000;

export function describeQuotas(fixture: Fixture): void {
  describe('the size of files', () => {
    test('a write stops at the limit, one behind it is EFBIG, and so is a truncation', async () => {
      fixture.write('a.bin', pattern(9000));
      const fs = await fixture.mounted({ maxFileBytes: FILE_MAX });
      const steps = await runWarp(
        fs, open('a.bin', 'r+'), write(9900, pattern(500, 2)), write(FILE_MAX, pattern(1)), write(FILE_MAX + 5000, pattern(1)), truncate(FILE_MAX + 1), stat(), truncate(FILE_MAX), write(0, pattern(20_000, 3)), stat(),
        writeAsync(FILE_MAX - 1, pattern(2)), wait(9), close(),
      );
      expect(results(steps).slice(1)).toEqual([100, failed('EFBIG'), failed('EFBIG'), failed('EFBIG'), 0, 0, FILE_MAX, 0, 0, 1, 0]);
      for (const step of [5, 8]) expect(resultOf(steps, step).sizeBytes).toBe(FILE_MAX);
      expect(firstDifference(fixture.bytes('a.bin').subarray(0, FILE_MAX - 1), pattern(20_000, 3).subarray(0, FILE_MAX - 1))).toBeUndefined();
      expect(fixture.bytes('a.bin')).toHaveLength(FILE_MAX);
    });

    test('a file that is larger already is read, and written where it is', async () => {
      fixture.write('a.bin', pattern(20_000));
      const fs = await fixture.mounted({ maxFileBytes: FILE_MAX });
      const steps = await runWarp(fs, open('a.bin', 'r+'), read(0, 30_000), write(100, pattern(50, 2)), stat(), truncate(15_000), truncate(5000), stat(), close());
      expect(firstDifference(dataOf(steps, 1), pattern(20_000))).toBeUndefined();
      expect(resultOf(steps, 2).result).toBe(50);
      expect(resultOf(steps, 3).sizeBytes).toBe(20_000);
      expect(resultOf(steps, 5).result).toBe(0);
      expect(resultOf(steps, 6).sizeBytes).toBe(5000);
    });
  });

  describe('bytes that the file does not have yet', () => {
    test('above the limit a write is in the file when it ends', async () => {
      fixture.write('a.bin', new Uint8Array(64 * 4096));
      const fs = await fixture.mounted({ maxDirtyBytes: 4 * 4096 });
      const programs = times(4, (warp) => [open('a.bin', 'r+'), ...times(12, (index) => write((warp * 16 + index) * 4096, pattern(4096, warp * 16 + index)))]);
      for (const steps of await runWarps(fs, programs)) expect(results(steps).slice(1)).toEqual(times(12, () => 4096));
      // Nobody has synced or closed: all but a few are on the host.
      const bytes = fixture.bytes('a.bin');
      const late = times(48, (index) => Math.floor(index / 12) * 16 + (index % 12)).filter((page) => firstDifference(bytes.subarray(page * 4096, (page + 1) * 4096), pattern(4096, page)) !== undefined);
      expect(late.length).toBeLessThanOrEqual(4 + 4); // each warp may be one ahead
      await fs.sync();
      const after = fixture.bytes('a.bin');
      for (const page of late) expect(firstDifference(after.subarray(page * 4096, (page + 1) * 4096), pattern(4096, page))).toBeUndefined();
    });

    test('with room for one line everything still works', async () => {
      fixture.write('a.bin', pattern(40_000));
      const fs = await fixture.mounted({ maxDirtyBytes: 4096 });
      const steps = await runWarp(fs, open('a.bin', 'r+'), write(100, pattern(9000, 2)), map(4096, 50), unmap(2, pattern(50, 3)), write(20_000, pattern(1, 4)), truncate(30_000), read(0, 40_000), close());
      expect(results(steps).slice(1)).toEqual([9000, 50, 0, 1, 0, 30_000, 0]);
      expect(firstDifference(dataOf(steps, 6), fixture.bytes('a.bin'))).toBeUndefined();
    });
  });
}
