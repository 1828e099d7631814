// CAM as a baseline: right answers whatever the batches are cut like, and in check mode nothing found without its published mistake.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { findCompiler } from '../gpufs/system_compiler.ts';
import { checkBaseline, type Found } from './baseline_check_for_tests.ts';
import { camBaseline, camDrive, type CamShape } from './cam_baseline.ts';
import { mixedAccesses, useDataFiles, wrongBytes } from './file_for_tests.ts';
import { type Access, randomAccesses, randomOf, roundOf, totalsOfReads } from './lists.ts';
import type { Job } from './system.ts';
import { system } from './systems/cam.ts';
import { ACCESS } from './workload.ts';
import { read } from './workloads/read.ts';
import { changeFile, update } from './workloads/update.ts';

const { missing } = nativePresence();
const cannot = missing ?? (findCompiler() === undefined ? 'no compiler' : undefined);
const SEED = 5;
const fileOf = useDataFiles(SEED);

const PAGES = 128;
const jobOf = (root: string, more: Partial<Job>): Job => ({
  device: 'cpu', medium: 'raw', workload: read, root, file: 'data', fileBytes: PAGES * 512, cacheBytes: 48 * 1024, lineBytes: 512, items: 11, accessBytes: 512, threads: 1, io: 'auto', advice: 'normal', ...more,
});

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'cam' : `SKIP ${cannot}`, () => {
  test.each([1, 3])('reads what is in the file with %i threads, accesses of any place and warps that want less', async (threads) => {
    const root = await fileOf(PAGES * 512);
    const prepared = await system.prepare(jobOf(root, { threads }));
    try {
      for (let run = 0; run < 4; run++) {
        // The last group lacks warps, in one run others than in the next.
        const accesses = randomAccesses(randomOf(SEED, run), { items: run === 3 ? 9 : 11, count: 3 + run * 7, bytes: run === 1 ? 48 : 512, fileBytes: PAGES * 512 });
        accesses[2]?.splice(2);
        const round = roundOf(accesses, { repeats: run + 1 });
        expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);

  test.each([[1, 1], [2, 3], [8, 2]])('changes a file, %i turns in a batch, with %i threads', async (turns, threads) => {
    const root = await fileOf(PAGES * 512);
    const words = new Uint32Array((await readFile(join(root, 'data'))).buffer.slice(0));
    // Reads are as large as changes.
    const prepared = await system.prepare(jobOf(root, { threads, workload: update, items: 4, cacheBytes: turns * 4 * 3 * 1024 }));
    try {
      for (let run = 0; run < 3; run++) {
        const round = roundOf(mixedAccesses(randomOf(SEED, run), { items: 4, count: 29, bytes: 512, pages: PAGES, changes: 60 }));
        const expected = changeFile(words, round);
        expect((await prepared.run(round)).totals).toEqual(expected);
        await prepared.settle();
        expect(await wrongBytes(join(root, 'data'), words)).toBeUndefined();
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);

  test('says beforehand what it cannot do', async () => {
    const job = jobOf('none', {});
    expect(system.cannot?.(job)).toBeUndefined();
    expect(system.cannot?.({ ...job, workload: update, accessBytes: 256 })).toContain('undo what the other did');
    expect(system.cannot?.({ ...job, items: 1000 })).toContain('do not fit');
  });

  test('keeps to the times of a medium', async () => {
    const root = await fileOf(PAGES * 512);
    const prepared = await system.prepare(jobOf(root, { medium: 'samsung_990_pro', threads: 2 }));
    try {
      const round = roundOf(randomAccesses(randomOf(SEED, 0), { items: 11, count: 20, bytes: 512, fileBytes: PAGES * 512 }));
      expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
      expect(prepared.note?.()).toMatch(/medium/);
    } finally {
      await prepared.close();
    }
  }, 60_000);

  interface Scenario {
    shape?: Partial<CamShape>;
    /** Pages of each warp, in each round; negative ones are changed. */
    rounds: readonly (readonly (readonly number[])[])[];
    changes?: boolean;
    repeats?: number;
    schedules?: number;
    memory?: 'sc' | 'relaxed';
    laneCount?: number;
  }

  async function find({ shape: more = {}, rounds, changes = false, repeats = 1, schedules = 200, memory = 'sc', laneCount = 1 }: Scenario): Promise<Found | undefined> {
    const shape: CamShape = { items: Math.max(...rounds.map((round) => round.length)), groupWarps: 2, turns: 1, accessBytes: 512, writes: changes, ...more };
    const root = await fileOf(8 * 512);
    const disk = new Uint8Array(await readFile(join(root, 'data')));
    const words = new Uint32Array(disk.slice().buffer);
    const listed = rounds.map((of) => {
      const round = roundOf(of.map((pages) => pages.map((page): Access => ({ offset: Math.abs(page) * 512, bytes: 512, mode: page < 0 ? ACCESS.update : ACCESS.read }))), { repeats });
      if (!changes) return { round, expected: totalsOfReads(round, SEED) };
      // What a repeat changes the next one finds.
      const found = Array.from({ length: repeats }, () => changeFile(words, { ...round, repeats: 1 }));
      return { round, expected: found.reduce((sum, totals) => sum.map((total, item) => total + (totals[item] as number))) };
    });
    const baseline = camBaseline(shape);
    const part = { ...baseline.part, prelude: `${baseline.part.prelude ?? ''}#include "baselines/cam_drive.h"\n` };
    return checkBaseline({
      name: 'cam', baseline: { ...baseline, part }, workload: changes ? update : read, rounds: listed, disk, diskAfter: new Uint8Array(words.buffer), schedules,
      drive: camDrive(shape), check: { memory, laneCount, seed: 3 },
    });
  }

  const clean: Record<string, Scenario> = {
    'two groups, batches of one turn': { rounds: [[[0, 1, 2], [2, 3], [4, 5, 6]], [[1, 2], [3, 4]]] },
    'batches of two turns, two lanes': { rounds: [[[0, 1, 2, 3, 4], [2, 3, 7]]], shape: { turns: 2 }, laneCount: 2 },
    'repeated': { rounds: [[[0, 1, 2], [2, 3, 5]]], repeats: 2, shape: { turns: 2 } },
    'changes, batches of one turn': { rounds: [[[-1, 0, -2, 3], [-4, 5, -6, 7]], [[1, 2, -5], [4, 6, 7]]], changes: true },
    'changes, batches of two turns': { rounds: [[[-1, 0, -2, 3, -7], [-4, 5, -6]], [[1, 2, -5], [4, 6, 7]]], changes: true, shape: { turns: 2 } },
    'changes, repeated': { rounds: [[[-1, -2], [-3, -4]]], changes: true, repeats: 2, shape: { turns: 2 } },
  };
  const models = ['sc', 'relaxed'] as const;

  test.each(models.flatMap((memory) => Object.keys(clean).map((name) => [name, memory] as const)))('nothing is found: %s, %s memory', async (name, memory) => {
    expect(await find({ ...(clean[name] as Scenario), memory })).toBeUndefined();
  }, 60_000);

  test('status_ignored: what could not be read is an error, and with the mistake other bytes', async () => {
    const rounds = [[[0, 1], [9, 2]]];
    expect(await find({ rounds, schedules: 1 })).toMatchObject({ message: expect.stringContaining('EIO') });
    expect(await find({ rounds, schedules: 1, shape: { flaws: ['status_ignored'] } })).toMatchObject({ kind: 'wrong_total', after: 0 });
  }, 60_000);
});
