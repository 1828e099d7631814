import { truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, SMALL_CACHE, times } from './fixture.ts';
import { barrier, close, compute, failed, open, prefetch, read, readAsync, stat, wait, write } from './operations.ts';

const FILE_BYTES = 5 * 4096 + 1000;
const content = pattern(FILE_BYTES);

export function describeReads(fixture: Fixture): void {
  describe('reads', () => {
    test.each([
      ['a whole page', 4096, 4096],
      ['a part of a page', 4096 + 100, 200],
      ['unaligned across two pages', 4000, 500],
      ['many pages from an odd byte', 77, 4 * 4096 + 3],
      ['the whole file', 0, FILE_BYTES],
      ['one byte', 12345, 1],
      ['the last byte', FILE_BYTES - 1, 1],
    ])('%s', async (_name, offset, length) => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin'), read(offset, length), close());
      expect(resultOf(steps, 0).result).toBeGreaterThanOrEqual(0);
      expect(results(steps).slice(1)).toEqual([length, 0]);
      expect(firstDifference(dataOf(steps, 1), content.subarray(offset, offset + length))).toBeUndefined();
    });

    test('a read across the end of the file is short, and behind it 0', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin'), read(FILE_BYTES - 10, 4096), read(FILE_BYTES, 10), read(FILE_BYTES + 10 ** 6, 10));
      expect(results(steps).slice(1)).toEqual([10, 0, 0]);
      expect([...dataOf(steps, 1)]).toEqual([...content.subarray(FILE_BYTES - 10)]);
      expect(dataOf(steps, 2).length).toBe(0);
    });

    test('an empty file has nothing to read', async () => {
      fixture.write('empty', new Uint8Array(0));
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('empty'), read(0, 100), stat(), prefetch(0, 100));
      expect(results(steps).slice(1)).toEqual([0, 0, 0]);
      expect(resultOf(steps, 2).sizeBytes).toBe(0);
    });

    test('a read of no bytes is 0 and asks for nothing', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      expect(results(await runWarp(fs, open('a.bin'), read(0, 0), read(FILE_BYTES * 2, 0))).slice(1)).toEqual([0, 0]);
      expect(fs.stats().misses).toBe(0);
    });

    test('holes read as zeros', async () => {
      writeFileSync(fixture.path('hole'), 'head');
      truncateSync(fixture.path('hole'), 3 * 4096 + 5);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('hole'), read(0, 4 * 4096));
      expect(resultOf(steps, 1).result).toBe(3 * 4096 + 5);
      const wanted = new Uint8Array(3 * 4096 + 5);
      wanted.set(Buffer.from('head'));
      expect(firstDifference(dataOf(steps, 1), wanted)).toBeUndefined();
    });

    test('32 KB at once are one request', async () => {
      fixture.write('a.bin', pattern(65536));
      const fs = await fixture.mounted();
      await runWarp(fs, open('a.bin'), close());
      const without = fs.stats().requests;
      const steps = await runWarp(fs, open('a.bin'), read(32768, 32768), close());
      expect(fs.stats().requests - without).toBe(without + 1);
      expect(fs.stats().misses).toBe(8);
      expect(firstDifference(dataOf(steps, 1), pattern(32768, 0, 32768))).toBeUndefined();
    });

    test('a second read of the same bytes hits and asks for nothing', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const once = await runWarp(fs, open('a.bin'), read(0, 8192), close());
      const { misses, requests } = fs.stats();
      const again = await runWarp(fs, open('a.bin'), read(0, 8192), close());
      expect(fs.stats().misses).toBe(misses);
      expect(fs.stats().requests).toBe(requests + 2); // open and close
      expect(firstDifference(dataOf(again, 1), dataOf(once, 1))).toBeUndefined();
    });

    test('misses on one page by 64 warps cause one read of the host', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const warps = await runWarps(fs, times(64, () => [open('a.bin'), barrier, read(4096, 4096), close()]));
      // Each miss is one page in one request; the warps that came second found the line on its way.
      expect(fs.stats().misses).toBe(1);
      for (const steps of warps) expect(firstDifference(dataOf(steps, 2), content.subarray(4096, 8192))).toBeUndefined();
    });

    test('a file of a hundred times the cache is read whole', async () => {
      const large = pattern(100 * 16 * 512);
      fixture.write('large', large);
      const fs = await fixture.mounted({ cache: { lines: 16, lineBytes: 512 } });
      const share = large.length / 8;
      const warps = await runWarps(fs, times(8, (warp) => [open('large'), read(warp * share, share), close()]));
      warps.forEach((steps, warp) => {
        expect(resultOf(steps, 1).result).toBe(share);
        expect(firstDifference(dataOf(steps, 1), large.subarray(warp * share, (warp + 1) * share))).toBeUndefined();
      });
      // Where other warps have all lines pinned, a page goes past the cache.
      const { evictions, bypasses } = fs.stats();
      expect(evictions + bypasses).toBeGreaterThan(1000);
    });

    test('an asynchronous read delivers to its ticket and to whoever waits for it, also twice', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin'), readAsync(100, 9000), compute(100), read(0, 10), wait(1), wait(1));
      expect(results(steps).slice(1)).toEqual([0, 0, 10, 9000, 9000]);
      for (const step of [1, 4, 5]) expect(firstDifference(dataOf(steps, step), content.subarray(100, 9100))).toBeUndefined();
    });

    test('an asynchronous read that nobody waits for leaks nothing', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ cache: { lines: 2 } });
      for (let round = 0; round < 5; round++) {
        const warps = await runWarps(fs, times(8, (warp) => [open('a.bin'), readAsync(warp * 512, 4096), close()]));
        for (const steps of warps) expect(resultOf(steps, 1).result).toBe(0);
      }
      const steps = await runWarp(fs, open('a.bin'), read(0, FILE_BYTES), close());
      expect(firstDifference(dataOf(steps, 1), content)).toBeUndefined();
    });

    test('a wait for a read that failed gives its error', async () => {
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('none'), readAsync(0, 10), wait(1));
      expect(results(steps)).toEqual([failed('ENOENT'), failed('ENOENT'), failed('ENOENT')]);
      expect(dataOf(steps, 1).length).toBe(0);
    });

    test('what was prefetched is hit', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, open('a.bin'), prefetch(0, 4 * 4096), read(0, 4 * 4096));
      expect(results(steps).slice(1)).toEqual([4 * 4096, 4 * 4096]);
      expect(firstDifference(dataOf(steps, 2), content.subarray(0, 4 * 4096))).toBeUndefined();
      expect(fs.stats().misses).toBe(4);
    });

    test('compute takes time and touches no file', async () => {
      const fs = await fixture.mounted();
      const steps = await runWarp(fs, compute(0), compute(10_000));
      expect(results(steps)).toEqual([0, 0]);
      expect(fs.stats().requests).toBe(0);
    });

    test('what one barrier separates is in order for 128 warps', async () => {
      fixture.write('a.bin', new Uint8Array(128 * 64));
      const fs = await fixture.mounted();
      const warps = await runWarps(
        fs,
        times(128, (warp) => [open('a.bin', 'r+'), write(warp * 64, pattern(64, warp)), barrier, read(((warp + 1) % 128) * 64, 64), barrier, compute(1)]),
      );
      warps.forEach((steps, warp) => expect(firstDifference(dataOf(steps, 3), pattern(64, (warp + 1) % 128)), `warp ${warp}`).toBeUndefined());
    });

    test('more warps than are resident run one after the other', async () => {
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ residentWarps: 4, cache: SMALL_CACHE });
      const warps = await runWarps(fs, times(50, (warp) => [open('a.bin'), read(warp * 100, 1000), close()]));
      warps.forEach((steps, warp) => expect(firstDifference(dataOf(steps, 1), content.subarray(warp * 100, warp * 100 + 1000))).toBeUndefined());
    });
  });
}
