// What goes wrong on a GPU is told, ends one mount, and nothing else.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MountOptions } from '../options.ts';
import { mountOnTestDevice, testDevice } from './test_device.ts';

const missing = testDevice === 'cuda' ? undefined : 'it is about GPUs of NVIDIA: npm run test:cuda';

describe.skipIf(missing !== undefined)(missing === undefined ? 'trouble on a GPU' : `SKIP ${missing}`, () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'warpfs-trouble-'));
    writeFileSync(join(root, 'a.bin'), Buffer.alloc(8192, 7));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const onGpu = (options: Partial<MountOptions> = {}) => mountOnTestDevice({ root, ...options });

  async function expectWorking(): Promise<void> {
    await using fs = await onGpu();
    const [[, read]] = await fs.run([[{ op: 'open', path: 'a.bin', mode: 'r' }, { op: 'read', file: 0, offset: 4096, length: 100 }]]);
    expect([...read.data]).toEqual(Array.from({ length: 100 }, () => 7));
  }

  test('an illegal address ends the mount with a typed error, and a new one works', async () => {
    const fs = await onGpu();
    const kernel = await fs.kernel({ name: 'stray', source: '  uint* nowhere = (uint*)16;\n  nowhere[item] = 1;' });
    await expect(kernel.dispatch({ items: 4 })).rejects.toMatchObject({ name: 'WarpfsError', code: 'EIO', message: expect.stringContaining('ILLEGAL_ADDRESS') });
    await expect(fs.run([[{ op: 'open', path: 'a.bin', mode: 'r' }]])).rejects.toMatchObject({ name: 'WarpfsError', code: 'EIO' });
    await expect(fs.unmount({ discard: true })).rejects.toMatchObject({ name: 'WarpfsError' });
    await expectWorking();
  });

  test('a kernel that never ends is given up after kernelTimeMs, and a new mount works', async () => {
    const fs = await onGpu({ kernelTimeMs: 1500 });
    const kernel = await fs.kernel({
      name: 'endless',
      outputs: { out: 'u32[]' },
      source: '  volatile uint* word = out;\n  while (word[0] != 12345u) { }',
    });
    await expect(kernel.dispatch({ items: 1, outputs: { out: 1 } })).rejects.toMatchObject({ name: 'WarpfsError', code: 'ETIMEDOUT' });
    await expect(fs.unmount({ discard: true })).rejects.toMatchObject({ name: 'WarpfsError' });
    await expectWorking();
  });

  test('a cache larger than the GPU is ENOMEM, with both sizes', async () => {
    await expect(onGpu({ cache: { lines: 2 ** 27 } })).rejects.toMatchObject({ code: 'ENOMEM', message: expect.stringMatching(/the cache needs \d+ MiB, and of the \d+ MiB of .* only \d+ MiB are free/) });
    await expectWorking();
  });

  test('a cache of more than 64 GiB works', async () => {
    await using fs = await onGpu({ cache: { lines: 17_000_000 } });
    const [[, read]] = await fs.run([[{ op: 'open', path: 'a.bin', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: 8192 }]]);
    expect(read.result).toBe(8192);
    expect(read.data.every((byte) => byte === 7)).toBe(true);
  });

  test('a GPU that is not there is named', async () => {
    await expect(onGpu({ deviceIndex: 63 })).rejects.toMatchObject({ code: 'ERR_WARPFS_DEVICE', message: expect.stringContaining('63') });
  });

  test('an error in a kernel is told in the lines of the user', async () => {
    await using fs = await onGpu();
    const text = '  uint fine = 1;\n  uint wrong = unknown_name;\n  (void)fine; (void)wrong;';
    await expect(fs.kernel({ name: 'wrong', source: text })).rejects.toMatchObject({ code: 'ERR_WARPFS_COMPILE', diagnostics: [expect.objectContaining({ line: 2, severity: 'error' })] });
  });
});
