// What goes wrong on a GPU is told, and a new mount works: behind the first test all of them are in processes of their own.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Mount } from '../mount.ts';
import type { MountOptions } from '../options.ts';
import { packageRoot } from '../package_root.ts';
import { mountOnTestDevice, testDevice } from './test_device.ts';

const built = join(packageRoot, 'dist', 'gpufs', 'index.js');
const endless = `{ name: 'endless', outputs: { out: 'u32[]' }, source: '  volatile uint* word = out;\\n  while (word[0] != 12345u) { }' }`;

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

  /** A kernel that ends all that the driver does for its process. */
  async function loseTo(fs: Mount, source: string, error: string): Promise<void> {
    const kernel = await fs.kernel({ name: 'wrong', source });
    const told = { name: 'WarpfsError', code: 'EIO', message: expect.stringMatching(`${error}.* A new mount works, in a process of its own`) };
    await expect(kernel.dispatch({ items: 4 })).rejects.toMatchObject(told);
    await expect(fs.run([[{ op: 'open', path: 'a.bin', mode: 'r' }]])).rejects.toMatchObject({ name: 'WarpfsError', code: 'EIO', message: expect.stringContaining(error) });
    await expect(fs.unmount({ discard: true })).rejects.toMatchObject({ name: 'WarpfsError' });
  }
  const stray = '  uint* nowhere = (uint*)16;\n  nowhere[item] = 1;';

  test('an illegal address ends the mounts of this process with typed errors, and a new one works in a process of its own', async () => {
    const [fs, other] = [await onGpu(), await onGpu()];
    await loseTo(fs, stray, 'ILLEGAL_ADDRESS');
    const told = { name: 'WarpfsError', code: 'EIO', message: expect.stringMatching('another kernel of this process .*ILLEGAL_ADDRESS') };
    await expect(other.run([[{ op: 'open', path: 'a.bin', mode: 'r' }]])).rejects.toMatchObject(told);
    await expect(other.sync()).rejects.toMatchObject(told);
    await expect(other.unmount({ discard: true })).rejects.toMatchObject({ name: 'WarpfsError' });
    await expectWorking();
    await using next = await onGpu();
    expect(next.device.process).toMatch(/^a process of its own \(\d+\): the driver does nothing more for this one since an error of a kernel \(.*ILLEGAL_ADDRESS/);
    const kernel = await next.kernel({ name: 'twice', inputs: { values: 'u32[]' }, outputs: { out: 'u32[]' }, source: '  if (lane.index == 0) out[item] = 2 * values[item];' });
    const values = Uint32Array.from({ length: 500_000 }, (_, at) => at * 3);
    const { out } = await kernel.dispatch({ items: values.length, inputs: { values }, outputs: { out: values.length } });
    expect(out.every((word, at) => word === at * 6)).toBe(true);
  });

  test.each([['an illegal address', stray, 'ILLEGAL_ADDRESS'], ['a trap', '  __trap();', 'LAUNCH_FAILED']])('%s in a process of its own ends the mount there, and no other', async (_name, source, error) => {
    await using beside = await onGpu();
    await loseTo(await onGpu(), source, error);
    expect((await beside.run([[{ op: 'open', path: 'a.bin', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: 10 }]]))[0][1].result).toBe(10);
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

  const notBuilt = existsSync(built) ? '' : 'SKIP dist is not built: ';
  test.skipIf(notBuilt !== '')(`${notBuilt}beside a kernel that never ends a new mount works in the same process, which ends as it would have`, () => {
    const script = `
      import { mount } from ${JSON.stringify(pathToFileURL(built).href)};
      const fs = await mount({ root: ${JSON.stringify(root)}, device: ${JSON.stringify(testDevice)}, kernelTimeMs: 1500 });
      const kernel = await fs.kernel(${endless});
      await kernel.dispatch({ items: 1, outputs: { out: 1 } }).catch((error) => console.log(error.code));
      const next = await mount({ root: ${JSON.stringify(root)}, device: ${JSON.stringify(testDevice)} });
      const [[, read]] = await next.run([[{ op: 'open', path: 'a.bin', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: 10 }]]);
      console.log(next.device.process ?? 'here', read.result);
      await next.unmount();
      process.exitCode = 7;`;
    const { status, signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', timeout: 60_000 });
    expect({ status, signal, stdout }).toEqual({ status: 7, signal: null, stdout: 'ETIMEDOUT\nhere 10\n' });
  });

  test('one kernel at a time: programs and kernels do what they do otherwise', async () => {
    process.env['WARPFS_CUDA_SERIAL'] = '1';
    try {
      await using fs = await onGpu({ wait: 'replay', cache: { lines: 64 } });
      expect(fs.device.serial).toBe('WARPFS_CUDA_SERIAL=1');
      const path = 'written.bin';
      const bytes = new Uint8Array(100_000).map((_, at) => at % 251);
      const write = [{ op: 'open', path, mode: 'w+' }, { op: 'write', file: 0, offset: 0, data: bytes }, { op: 'fsync', file: 0 }] as const;
      const [[, written, synced]] = await fs.run([write]);
      expect([written.result, synced.result]).toEqual([bytes.length, 0]);
      const results = await fs.run(Array.from({ length: 50 }, (_, warp) => [{ op: 'open', path, mode: 'r' }, { op: 'read', file: 0, offset: warp * 2000, length: 2000 }] as const));
      results.forEach(([, read], warp) => expect(Buffer.compare(read.data, bytes.subarray(warp * 2000, warp * 2000 + 2000))).toBe(0));
      const kernel = await fs.kernel({
        name: 'serial_words',
        inputs: { path: 'string' },
        outputs: { sums: 'u32[]' },
        source: `
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
          WARPFS_TRY(uint word, gload<uint>(fs, file, item));
          if (lane.index == 0) sums[item] = word;
          WARPFS_TRY(int closed, gclose(fs, file));`,
      });
      const { sums } = await kernel.dispatch({ items: 2048, inputs: { path: 'a.bin' }, outputs: { sums: 2048 } });
      expect([...new Set(sums)]).toEqual([0x07070707]);
    } finally {
      delete process.env['WARPFS_CUDA_SERIAL'];
    }
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
    await expect(fs.kernel({ name: 'wrong', source: text })).rejects.toMatchObject({ code: 'ERR_WARPFS_COMPILE', diagnostics: expect.arrayContaining([expect.objectContaining({ line: 2, severity: 'error' })]) });
  });
});
