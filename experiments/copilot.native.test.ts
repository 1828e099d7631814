// The baseline after CoPilotIO: right answers against threads of the host, and under the schedules of check mode; each of its published flaws is seen.
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { makeDataFile, wordAt } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { findCompiler } from '../gpufs/system_compiler.ts';
import { checkBaseline, type CheckedBaseline } from './baseline_check_for_tests.ts';
import { type Baseline, prepareBaseline } from './baseline_system.ts';
import { type Access, randomAccesses, randomOf, roundOf, shares, shuffled, totalsOfReads } from './lists.ts';
import type { Job } from './system.ts';
import { copilotOf, type CopilotSize, system } from './systems/copilot.ts';
import { ACCESS, type Round } from './workload.ts';
import { read } from './workloads/read.ts';
import { changeFile, update } from './workloads/update.ts';

const { missing } = nativePresence();
const cannot = missing ?? (findCompiler() === undefined ? 'no compiler' : undefined);
const folder = mkdtempSync(join(tmpdir(), 'warpfs-copilot-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BYTES = 512;
const SEED = 5;
/** Pages of 4 KB, far more than the buffers hold. */
const FILE_BYTES = 512 * 4096;

const jobOf = (more: Partial<Job>): Job => ({
  device: 'cpu', medium: 'raw', root: folder, file: 'data', fileBytes: FILE_BYTES, workload: read, cacheBytes: FILE_BYTES / 4, lineBytes: 4096, items: 12, accessBytes: 4096,
  threads: 1, io: 'auto', advice: 'normal', ...more,
});

/** Every access of a round at a place of its own. What the file is before it stands in `file`, and is afterwards what it must become. */
function mixedRound(run: number, file: Uint32Array, { items, count, bytes }: { items: number; count: number; bytes: number }): { round: Round; expected: Uint32Array } {
  const random = randomOf(SEED, run);
  const order = shuffled(random, file.byteLength / bytes);
  const round = roundOf(shares(order, items, count, (place): Access => ({ offset: place * bytes, bytes, mode: random.below(2) === 0 ? ACCESS.update : ACCESS.read })));
  const expected = changeFile(file, round);
  return { round, expected };
}

const wordsOf = (bytes: number): Uint32Array => Uint32Array.from({ length: bytes / 4 }, (_, word) => wordAt(word, SEED));
const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer);

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'on the cpu device' : `SKIP ${cannot}`, () => {
  beforeEach(() => makeDataFile(join(folder, 'data'), FILE_BYTES, SEED));

  test.each([1, 3])('reads anywhere are right, also where they begin within a block, with %i threads of the host', async (threads) => {
    const prepared = await system.prepare(jobOf({ threads, accessBytes: 3000 }));
    try {
      for (let run = 0; run < 3; run++) {
        const random = randomOf(SEED, run);
        const round = roundOf(Array.from({ length: 12 }, () => Array.from({ length: 40 }, () => ({ offset: random.below((FILE_BYTES - 3000) / 4) * 4, bytes: 4 * (1 + random.below(750)) }))));
        expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);

  const sizes: [string, Partial<CopilotSize>, number][] = [
    ['as it is prepared, one thread', {}, 1],
    ['queues that are always full', { queues: 2, depth: 3 }, 2],
    ['two controllers and an agent of its own', { queues: 3, agents: 1 }, 3],
    ['no buffer to spare, nothing ahead', { buffers: 1, ahead: 0 }, 1],
    ['commands spread over queues', { queues: 3, flaws: ['queue_by_lane'] }, 1],
  ];
  test.each(sizes)('reads and updates, round after round, end up in the file: %s', async (_, more, threads) => {
    const job = jobOf({ workload: update, threads });
    const baseline = copilotOf({ items: 12, queues: 2, depth: 64, ahead: 3, buffers: 8, accessBytes: 4096, agents: 0, flaws: [], ...more });
    const prepared = Object.keys(more).length === 0 ? await system.prepare(job) : await prepareBaseline('copilot', job, baseline);
    const file = wordsOf(FILE_BYTES);
    try {
      for (let run = 0; run < 4; run++) {
        const { round, expected } = mixedRound(run, file, { items: 12, count: 40, bytes: 4096 });
        expect((await prepared.run(round)).totals).toEqual(expected);
        await prepared.settle();
        expect(Buffer.compare(await readFile(join(folder, 'data')), bytesOf(file))).toBe(0);
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);

  test('a read beyond the end of the file is an error of the kernel, and nothing is left under way for the next round', async () => {
    const prepared = await system.prepare(jobOf({}));
    try {
      const beyond = roundOf(Array.from({ length: 12 }, (_, item) => [0, 1, 2, 3].map((turn) => ({ offset: item === 3 && turn === 1 ? FILE_BYTES : turn * 4096, bytes: 4096 }))));
      await expect(prepared.run(beyond)).rejects.toMatchObject({ message: expect.stringContaining('EIO') as string });
      const round = roundOf(randomAccesses(randomOf(SEED, 1), { items: 12, count: 20, bytes: 4096, fileBytes: FILE_BYTES }));
      expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
    } finally {
      await prepared.close();
    }
  }, 60_000);

  test('a host that consists of agents alone is refused', async () => {
    const baseline = copilotOf({ items: 12, queues: 2, depth: 64, ahead: 3, buffers: 4, accessBytes: 4096, agents: 1, flaws: [] });
    await expect(prepareBaseline('copilot', jobOf({}), baseline)).rejects.toThrow('one thread at least is no agent');
  });

  test('what it cannot do it says', () => {
    expect(system.cannot?.(jobOf({}))).toBeUndefined();
    expect(system.cannot?.(jobOf({ accessBytes: 256 }))).toBeUndefined();
    expect(system.cannot?.(jobOf({ accessBytes: 256, workload: update }))).toContain('whole blocks of 512 bytes');
    expect(system.cannot?.(jobOf({ accessBytes: 2 ** 26 }))).toContain('one command');
  });
});

/** The agent is one more warp. `served`: the queues that controller and agent look at. */
function withAgent(baseline: Baseline, served?: number): { baseline: Baseline; drive: string } {
  const { part, memories, peer } = baseline;
  const queues = served ?? peer.shape['queues'];
  const service = {
    warps: 1,
    text: `
      const CopilotShape agent_shape = {queues, depth, ids};
      return copilot_agent(fs, shared, agent_shape, ${queues}u, (WARPFS_DEVICE uint*)agent_kept, ended_items, all_items);`,
  };
  const drive = `
      NvmeDrive drive = {shared, lines, disk, disk_bytes, ${queues}u, depth, (WARPFS_DEVICE uint*)drive_kept};
      return nvme_drive(fs, drive, ended_items, all_items);`;
  const prelude = `#include "baselines/copilot_agent.h"\n${part.prelude ?? ''}`;
  return { baseline: { ...baseline, part: { ...part, prelude, service }, memories: { ...memories, agent_kept: { bytes: 128, place: 'device' } } }, drive };
}

const PLACES = 8;
const tiny: CopilotSize = { items: 2, queues: 1, depth: 3, ahead: 1, buffers: 3, accessBytes: BYTES, agents: 0, flaws: [] };

function checkedOf(size: Partial<CopilotSize>, schedules: number, check: CheckedBaseline['check'], served?: number): CheckedBaseline {
  const full = { ...tiny, ...size };
  const disk = wordsOf(PLACES * BYTES);
  const before = bytesOf(disk.slice());
  const rounds = [0, 1].map((run) => mixedRound(run, disk, { items: full.items, count: Math.floor(PLACES / full.items), bytes: BYTES }));
  return { name: 'copilot', ...withAgent(copilotOf(full), served), workload: update, rounds, disk: before, diskAfter: bytesOf(disk), schedules, check: { seed: 9, ...check } };
}

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'in check mode' : `SKIP ${cannot}`, () => {
  const shapes: [string, Partial<CopilotSize>][] = [
    ['a queue with room for two', {}],
    ['a queue with room for one', { depth: 2 }],
    ['no buffer to spare', { buffers: 2 }],
    ['two queues, three warps', { items: 3, queues: 2, depth: 2 }],
    ['three warps wait for one doorbell', { items: 3, depth: 4, ahead: 2 }],
  ];
  test.each(shapes)('no schedule shows anything: %s', async (_, size) => {
    for (const memory of ['sc', 'relaxed'] as const) {
      // The second one lets a warp wait very long that nobody is about to wait for: two that keep each other awake are seen.
      for (const scheduler of ['portfolio', 'pos'] as const) expect(await checkBaseline(checkedOf(size, 150, { memory, scheduler }))).toBeUndefined();
    }
  }, 120_000);

  test('no_error_flag: bytes that never came are taken for bytes', async () => {
    const beyond = roundOf([[{ offset: PLACES * BYTES, bytes: BYTES }], [{ offset: 0, bytes: BYTES }]]);
    const one = (flaws: string[]) => {
      const { name, disk, schedules, baseline, drive = '' } = checkedOf({ flaws }, 20, { memory: 'sc' });
      return checkBaseline({ name, disk, schedules, baseline, drive, workload: read, rounds: [{ round: beyond, expected: new Uint32Array([1, 1]) }] });
    };
    expect(await one([])).toMatchObject({ message: expect.stringContaining('EIO') as string });
    expect(await one(['no_error_flag'])).toMatchObject({ kind: expect.stringMatching(/wrong_total/) as string });
  }, 60_000);

  test('doorbell_without_fence: the controller fetches an entry that is not there yet', async () => {
    expect(await checkBaseline(checkedOf({ flaws: ['doorbell_without_fence'] }, 400, { memory: 'relaxed' }))).toMatchObject({ kind: expect.stringMatching(/race|wrong_total|wrong_disk|deadlock/) as string });
  }, 120_000);

  test('queue_by_lane: what one warp has under way is in several queues', async () => {
    // Only the first of two queues is served: the only warp uses no other, unless its commands are spread.
    const check = { memory: 'sc' as const };
    expect(await checkBaseline(checkedOf({ items: 1, queues: 2 }, 20, check, 1))).toBeUndefined();
    expect(await checkBaseline(checkedOf({ items: 1, queues: 2, flaws: ['queue_by_lane'] }, 1, check, 1))).toMatchObject({ kind: expect.stringMatching(/livelock|deadlock|ETIMEDOUT/) as string });
    expect(await checkBaseline(checkedOf({ items: 2, queues: 2, flaws: ['queue_by_lane'] }, 60, check))).toBeUndefined();
  }, 60_000);
});
