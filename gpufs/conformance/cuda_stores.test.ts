// Files in tmpfs, whose dirty lines a GPU stores where they lie: the bytes are the same, and nobody on the host is asked for them.
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firstDifference, pattern, results, runWarp, runWarps, times, useFixture } from './fixture.ts';
import { fsync, open, read, truncate, write } from './operations.ts';
import { mountOnTestDevice, testDevice } from './test_device.ts';

const TMPFS = '/dev/shm';
const TMPFS_MAGIC = 0x01021994;
const LINE_BYTES = 4096;
const ROUNDS_MAX = 20;

function obstacle(): string | undefined {
  if (testDevice !== 'cuda') return 'it is about GPUs of NVIDIA: npm run test:cuda';
  return existsSync(TMPFS) && statfsSync(TMPFS).type === TMPFS_MAGIC ? undefined : `there is no tmpfs at ${TMPFS}`;
}
const missing = obstacle();

describe.skipIf(missing !== undefined)(missing === undefined ? 'stores into files' : `SKIP ${missing}`, () => {
  const fixture = useFixture(mountOnTestDevice);
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(TMPFS, 'warpfs-stores-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** Of a file in tmpfs, which stays open, so that it keeps its windows. */
  async function settled(name: string, bytes: Uint8Array, lines: number) {
    writeFileSync(join(root, name), bytes);
    const fs = await fixture.mounted({ root, fill: 'map', cache: { lines, lineBytes: LINE_BYTES } });
    for (let round = 0; round < ROUNDS_MAX && !fs.describe().fill.includes('of these written'); round++) {
      expect(results(await runWarp(fs, open(name, 'r+'), write(0, bytes.subarray(0, 100)), fsync()))).toEqual([expect.any(Number), 100, 0]);
    }
    expect(fs.describe().fill).toContain('of these written');
    return fs;
  }

  test('whole lines, ranges and bytes apart, of many warps that all sync, without a write-back of the host', async () => {
    const [warps, lines] = [256, 4];
    const wanted = pattern(warps * lines * LINE_BYTES);
    const fs = await settled('a.bin', wanted, 2 * warps * lines);
    const pieces: [at: number, length: number][] = [[0, LINE_BYTES], [LINE_BYTES + 4, 1], [LINE_BYTES + 104, 33], [2 * LINE_BYTES + 1, LINE_BYTES + 5]];
    for (let round = 1; round <= 3; round++) {
      const programs = times(warps, (warp) => [
        open('a.bin', 'r+'),
        ...pieces.map(([at, length], piece) => {
          const data = pattern(length, round * 1000 + warp * 5 + piece);
          wanted.set(data, warp * lines * LINE_BYTES + at);
          return write(warp * lines * LINE_BYTES + at, data);
        }),
        fsync(),
      ]);
      const before = fs.stats();
      for (const steps of await runWarps(fs, programs)) expect(results(steps).slice(1)).toEqual([...pieces.map(([, length]) => length), 0]);
      expect(firstDifference(new Uint8Array(readFileSync(join(root, 'a.bin'))), wanted)).toBeUndefined();
      const after = fs.stats();
      expect(after.writeBacks - before.writeBacks).toBeGreaterThanOrEqual(warps * lines);
      // An open and a sync of each warp, and perhaps one line whose older bytes had to go first.
      expect(after.requests - before.requests).toBeLessThan(warps * lines);
    }
    await fs.unmount();
  });

  test('the time of the file moves with a sync, and what was stored is evicted and read again', async () => {
    const bytes = pattern(64 * LINE_BYTES, 7);
    const fs = await settled('b.bin', bytes, 16);
    const before = statSync(join(root, 'b.bin')).mtimeMs;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const data = pattern(LINE_BYTES, 99);
    await runWarp(fs, open('b.bin', 'r+'), write(5 * LINE_BYTES, data), fsync(), read(20 * LINE_BYTES, 40 * LINE_BYTES));
    const seen = await runWarp(fs, open('b.bin', 'r+'), read(5 * LINE_BYTES, LINE_BYTES));
    expect(seen[1]).toMatchObject({ data });
    expect(statSync(join(root, 'b.bin')).mtimeMs).toBeGreaterThan(before);
    await fs.unmount();
  });

  test('a truncation beside stores cuts the file off', async () => {
    const bytes = pattern(64 * LINE_BYTES, 3);
    const fs = await settled('c.bin', bytes, 128);
    const programs = times(32, (warp) => (warp === 9 ? [open('c.bin', 'r+'), truncate(8 * LINE_BYTES)] : [open('c.bin', 'r+'), write(2 * warp * LINE_BYTES, bytes.subarray(0, 1)), fsync()]));
    for (const steps of await runWarps(fs, programs)) expect(results(steps).at(-1)).toBe(0);
    await runWarp(fs, open('c.bin', 'r+'), truncate(0), fsync());
    expect(statSync(join(root, 'c.bin')).size).toBe(0);
    await fs.unmount();
  });

  test('no sync of a file that somebody else has cut off', async () => {
    const fs = await settled('d.bin', pattern(64 * LINE_BYTES), 128);
    truncateSync(join(root, 'd.bin'), LINE_BYTES);
    expect(results(await runWarp(fs, open('d.bin', 'r+'), write(9 * LINE_BYTES, pattern(10)), fsync())).at(-1)).toBe(-5);
    await expect(fs.unmount({ discard: true })).rejects.toThrow();
  });
});
