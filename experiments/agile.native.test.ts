// AGILE as a baseline: right answers with a cache far smaller than the file, and in check mode, where its published mistakes are found.
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { findCompiler } from '../gpufs/system_compiler.ts';
import { agilePrefetching, BYTES, checkAgile, counted, mix, mixed, SEED, TINY_BYTES, together, togetherOn, worked } from './agile_for_tests.ts';
import { agileArray, agileAsync, agileBaseline, type AgileFlaw, agileShape } from './agile_parts.ts';
import { prepareBaseline } from './baseline_system.ts';
import { type Access, roundOf, wordsOfSeed } from './lists.ts';
import type { Job, System } from './system.ts';
import { system as agile } from './systems/agile.ts';
import { system as agileAsyncSystem } from './systems/agile_async.ts';
import { ACCESS } from './workload.ts';

const { missing } = nativePresence();
const cannot = missing ?? (findCompiler() === undefined ? 'no compiler' : undefined);
const folder = mkdtempSync(join(tmpdir(), 'warpfs-agile-'));
const path = join(folder, 'data');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const jobOf = (more: Partial<Job> & Pick<Job, 'fileBytes' | 'cacheBytes' | 'items' | 'accessBytes'>): Job =>
  ({ device: 'cpu', medium: 'raw', root: folder, file: 'data', workload: mix, lineBytes: BYTES, threads: 1, ...more }) as Job;
