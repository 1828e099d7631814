// Files that Metal reads: on the metal device alone, and by pread where Metal cannot be given the very file that is open.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nativePresence } from './native_device.ts';
import { mountOnTestDevice, testDevice } from './test_device.ts';

const { missing } = nativePresence();
const LINE = 4096;

describe.skipIf(missing !== undefined)(missing === undefined ? `io mtlio, ${testDevice}` : `SKIP ${missing}`, () => {
  let root: string;
  const bytes = Uint8Array.from({ length: 40 * LINE + 100 }, (_, index) => (index * 13) % 251);
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'warpfs-mtlio-'));
    writeFileSync(join(root, 'a.bin'), bytes);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const open = { op: 'open', path: 'a.bin', mode: 'r' } as const;
  const read = (page: number, length = 2 * LINE) => ({ op: 'read', file: 0, offset: page * LINE, length }) as const;
  const mtlio = () => mountOnTestDevice({ root, cache: { lines: 32 }, daemon: { io: 'mtlio', threads: 2 } });

  test.skipIf(testDevice === 'metal')('is refused anywhere else than on the metal device', async () => {
    await expect(mtlio()).rejects.toThrow(`option daemon.io: "mtlio" does not go with the ${testDevice} device`);
  });

  test.runIf(testDevice === 'metal')('Metal reads everything, and the end of the file is left to pread', async () => {
    await using fs = await mtlio();
    expect(fs.describe()).toMatchObject({ engine: 'mtlio', engineNote: '' });
    const results = await fs.run(Array.from({ length: 21 }, (_, warp) => [open, read(2 * warp)] as const));
    for (const [warp, [, got]] of results.entries()) expect(Buffer.compare(got.data, bytes.subarray(2 * warp * LINE, (2 * warp + 2) * LINE))).toBe(0);
    expect(fs.describe().engineNote).toBe('');
  });

  test.runIf(testDevice === 'metal')('a file whose name is gone is read by pread, and the mount says so', async () => {
    await using fs = await mtlio();
    const [[, unlinked, got]] = await fs.run([[open, { op: 'unlink', path: 'a.bin' }, read(20)]]);
    expect([unlinked.result, got.result]).toEqual([0, 2 * LINE]);
    expect(Buffer.compare(got.data, bytes.subarray(20 * LINE, 22 * LINE))).toBe(0);
    expect(fs.describe().engineNote).toMatch(/^1 times pread reads a file: the last because .* another file than the one that is open$/);
  });
});
