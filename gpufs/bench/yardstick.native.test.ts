// The host side of the yardsticks, with a stand-in for NVIDIA's driver, in processes of their own. No GPU is needed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadNativeBinding, type NativeYardstickRequest, type NativeYardstickResult } from '../native_binding.ts';
import { findCompiler } from '../system_compiler.ts';
import { makeDataFile } from './data_set.ts';
import { buildYardstickDriver } from './yardstick_driver_for_tests.ts';

const BYTES = 2 ** 20;
const SEED = 11;
const missing = process.platform !== 'linux' ? 'not Linux' : findCompiler() === undefined ? 'no C++ compiler' : undefined;

let folder: string;
beforeAll(async () => {
  if (missing !== undefined) return;
  folder = mkdtempSync(join(tmpdir(), 'warpfs-yardstick-'));
  buildYardstickDriver(join(folder, 'driver'));
  writeFileSync(join(folder, 'cubin'), 'a cubin');
  await makeDataFile(join(folder, 'data'), BYTES, SEED);
});
afterAll(() => missing === undefined && rmSync(folder, { recursive: true, force: true }));

type Answer = Partial<NativeYardstickResult & { error: string; code: string }>;

/** Measures one after the other with one yardstick, then closes it. */
function measure(requests: (Partial<NativeYardstickRequest> & { what: string })[], standIn = ''): Answer[] {
  const usual = { place: 'pinned', path: '', bytes: BYTES, pieceBytes: 4096, count: BYTES / 4096, blocks: 0, threads: 256, seed: SEED, start: 5 };
  const script = `
    const yardstick = require(${JSON.stringify(loadNativeBinding().path)}).cudaYardstick({ deviceIndex: 0, cubin: ${JSON.stringify(join(folder, 'cubin'))} });
    (async () => {
      const results = [];
      for (const request of ${JSON.stringify(requests.map((request) => ({ ...usual, ...request })))}) {
        results.push(await yardstick.measure(request).catch(({ message, code }) => ({ error: message, code })));
      }
      yardstick.close();
      process.stdout.write(JSON.stringify(results));
    })();`;
  const environment = { ...process.env, LD_LIBRARY_PATH: join(folder, 'driver'), STAND_IN: standIn };
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { env: environment, encoding: 'utf8' })) as Answer[];
}

function driverTest(name: string, body: () => void): void {
  if (missing === undefined) test(name, { timeout: 60_000 }, body);
  else test.skip(`SKIP ${missing}: ${name}`, body);
}

driverTest('every yardstick goes through memory that has the words of its places', () => {
  const file = join(folder, 'data');
  const results = measure([
    { what: 'copy' },
    { what: 'read_4096', blocks: 7 },
    { what: 'read_512', pieceBytes: 512, count: BYTES / 512 },
    { what: 'read_4096', place: 'file', path: file },
    { what: 'read_4096', place: 'device', seed: 12 },
    { what: 'read_4096_pinned', place: 'device' },
    { what: 'read_256_pinned', place: 'device', pieceBytes: 256, count: BYTES / 256 },
    { what: 'random_4', place: 'device', pieceBytes: 4, count: BYTES / 4 },
    { what: 'copy_4096', place: 'device' },
    { what: 'write_4096' },
    { what: 'write_4096', place: 'file', path: file },
    { what: 'read_4096' },
    { what: 'pread', path: file, threads: 3, count: 5000 },
    { what: 'ring', count: 1001 },
  ]);
  for (const result of results) expect(result).toMatchObject({ wrongWords: 0 });
  expect(results[0]).toMatchObject({ nanoseconds: 2_000_000, pieces: BYTES / 4096 });
  expect(results[1]).toMatchObject({ blocks: 7 });
  expect(results[3]).toMatchObject({ blocks: 132 * 4 });
  expect(results[12]?.pieces).toBe(5000);
  // 400 cycles of 100 to the microsecond.
  expect(results[13]).toMatchObject({ nanoseconds: 4000, pieces: 1001 });
});

driverTest('what is wrong is counted, and what was not done is told', () => {
  expect(measure([{ what: 'read_4096' }, { what: 'write_4096' }, { what: 'copy' }], 'wrong')).toMatchObject([{ wrongWords: 1 }, { wrongWords: 1 }, { wrongWords: 1 }]);
  expect(measure([{ what: 'pread', path: join(folder, 'data'), threads: 2, seed: SEED + 1 }])[0]?.wrongWords).toBeGreaterThan(1000);
  expect(measure([{ what: 'read_4096' }], 'lazy')).toMatchObject([{ error: 'yardstick read_4096: went to 1 of 256 pieces', code: 'EIO' }]);
});

driverTest('an error says which yardstick failed, and at what', () => {
  const file = join(folder, 'data');
  expect(measure([{ what: 'read_4096', place: 'file', path: file }], 'refuse')[0]?.error).toMatch(/^yardstick: registering 1 MiB of .*data for reading with the driver: CUDA_ERROR_NOT_SUPPORTED/);
  expect(
    measure([
      { what: 'read_4096', place: 'file', path: `${file}.none` },
      { what: 'read_4096', place: 'file', path: file, bytes: BYTES * 2 },
      { what: 'read_4096', bytes: BYTES * 3 },
      { what: 'no_such_kernel' },
      { what: 'write_4096', place: 'device' },
      { what: 'ring', count: 2 ** 21 },
      { what: 'pread', path: file, bytes: BYTES * 16, count: 1000 },
    ]).map(({ error }) => error),
  ).toEqual([
    `yardstick: cannot open ${file}.none: No such file or directory`,
    `yardstick: ${file} has 1048576 bytes, fewer than 2097152`,
    'yardstick read_4096: 3145728 bytes are not a power of two of pieces of 4096',
    expect.stringContaining('yardstick: looking for the kernel no_such_kernel'),
    'yardstick write_4096: all of memory of the host is written, so that it can be compared',
    'yardstick ring: more than 1048576 round trips',
    expect.stringMatching(/^yardstick pread: page \d+ gave 0 bytes$/),
  ]);
});
