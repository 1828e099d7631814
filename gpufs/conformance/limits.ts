import { closeSync, existsSync, ftruncateSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, times } from './fixture.ts';
import { barrier, close, compute, failed, fsync, open, prefetch, read, stat, write } from './operations.ts';

const TWO_TIB = 2n ** 41n;
const LAST_OFFSET = 2n ** 63n - 1n;
const TICK_MS = 5;
const THREADS = '/proc/self/task';

/** False where the file system cannot hold such a file. */
function makeSparse(path: string, bytes: number): boolean {
  const fd = openSync(path, 'w+');
  try {
    ftruncateSync(fd, bytes);
    return true;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

function hostBytes(path: string, offset: bigint, length: number): Uint8Array {
  const fd = openSync(path, 'r');
  const bytes = new Uint8Array(length);
  readSync(fd, bytes, 0, length, offset);
  closeSync(fd);
  return bytes;
}

export function describeLimits(fixture: Fixture): void {
  describe('geometries', () => {
    test.each([
      [1, 512], [1, 65536], [2, 1024], [32, 2048], [33, 4096], [33, 512], [65, 8192], [16, 16384], [7, 32768], [33, 65536],
    ])('%i lines of %i bytes', async (lines, lineBytes) => {
      const size = 3 * 65536 + 777;
      const content = pattern(size);
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ cache: { lines, lineBytes } });
      const share = Math.ceil(size / 6);
      const warps = await runWarps(
        fs,
        times(6, (warp) => [
          open('a.bin', 'r+'),
          read(warp * share, share),
          barrier,
          write(warp * share + 3, pattern(1000, 2)),
          write(warp * share + 20_000, pattern(lineBytes * 2, 3).subarray(0, 9000)),
          barrier,
          read(0, size),
          close(),
        ]),
      );
      const after = Uint8Array.from(content);
      for (const warp of times(6, (index) => index)) {
        after.set(pattern(1000, 2), warp * share + 3);
        after.set(pattern(lineBytes * 2, 3).subarray(0, 9000), warp * share + 20_000);
      }
      warps.forEach((steps, warp) => {
        expect(firstDifference(dataOf(steps, 1), content.subarray(warp * share, (warp + 1) * share)), `warp ${warp}`).toBeUndefined();
        expect(firstDifference(dataOf(steps, 6), after), `warp ${warp} after`).toBeUndefined();
      });
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });

    test('a ring of one slot, for 32 warps', async () => {
      const content = pattern(32 * 3000);
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ ring: { count: 1, slots: 1 }, cache: { lines: 8, lineBytes: 1024 } });
      const warps = await runWarps(
        fs,
        times(32, (warp) => [open('a.bin', 'r+'), read(warp * 3000, 3000), write(warp * 3000, pattern(1500, 1)), fsync(), close()]),
      );
      warps.forEach((steps, warp) => {
        expect(results(steps).slice(1)).toEqual([3000, 1500, 0, 0]);
        expect(firstDifference(dataOf(steps, 1), content.subarray(warp * 3000, (warp + 1) * 3000))).toBeUndefined();
      });
    });

    test('several rings, several daemon threads, several workers', async () => {
      const content = pattern(64 * 2000);
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ ring: { count: 8, slots: 2 }, daemon: { threads: 4 }, workers: 5, cache: { lines: 40, lineBytes: 512 } });
      const warps = await runWarps(fs, times(64, (warp) => [open('a.bin', 'r+'), read(warp * 2000, 2000), write(warp * 2000, pattern(900, 3)), close()]));
      warps.forEach((steps, warp) => expect(firstDifference(dataOf(steps, 1), content.subarray(warp * 2000, (warp + 1) * 2000))).toBeUndefined());
      for (const warp of times(64, (index) => index)) content.set(pattern(900, 3), warp * 2000);
      expect(firstDifference(fixture.bytes('a.bin'), content)).toBeUndefined();
    });

    test('200 warps over a cache of one line: reads go past it', async () => {
      const content = pattern(200 * 512);
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ cache: { lines: 1, lineBytes: 512 } });
      const warps = await runWarps(fs, times(200, (warp) => [open('a.bin'), barrier, read(warp * 512, 512), close()]));
      warps.forEach((steps, warp) => expect(firstDifference(dataOf(steps, 2), content.subarray(warp * 512, (warp + 1) * 512))).toBeUndefined());
      expect(fs.stats().bypasses).toBeGreaterThan(0);
    });

    test('200 warps write through a cache of one line', async () => {
      fixture.write('a.bin', new Uint8Array(200 * 100));
      const fs = await fixture.mounted({ cache: { lines: 1, lineBytes: 512 } });
      const warps = await runWarps(fs, times(200, (warp) => [open('a.bin', 'r+'), write(warp * 100, pattern(100, 0, warp * 100)), close()]));
      for (const steps of warps) expect(results(steps).slice(1)).toEqual([100, 0]);
      expect(firstDifference(fixture.bytes('a.bin'), pattern(200 * 100))).toBeUndefined();
    });
  });

  describe('limits', () => {
    test('offsets beyond 2 TiB', async ({ skip }) => {
      const path = fixture.path('sparse');
      if (!makeSparse(path, Number(TWO_TIB) + 100_000)) skip('the file system holds no file of 2 TiB');
      const fd = openSync(path, 'r+');
      writeSync(fd, pattern(5000), 0, 5000, Number(TWO_TIB) - 2500);
      closeSync(fd);
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('sparse', 'r+'), read(TWO_TIB - 2500n, 5000), stat(), write(TWO_TIB + 50_001n, pattern(6000, 4)), read(TWO_TIB + 50_000n, 6002),
        read(Number(TWO_TIB) + 99_990, 100), close(),
      );
      expect(results(steps).slice(1)).toEqual([5000, 0, 6000, 6002, 10, 0]);
      expect(resultOf(steps, 2).sizeBytes).toBe(Number(TWO_TIB) + 100_000);
      expect(firstDifference(dataOf(steps, 1), pattern(5000))).toBeUndefined();
      expect(firstDifference(dataOf(steps, 4).subarray(1, 6001), pattern(6000, 4))).toBeUndefined();
      expect(firstDifference(hostBytes(path, TWO_TIB + 50_001n, 6000), pattern(6000, 4))).toBeUndefined();
    });

    test('pages whose numbers differ by a multiple of 2^32 are different pages', async ({ skip }) => {
      const far = 2n ** 32n * 512n; // page 2^32
      if (!makeSparse(fixture.path('sparse'), Number(far) + 512)) skip('the file system holds no file of 2 TiB');
      const fs = await fixture.mounted({ cache: { lines: 32, lineBytes: 512 } });
      const steps = await runWarp(fs, open('sparse', 'r+'), write(0, pattern(512, 1)), write(far, pattern(512, 2)), read(0, 512), read(far, 512), close());
      expect(firstDifference(dataOf(steps, 3), pattern(512, 1))).toBeUndefined();
      expect(firstDifference(dataOf(steps, 4), pattern(512, 2))).toBeUndefined();
    });

    test('a range that ends beyond 2^63 is EOVERFLOW', async () => {
      fixture.write('a.bin', pattern(100));
      const fs = await fixture.mounted();
      const steps = await runWarp(
        fs, open('a.bin', 'r+'), read(LAST_OFFSET, 1), write(LAST_OFFSET - 3n, pattern(5)), prefetch(LAST_OFFSET, 4096), read(LAST_OFFSET - 5n, 5),
        read(0, 100), stat(),
      );
      expect(results(steps).slice(1)).toEqual([failed('EOVERFLOW'), failed('EOVERFLOW'), failed('EOVERFLOW'), 0, 100, 0]);
      expect(resultOf(steps, 6).sizeBytes).toBe(100);
    });

    test('bytes that the host cannot store are reported by fsync and unmount, and other files go on', async () => {
      fixture.write('a.bin', pattern(100));
      fixture.write('b.bin', pattern(100));
      const fs = await fixture.mounted();
      const [broken, fine] = await runWarps(fs, [
        [open('a.bin', 'r+'), write(LAST_OFFSET - 8192n, pattern(10)), fsync()],
        [open('b.bin', 'r+'), write(0, pattern(50, 2)), fsync(), read(0, 100), close()],
      ]);
      expect([resultOf(broken, 1).result, resultOf(broken, 2).result]).toContain(failed('EFBIG'));
      expect(results(fine ?? []).slice(1)).toEqual([50, 0, 100, 0]);
      expect(firstDifference(fixture.bytes('b.bin').subarray(0, 50), pattern(50, 2))).toBeUndefined();
      if (resultOf(broken, 1).result > 0) await expect(fs.unmount()).rejects.toMatchObject({ code: 'EFBIG' });
    });

    test.skipIf(!existsSync(THREADS))('a failed unmount leaves everything usable, and with discard it lets go of its threads', async () => {
      fixture.write('a.bin', pattern(100));
      await (await fixture.mounted()).unmount(); // what the first mount of a process starts for good
      const before = readdirSync(THREADS).length;
      const fs = await fixture.mounted();
      await runWarp(fs, open('a.bin', 'r+'), write(LAST_OFFSET - 8192n, pattern(10)));
      await expect(fs.unmount()).rejects.toMatchObject({ code: 'EFBIG' });
      expect(firstDifference(dataOf(await runWarp(fs, open('a.bin'), read(0, 100), close()), 1), pattern(100))).toBeUndefined();
      await expect(fs.unmount({ discard: true })).rejects.toMatchObject({ code: 'EFBIG' });
      await expect.poll(() => readdirSync(THREADS).length, { timeout: 500 }).toBeLessThanOrEqual(before);
    });

    test('errors in one warp do not disturb others', async () => {
      const content = pattern(50_000);
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ cache: { lines: 8 } });
      const warps = await runWarps(
        fs,
        times(32, (warp) =>
          warp % 2 === 0
            ? [open('a.bin'), barrier, read(warp * 1000, 5000), close()]
            : [open('../out'), barrier, read(0, 10), write(0, pattern(10)), fsync(), open('a.bin'), write(0, pattern(10), 1), read(LAST_OFFSET, 9, 1), close(1)],
        ),
      );
      warps.forEach((steps, warp) => {
        if (warp % 2 === 0) expect(firstDifference(dataOf(steps, 2), content.subarray(warp * 1000, warp * 1000 + 5000))).toBeUndefined();
        else expect(results(steps).slice(6)).toEqual([failed('EBADF'), failed('EOVERFLOW'), 0]);
      });
      await fs.unmount();
      expect(firstDifference(fixture.bytes('a.bin'), content)).toBeUndefined();
    });

    test('the main thread is not blocked by a long dispatch', async () => {
      const fs = await fixture.mounted();
      let ticks = 0;
      const timer = setInterval(() => ticks++, TICK_MS);
      let nanoseconds = 0;
      // Devices differ much in how fast one lane is.
      for (let steps = 4_000_000; nanoseconds <= TICK_MS * 1e6; steps *= 4) {
        ticks = 0;
        await fs.run([[compute(steps)]], { onReport: (report) => (nanoseconds = report.nanoseconds) });
      }
      clearInterval(timer);
      // A quarter of the ticks that an idle machine would see: others may use its cores.
      expect(ticks).toBeGreaterThanOrEqual(Math.max(1, Math.floor(nanoseconds / 1e6 / TICK_MS / 4)));
    });

    test('calls at the same time wait for each other', async () => {
      fixture.write('a.bin', pattern(8192));
      const fs = await fixture.mounted();
      const runs = await Promise.all(times(10, (index) => runWarp(fs, open('a.bin'), read(index * 100, 100), close())));
      runs.forEach((steps, index) => expect(firstDifference(dataOf(steps, 1), pattern(100, 0, index * 100))).toBeUndefined());
    });
  });
}
