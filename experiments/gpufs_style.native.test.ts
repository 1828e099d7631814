// GPUfs as a baseline: right answers under pressure, all of a changed file, and in check mode nothing found without its published mistakes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { findCompiler } from '../gpufs/system_compiler.ts';
import { checkBaseline, type Found } from './baseline_check_for_tests.ts';
import { mixedAccesses, useDataFiles, wrongBytes } from './file_for_tests.ts';
import { gpufsBaseline, gpufsDrive, type GpufsShape, groupPart, mapPart } from './gpufs_baseline.ts';
import { type Access, randomAccesses, randomOf, roundOf, totalsOfReads } from './lists.ts';
import type { Job, System } from './system.ts';
import { system as gread } from './systems/gpufs_gread.ts';
import { system as mapped } from './systems/gpufs_style.ts';
import { ACCESS, type Round } from './workload.ts';
import { read } from './workloads/read.ts';
import { changeFile, update } from './workloads/update.ts';

const { missing } = nativePresence();
const cannot = missing ?? (findCompiler() === undefined ? 'no compiler' : undefined);
const SEED = 5;
const fileOf = useDataFiles(SEED);

const jobOf = (root: string, more: Partial<Job>): Job => ({
  device: 'cpu', medium: 'raw', workload: read, root, file: 'data', fileBytes: 64 * 512, cacheBytes: 10 * 512, lineBytes: 512, items: 8, accessBytes: 512, threads: 1, io: 'auto', advice: 'normal', ...more,
});

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'gpufs' : `SKIP ${cannot}`, () => {
  describe.each<System>([mapped, gread])('$name', (system) => {
    test.each([1, 3])('reads what is in the file, with a cache a sixth of it and %i threads', async (threads) => {
      const root = await fileOf(64 * 512);
      const prepared = await system.prepare(jobOf(root, { threads }));
      try {
        for (let run = 0; run < 3; run++) {
          // Also accesses of less than a page, and warps that have fewer than others.
          const accesses = randomAccesses(randomOf(SEED, run), { items: 7, count: 60, bytes: run === 1 ? 48 : 512, fileBytes: 64 * 512 });
          accesses[2]?.splice(20);
          const round = roundOf(accesses, { repeats: 2 });
          expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
        }
      } finally {
        await prepared.close();
      }
    }, 60_000);

    test.each([1, 2])('changes a file that is twice its cache, with %i threads', async (threads) => {
      const root = await fileOf(64 * 512);
      const words = new Uint32Array((await readFile(join(root, 'data'))).buffer.slice(0));
      const prepared = await system.prepare(jobOf(root, { threads, workload: update, cacheBytes: 32 * 512, items: 4 }));
      try {
        for (let run = 0; run < 3; run++) {
          const round = roundOf(mixedAccesses(randomOf(SEED, run), { items: 4, count: 16, bytes: 512, pages: 64, changes: 20 }));
          const expected = changeFile(words, round);
          expect((await prepared.run(round)).totals).toEqual(expected);
          await prepared.settle();
          expect(await wrongBytes(join(root, 'data'), words)).toBeUndefined();
        }
      } finally {
        await prepared.close();
      }
    }, 60_000);

    test('says beforehand what it cannot do, and ends with an error where that was wrong', async () => {
      const root = await fileOf(64 * 512);
      const job = jobOf(root, { workload: update, items: 2 });
      expect(system.cannot?.(job)).toContain('stay in its cache');
      expect(system.cannot?.({ ...job, changedBytes: 8 * 512 })).toBeUndefined();
      const prepared = await system.prepare(job);
      try {
        const round = roundOf(mixedAccesses(randomOf(SEED, 0), { items: 2, count: 20, bytes: 512, pages: 64, changes: 40 }));
        await expect(prepared.run(round)).rejects.toThrow('ENOSPC');
      } finally {
        await prepared.close();
      }
    }, 60_000);

    test('has the mistakes that a job wants', async () => {
      const root = await fileOf(64 * 512);
      const prepared = await system.prepare(jobOf(root, { workload: update, items: 2, cacheBytes: 64 * 512, flaws: ['writes_refused'] }));
      try {
        await prepared.run(roundOf(mixedAccesses(randomOf(SEED, 0), { items: 2, count: 4, bytes: 512, pages: 64, changes: 3 })));
        await expect(prepared.settle()).rejects.toThrow('EIO');
      } finally {
        await prepared.close();
      }
    }, 60_000);

    test('keeps to the times of a medium', async () => {
      const root = await fileOf(64 * 512);
      const prepared = await system.prepare(jobOf(root, { medium: 'samsung_990_pro', items: 4 }));
      try {
        const round = roundOf(randomAccesses(randomOf(SEED, 0), { items: 4, count: 20, bytes: 512, fileBytes: 64 * 512 }));
        expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
        expect(prepared.note?.()).toMatch(/medium/);
      } finally {
        await prepared.close();
      }
    }, 60_000);
  });

  // 3 pages of 512 B in the cache, 2 slots; a file of 6 pages.
  const tiny: GpufsShape = { frames: 3, pageBytes: 512, workers: 1, slots: 2, swapPages: 1, writes: false };
  const PAGES = 6;
  const listed = (of: readonly (readonly number[])[], bytes: number): Round =>
    roundOf(of.map((pages) => pages.map((page): Access => ({ offset: Math.abs(page) * bytes, bytes, mode: page < 0 ? ACCESS.update : ACCESS.read }))));

  interface Scenario {
    shape?: Partial<GpufsShape>;
    /** Pages of each warp, in each round; negative ones are changed. */
    rounds: readonly (readonly (readonly number[])[])[];
    changes?: boolean;
    /** Of an access; default: a page. Then `rounds` counts these. */
    bytes?: number;
    group?: number;
    schedules?: number;
    memory?: 'sc' | 'relaxed';
    laneCount?: number;
    seed?: number;
    /** Statements at the end of each warp. */
    close?: string;
  }

  async function find({ shape: more = {}, rounds, changes = false, bytes = 512, group, schedules = 200, memory = 'sc', laneCount = 1, seed = 3, close = '' }: Scenario): Promise<Found | undefined> {
    const shape: GpufsShape = { ...tiny, writes: changes, ...more };
    const root = await fileOf(PAGES * 512);
    const disk = new Uint8Array(await readFile(join(root, 'data')));
    const words = new Uint32Array(disk.slice().buffer);
    const listedRounds = rounds.map((pages) => listed(pages, bytes)).map((round) => ({ round, expected: changeFile(words, round) }));
    const items = Math.max(...rounds.map((round) => round.length));
    const baseline =
      group === undefined ? gpufsBaseline(shape, mapPart(shape)) : gpufsBaseline(shape, groupPart(512, group), { buffers: { bytes: Math.ceil(items / group) * group * 512, place: 'device' } });
    const part = { ...baseline.part, close, prelude: `${baseline.part.prelude ?? ''}#include "baselines/gpufs_drive.h"\n` };
    return checkBaseline({
      name: 'gpufs', baseline: { ...baseline, part }, workload: changes ? update : read, rounds: listedRounds, disk, diskAfter: new Uint8Array(words.buffer), schedules,
      drive: gpufsDrive(shape), check: { memory, laneCount, seed },
    });
  }

  const clean: Record<string, Scenario> = {
    'three warps, three pages': { rounds: [[[0, 1, 2], [2, 3, 0], [4, 5, 0]]] },
    'one slot, two lanes': { rounds: [[[0, 1, 3], [2, 3, 1]]], laneCount: 2, shape: { slots: 1 } },
    'two workers': { rounds: [[[0, 1, 3], [2, 4, 1]]], shape: { workers: 2, slots: 1 } },
    'changes, two rounds': { rounds: [[[-1, 0, 2], [4, 5, 0]], [[1, -3, 1], [5, 2, 0]]], changes: true },
    'three warps, one page': { rounds: [[[0, 1, 0], [1, 0, 1], [0, 1, 0]]], shape: { frames: 1 } },
    'one bucket': { rounds: [[[0, 1, 2], [3, 4, 5]]], shape: { flaws: ['few_buckets'], frames: 2 } },
    'halves of pages are changed': { rounds: [[[-2, 5, -8], [-3, 4, 9]], [[2, 8], [3, 2]]], changes: true, bytes: 256 },
    'groups of two': { rounds: [[[0, 1, 2], [2, 3], [4]], [[1, 2], [5, 0], [3, 3]]], group: 2 },
    'changes of groups': { rounds: [[[-1, 0, 2], [4, -5, 0]], [[1, 5], [3, 1]]], changes: true, group: 2, shape: { frames: 4 } },
  };
  const models = ['sc', 'relaxed'] as const;

  test.each(models.flatMap((memory) => Object.keys(clean).map((name) => [name, memory] as const)))('nothing is found: %s, %s memory', async (name, memory) => {
    expect(await find({ ...(clean[name] as Scenario), memory })).toBeUndefined();
  }, 60_000);

  // What each mistake does, and the kind of finding that shows it.
  const flawed: Record<string, Scenario & { kind: RegExp }> = {
    index_after_free: { rounds: [[[0, 1, 2], [3, 4, 5], [5, 2, 1]]], shape: { slots: 1 }, schedules: 8000, kind: /deadlock|livelock|wait_exceeded|ETIMEDOUT/ },
    dirty_asserts: { rounds: [[[-1, -2, 3, 4, 5, 3]]], shape: { frames: 4 }, changes: true, kind: /ENOSPC/ },
    writes_refused: { rounds: [[[-1, 2]]], changes: true, kind: /EIO/ },
    dirty_seen_early: { rounds: [[[-1, -2], [3, 4, 5, 3, 4, 5]]], shape: { frames: 3 }, changes: true, schedules: 8000, kind: /wrong_total|wrong_disk/ },
    bucket_held: { rounds: [[[0, 1, 2]]], shape: { frames: 2, flaws: ['bucket_held', 'few_buckets'] }, kind: /deadlock|livelock|wait_exceeded|ETIMEDOUT/ },
    init_tried_once: { rounds: [[[0, 1, 2, 0], [1, 0, 1, 0], [2, 0, 1, 2]]], shape: { frames: 2 }, schedules: 8000, memory: 'relaxed', kind: /EIO|deadlock/ },
    ring_moved: { rounds: [[[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 0, 1]]], shape: { frames: 2 }, schedules: 8000, kind: /deadlock|wrong_total|race/ },
    map_dirties: { rounds: [[[0, 1, 2, 3, 4]]], changes: true, kind: /ENOSPC/ },
  };

  test.each(Object.keys(flawed))('%s is found', async (flaw) => {
    const { kind, ...scenario } = flawed[flaw] as Scenario & { kind: RegExp };
    const with_ = await find({ ...scenario, shape: { flaws: [flaw], ...scenario.shape } });
    expect(`${with_?.kind} ${with_?.message}`).toMatch(kind);
    const without = (scenario.shape?.flaws ?? []).filter((other) => other !== flaw);
    for (const memory of models) expect(await find({ ...scenario, shape: { ...scenario.shape, flaws: without }, schedules: 200, memory })).toBeUndefined();
  }, 60_000);

  test('few_buckets: a file is in one bucket, and with all of them in several', async () => {
    const close = `
      uint used = 0u;
      for (uint i = 0u; i < gpufs.bucket_count; i++) used += atomic_load(gpufs.buckets + i * GPUFS_BUCKET_WORDS + BUCKET_FIRST) != 0u ? 1u : 0u;
      if (used != 1u) return -Errno::erange;`;
    expect(await find({ rounds: [[[0, 1, 2]]], close, schedules: 1 })).toMatchObject({ message: expect.stringContaining('ERANGE') });
    expect(await find({ rounds: [[[0, 1, 2]]], close, schedules: 1, shape: { flaws: ['few_buckets'] } })).toBeUndefined();
  }, 60_000);
});
