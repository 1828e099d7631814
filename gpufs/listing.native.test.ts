// The example of the README, as it stands, on the real addon.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativePresence } from './conformance/native_device.ts';
import { testDevice } from './conformance/test_device.ts';
import { mount } from './index.ts';

const { missing } = nativePresence();

describe.skipIf(missing !== undefined)(missing === undefined ? 'the listing' : `SKIP ${missing}`, () => {
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'warpfs-listing-'));
    writeFileSync(join(root, 'a.bin'), Uint32Array.from({ length: 256 * 1024 }, (_, index) => index));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('programs and kernels', async () => {
    await using fs = await mount({ root, device: 'auto', cache: { lines: 65536, lineBytes: 4096, policy: 'clock' } });
    expect(fs.device.fill).toMatch(fs.device.name === 'cuda' ? /^(map|pull): / : /^the host reads/);
    if (testDevice !== 'cpu') expect(fs.device).toMatchObject({ name: testDevice });

    const [[opened, read]] = await fs.run([[{ op: 'open', path: 'a.bin', mode: 'r' }, { op: 'read', file: 0, offset: 8192, length: 4096 }]]);
    expect(opened.result).toBeGreaterThanOrEqual(0);
    expect(read.result).toBe(4096);
    expect(new DataView(read.data.buffer, read.data.byteOffset).getUint32(0, true)).toBe(2048);

    const sumPages = await fs.kernel({
      name: 'sum_pages',
      inputs: { path: 'string' },
      outputs: { sums: 'u32[]' },
      source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    uint total = 0;
    for (uint word = lane.index; word < 1024; word += lane.count) {
      WARPFS_TRY(uint value, gload<uint>(fs, file, item * 1024 + word));   // by element; lanes on one line share one access
      total += value;
    }
    total = lane.sum(total);
    if (lane.index == 0) sums[item] = total;
    WARPFS_TRY(int closed, gclose(fs, file));
  `,
    });
    const { sums } = await sumPages.dispatch({ items: 256, inputs: { path: 'a.bin' }, outputs: { sums: 256 } });
    expect(sums).toEqual(Uint32Array.from({ length: 256 }, (_, page) => page * 1024 * 1024 + 1023 * 512));
    expect(fs.stats().misses).toBeGreaterThanOrEqual(256);

    // A load past the end is an error of its item, by its index.
    await expect(sumPages.dispatch({ items: 257, inputs: { path: 'a.bin' }, outputs: { sums: 257 } })).rejects.toMatchObject({
      code: 'ERR_WARPFS_DISPATCH',
      failures: [{ item: 256, errno: 'ERANGE' }],
    });
  });

  test('lanes that disagree are told apart by their values', async () => {
    await using fs = await mount({ root, cache: { lines: 64 } });
    const kernel = await fs.kernel({ name: 'disagree', source: 'WARPFS_TRY(int got, gread(fs, lane.index == 4 ? 7 : 5, 0, 4, 0));' });
    await expect(kernel.dispatch({ items: 1 })).rejects.toThrow('lanes of one warp disagree on an argument: 5 and 7');
  });
});