const fileNow = async (): Promise<Uint8Array> => new Uint8Array(await readFile(path));
const shared = agileAsync({ ahead: 1, places: 1, shares: true });
const own = agileAsync({ ahead: 1, places: 1, shares: false });

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'AGILE' : `SKIP ${cannot}`, () => {
  const systems: System[] = [agile, agileAsyncSystem];
  test.each(systems.flatMap((system) => [1, 3].map((threads) => [system.name, threads, system] as const)))('%s is right with %i threads of the host, round after round', async (_, threads, system) => {
    // A unit begins anywhere in a line and may end in another one.
    const [items, count, unit, fileBytes] = [8, 40, 384, 256 * BYTES];
    await makeDataFile(path, fileBytes, SEED);
    const { rounds, after } = mixed({ items, count, unit, fileBytes, rounds: 3 });
    const prepared = await system.prepare(jobOf({ fileBytes, cacheBytes: 12 * BYTES, items, accessBytes: unit, threads }));
    try {
      for (const { round, expected } of rounds) expect((await prepared.run(round)).totals).toEqual(expected);
      await prepared.settle();
      expect(Buffer.compare(await fileNow(), after)).toBe(0);
    } finally {
      await prepared.close();
    }
  }, 60_000);

  test.each(systems)('$name says what the drive could not read, or write', async (system) => {
    await makeDataFile(path, 4 * BYTES, SEED);
    const beyond = (mode: Access['mode']) => roundOf([[{ offset: 6 * BYTES, bytes: BYTES, ...(mode === undefined ? {} : { mode }) }]]);
    const prepare = () => system.prepare(jobOf({ fileBytes: 8 * BYTES, cacheBytes: 2 * BYTES, items: 1, accessBytes: BYTES }));
    const reader = await prepare();
    await expect(reader.run(beyond(ACCESS.read))).rejects.toThrow('EIO');
    await reader.close();
    const writer = await prepare();
    await writer.run(beyond(ACCESS.overwrite));
    await expect(writer.settle()).rejects.toThrow('EIO');
    await writer.close();
  }, 60_000);

  test('a flush looks at every line, and by line_bytes at the first of them only', async () => {
    const [lines, fileBytes] = [600, 700 * BYTES];
    const job = jobOf({ fileBytes, cacheBytes: lines * BYTES, items: 4, accessBytes: BYTES });
    const same = async (flaws: readonly string[]): Promise<boolean> => {
      await makeDataFile(path, fileBytes, SEED);
      const round = roundOf(Array.from({ length: 4 }, (_, item) => Array.from({ length: lines / 4 }, (__, turn) => ({ offset: (item * 150 + turn) * BYTES, bytes: BYTES, mode: ACCESS.overwrite }))));
      const expected = Uint32Array.from({ length: fileBytes / 4 }, (_, word) => wordsOfSeed(SEED)(word));
      worked(round, expected);
      const prepared = await agile.prepare({ ...job, flaws });
      try {
        await prepared.run(round);
        await prepared.settle();
      } finally {
        await prepared.close();
      }
      return Buffer.compare(await fileNow(), new Uint8Array(expected.buffer)) === 0;
    };
    expect(await same([])).toBe(true);
    expect(await same(['flush_by_line_bytes'])).toBe(false);
  }, 60_000);

  test('a line that is used again and again stays, and does not where no access marks it', async () => {
    const fileBytes = 64 * BYTES;
    await makeDataFile(path, fileBytes, SEED);
    // One block before each of the others, with four lines.
    const round = roundOf([Array.from({ length: 80 }, (_, turn) => ({ offset: (turn % 2 === 0 ? 0 : (turn + 1) / 2) * BYTES, bytes: BYTES }))], { outputs: { commands: 1 } });
    const job = jobOf({ fileBytes, cacheBytes: 4 * BYTES, items: 1, accessBytes: BYTES, workload: counted });
    const commands = async (flaws: readonly AgileFlaw[]): Promise<number> => {
      const prepared = await prepareBaseline('agile', job, agileBaseline({ ...agileShape(job), queues: 1 }, agileArray, { flaws }));
      try {
        return (await prepared.run(round)).outputs['commands']?.[0] as number;
      } finally {
        await prepared.close();
      }
    };
    expect(await commands([])).toBe(42); // each block once, and the one in the middle of the first sweep again
    expect(await commands(['reference_never_set'])).toBe(50);
  }, 60_000);

  test('of two warps that have one block in their buffers the second sees what the first wrote, and the file has what both wrote', async () => {
    await makeDataFile(path, TINY_BYTES, SEED);
    const { rounds, after } = togetherOn(await fileNow());
    const { round, expected } = rounds[0] as (typeof rounds)[number];
    const prepared = await agileAsyncSystem.prepare(jobOf({ fileBytes: TINY_BYTES, cacheBytes: 2 * BYTES, items: 2, accessBytes: BYTES, workload: together }));
    try {
      const { totals, outputs } = await prepared.run(round);
      expect(totals).toEqual(expected);
      expect(outputs['where']?.[0]).toBe(outputs['where']?.[1]);
      await prepared.settle();
      expect(Buffer.compare(await fileNow(), after)).toBe(0);
    } finally {
      await prepared.close();
    }
  }, 60_000);

  describe.each(['sc', 'relaxed'] as const)('in check mode with %s memory', (memory) => {
    let disk = new Uint8Array();
    beforeAll(async () => {
      await makeDataFile(join(folder, memory), TINY_BYTES, SEED);
      disk = new Uint8Array(await readFile(join(folder, memory)));
    });

    test.each([
      ['lines in place', { access: agileArray }],
      ['lines in place, two pairs and their service warps', { access: agileArray, shape: { queues: 2, depth: 2, serviceWarps: 2, flushWarps: 2 } }],
      ['lines that were asked for before, and landed by who wants them', { access: agilePrefetching, options: { lands: true } }],
      ['buffers that are shared', { access: shared }],
      ['buffers that are shared, two pairs and one service warp', { access: shared, shape: { queues: 2, depth: 3 } }],
      ['buffers in chains', { access: own, modes: [1, 0, 0] as const }],
    ])('%s', async (_, scenario) => {
      expect(await checkAgile({ ...scenario, disk, check: { memory } })).toBeUndefined();
      expect(await checkAgile({ ...scenario, disk, check: { memory, laneCount: 1, seed: 3000 }, items: 2, schedules: 100 })).toBeUndefined();
    }, 60_000);

    test('two warps with one block in their buffers', async () => {
      const rounds = togetherOn(disk);
      const scenario = { rounds, disk, items: 2, workload: together, check: { memory } };
      expect(await checkAgile({ ...scenario, access: shared })).toBeUndefined();
      expect(await checkAgile({ ...scenario, access: own })).toMatchObject({ kind: 'wrong_total', after: 0 });
    }, 60_000);

    test.each<[AgileFlaw, RegExp]>([
      ['dirty_evict_traps', /DISPATCH/],
      ['modified_read_traps', /DISPATCH/],
      ['hit_without_recheck', /wrong_total|wrong_disk|race/],
      ['window_steps_twice', /deadlock|livelock|wait_exceeded/],
    ])('%s is found', async (flaw, kind) => {
      const found = await checkAgile({ access: agileArray, options: { flaws: [flaw] }, disk, check: { memory }, schedules: 1500 });
      if (process.env['SHOW_FOUND'] !== undefined) console.log(memory, flaw, found?.kind, found?.after, found?.message.slice(0, 120));
      expect(found?.kind).toMatch(kind);
    }, 60_000);

    // Waits that add are looked at by the others, so that some schedules make no headway: random ones do.
    test.each<AgileFlaw>(['reference_never_set', 'loads_are_additions'])('%s only costs', async (flaw) => {
      expect(await checkAgile({ access: agileArray, options: { flaws: [flaw] }, disk, check: { memory, scheduler: 'random' }, schedules: 100 })).toBeUndefined();
    }, 60_000);
  });
});
