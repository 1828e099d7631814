// AGILE as a baseline: right answers with a cache far smaller than the file, and in check mode, where each of its published mistakes is found.
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { findCompiler } from '../gpufs/system_compiler.ts';
import { BYTES, mix, mixed, SEED } from './agile_for_tests.ts';
import { system as agile } from './systems/agile.ts';
import { system as agileAsync } from './systems/agile_async.ts';
import type { Job, System } from './system.ts';

const { missing } = nativePresence();
const cannot = missing ?? (findCompiler() === undefined ? 'no compiler' : undefined);
const folder = mkdtempSync(join(tmpdir(), 'warpfs-agile-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jobOf = (more: Partial<Job> & Pick<Job, 'fileBytes' | 'cacheBytes' | 'items' | 'accessBytes'>): Job =>
  ({ device: 'cpu', medium: 'raw', root: folder, file: 'data', workload: mix, lineBytes: BYTES, threads: 1, ...more }) as Job;

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'AGILE' : `SKIP ${cannot}`, () => {
  const systems: System[] = [agile, agileAsync];
  test.each(systems.flatMap((system) => [1, 3].map((threads) => [system.name, threads, system] as const)))('%s is right with %i threads of the host, round after round', async (_, threads, system) => {
    // A unit begins anywhere in a line and ends in another one.
    const [items, count, unit, fileBytes] = [8, 40, 384, 256 * BYTES];
    await makeDataFile(join(folder, 'data'), fileBytes, SEED);
    const { rounds, after } = mixed({ items, count, unit, fileBytes, rounds: 3 });
    const prepared = await system.prepare(jobOf({ fileBytes, cacheBytes: 12 * BYTES, items, accessBytes: unit, threads }));
    try {
      for (const { round, expected } of rounds) expect((await prepared.run(round)).totals).toEqual(expected);
      await prepared.settle();
      expect(Buffer.compare(await readFile(join(folder, 'data')), after)).toBe(0);
    } finally {
      await prepared.close();
    }
  }, 60_000);
});
