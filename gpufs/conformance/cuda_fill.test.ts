// Each way in which bytes of files get to a GPU and back gives the same bytes.
import { describe, expect, test } from 'vitest';
import type { FillName } from '../options.ts';
import { dataOf, firstDifference, pattern, results, runWarps, times, useFixture } from './fixture.ts';
import { fsync, open, read, write } from './operations.ts';
import { mountOnTestDevice, testDevice } from './test_device.ts';

const missing = testDevice === 'cuda' ? undefined : 'it is about GPUs of NVIDIA: npm run test:cuda';
const fills: FillName[] = ['pull', 'push', 'map', 'auto'];

describe.skipIf(missing !== undefined)(missing === undefined ? 'ways to fill lines' : `SKIP ${missing}`, () => {
  const fixture = useFixture(mountOnTestDevice);

  describe.each(fills)('%s', (fill) => {
    test('reads of many warps that push each other out of the cache', async () => {
      const [warps, bytes] = [64, 40_000];
      const file = pattern(warps * bytes);
      fixture.write('a.bin', file);
      const fs = await fixture.mounted({ fill });
      expect(fs.device.fill.startsWith(fill === 'auto' ? 'map: ' : `${fill}: `), fs.device.fill).toBe(true);
      for (let round = 0; round < 3; round++) {
        const done = await runWarps(fs, times(warps, (warp) => [open('a.bin'), read(warp * bytes, bytes)]));
        for (const [warp, steps] of done.entries()) expect(firstDifference(dataOf(steps, 1), file.subarray(warp * bytes, (warp + 1) * bytes))).toBeUndefined();
      }
    });

    test('writes of ranges, of bytes apart and behind the end, with evictions and a sync', async () => {
      const [warps, bytes] = [48, 12_288];
      const before = pattern(warps * bytes - 5000, 1);
      fixture.write('b.bin', before);
      const wanted = new Uint8Array(warps * bytes);
      wanted.set(before);
      const fs = await fixture.mounted({ fill });
      const pieces: [at: number, length: number][] = [[0, 4096], [4100, 1], [4200, 33], [5003, 700], [8192, 4096]];
      const programs = times(warps, (warp) => [
        open('b.bin', 'r+'),
        ...pieces.map(([at, length], piece) => {
          const data = pattern(length, warp + piece + 2);
          wanted.set(data, warp * bytes + at);
          return write(warp * bytes + at, data);
        }),
        fsync(),
      ]);
      for (const steps of await runWarps(fs, programs)) expect(results(steps).slice(1)).toEqual([...pieces.map(([, length]) => length), 0]);
      expect(firstDifference(fixture.bytes('b.bin'), wanted)).toBeUndefined();
      await fs.unmount();
    });

    test('lines of 64 KiB and of 512 bytes, replayed', async () => {
      const file = pattern(1_000_000, 5);
      fixture.write('c.bin', file);
      for (const lineBytes of [512, 65_536]) {
        const fs = await fixture.mounted({ fill, wait: 'replay', cache: { lines: 32, lineBytes } });
        const done = await runWarps(fs, times(10, (warp) => [open('c.bin', 'r+'), read(warp * 100_000, 100_000), write(warp * 100_000 + 7, pattern(1000, warp)), fsync()]));
        for (const [warp, steps] of done.entries()) {
          expect(firstDifference(dataOf(steps, 1), file.subarray(warp * 100_000, (warp + 1) * 100_000))).toBeUndefined();
          file.set(pattern(1000, warp), warp * 100_000 + 7);
        }
        await fs.unmount();
        expect(firstDifference(fixture.bytes('c.bin'), file)).toBeUndefined();
      }
    });
  });
});
