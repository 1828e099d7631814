// A cache of 8 GiB of address space: line indices times line bytes pass 2^32. Only what is used of it takes memory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { firstWrongByte, makeDataFile } from '../bench/data_set.ts';
import { nativePresence } from './native_device.ts';
import { mountOnTestDevice } from './test_device.ts';

const root = mkdtempSync(join(tmpdir(), 'warpfs-large-cache-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const { missing } = nativePresence();
const skipped = missing === undefined ? '' : ` SKIP ${missing}`;

test.skipIf(missing !== undefined)(`lines beyond 4 GiB of line data keep their bytes apart${skipped}`, async () => {
  const pages = 65_536; // one in each set of 32 lines, so that the last sets lie near 8 GiB
  await makeDataFile(join(root, 'data.bin'), pages * 4096, 3);
  await using fs = await mountOnTestDevice({ root, cache: { lines: 2 ** 21, lineBytes: 4096 } });
  const offsets = Array.from({ length: 512 }, (_, index) => index * 128 * 4096);
  for (const round of ['filled', 'found']) {
    const [results] = await fs.run([
      [{ op: 'open', path: 'data.bin', mode: 'r' }, ...offsets.map((offset) => ({ op: 'read' as const, file: 0, offset, length: 4096 }))],
    ]);
    offsets.forEach((offset, index) => {
      const read = results?.[index + 1];
      expect(read?.result, `${round} at ${offset}`).toBe(4096);
      expect(firstWrongByte((read as { data: Uint8Array }).data, offset, 3), `${round} at ${offset}`).toBe(-1);
    });
  }
  expect(fs.stats()).toMatchObject({ misses: 512, hits: 512, evictions: 0 });
});
