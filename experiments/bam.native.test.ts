// The baseline of BaM: right answers under pressure, and what check mode finds with each of its published mistakes and does not find without them.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { findCompiler } from '../gpufs/system_compiler.ts';
import { checkBaseline, type Found } from './baseline_check_for_tests.ts';
import { type Baseline, prepareBaseline } from './baseline_system.ts';
import { type Access, randomAccesses, randomOf, roundOf, shares, shuffled, totalsOf, totalsOfReads, wordsOfSeed } from './lists.ts';
import type { KernelMemory } from '../gpufs/kernel_memory.ts';
import { mount } from '../gpufs/mount.ts';
import type { Job } from './system.ts';
import { bamBaseline, type BamFlaw, bamFlaws, type BamShape, system } from './systems/bam.ts';
import { ACCESS, modeOf, type Round, type Workload } from './workload.ts';
import { read } from './workloads/read.ts';
import { changeFile, update, updated } from './workloads/update.ts';

const { missing } = nativePresence();
const cannot = missing ?? (findCompiler() === undefined ? 'no compiler' : undefined);
const SEED = 5;
const folder = mkdtempSync(join(tmpdir(), 'warpfs-bam-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Checked = { round: Round; expected: Uint32Array };

/** Reads and updates of pieces, none of them twice in a round; `file` becomes what it has to be. */
function updates(file: Uint32Array, run: number, { items, count, bytes }: { items: number; count: number; bytes: number }): Checked {
  const random = randomOf(SEED, run);
  const pieces = shuffled(random, file.byteLength / bytes);
  const round = roundOf(shares(pieces, items, count, (piece): Access => ({ offset: piece * bytes, bytes, mode: random.below(3) === 0 ? ACCESS.read : ACCESS.update })));
  const expected = changeFile(file, round);
  return { round, expected };
}

const bytesOfWords = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
const wordsOf = (fileBytes: number): Uint32Array => Uint32Array.from({ length: fileBytes / 4 }, (_, word) => wordsOfSeed(SEED)(word));

/** The same of elements: each lane gets one, `stride` from the next, and sets it where the access updates. `beyond`: what a read that fails gives. */
const elements = (writes: boolean, beyond = ''): Workload => ({
  name: 'elements',
  writes,
  inputs: { stride: 'u32' },
  each: `
    uint value = 0u;
    const ulong element = offset / 4u + (ulong)lane.index * stride;
    int error = bam_array_get<uint>(fs, bam, element, true, value);
    ${beyond}
    if (mode == ACCESS_UPDATE) error = bam_array_set<uint>(fs, bam, element, error == 0, value + (uint)element + 1u);
    if (lane.any(error != 0)) return -Errno::eio;
    total += value * (2u * lane.index + 1u);`,
});

/** A run without updates. */
const READS_ALONE = 99;

function elementsOf(file: Uint32Array, run: number, { items, count, lanes, stride }: { items: number; count: number; lanes: number; stride: number }): Checked {
  const random = randomOf(SEED, run);
  // Runs of `lanes` elements, or the first elements of sequences: none of them comes twice.
  const starts = stride === 1 ? shuffled(random, Math.floor(file.length / lanes)).map((start) => start * lanes) : shuffled(random, stride);
  const round = roundOf(shares(starts, items, count, (start): Access => ({ offset: start * 4, bytes: 4, mode: random.below(2) === 0 ? ACCESS.read : ACCESS.update })), { inputs: { stride } });
  const wanted = Array.from({ length: lanes }, (_, lane) => lane);
  if (run === READS_ALONE) round.lengths.fill(4);
  const expected = totalsOf(round, (offset) => wanted.reduce((sum, lane) => (sum + Math.imul(file[offset / 4 + lane * stride] as number, 2 * lane + 1)) | 0, 0));
  round.lengths.forEach((length, index) => {
    if (modeOf(length) === ACCESS.read) return;
    for (const word of wanted.map((lane) => Number(round.offsets[index]) / 4 + lane * stride)) file[word] = updated(file[word] as number, word);
  });
  return { round, expected };
}

/** Of a baseline only the cache: what is done with it is in the workload. */
const cacheOnly = (baseline: Baseline): Baseline => ({ ...baseline, part: { ...baseline.part, access: '', release: '' } });
/** The pointer stays at its page until it moves. */
const staying = (baseline: Baseline): Baseline => ({ ...baseline, part: { ...baseline.part, release: 'warp_sync(lane);', close: 'bam_ptr_release(fs, bam, bam_at);' } });

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'bam on the cpu device' : `SKIP ${cannot}`, () => {
  const LINE = 4096;
  const fileBytes = 160 * LINE - 1024;
  const job = (more: Partial<Job>): Job => ({
    device: 'cpu', medium: 'raw', root: folder, file: 'data', fileBytes, cacheBytes: 32 * LINE, lineBytes: LINE, items: 24, accessBytes: LINE,
    workload: read, threads: 1, io: 'auto', advice: 'normal', ...more,
  });
  beforeAll(() => makeDataFile(join(folder, 'data'), fileBytes, SEED));

  test.each([1, 3])('reads what is in the file, with %i threads of the host', async (threads) => {
    const prepared = await system.prepare(job({ threads }));
    try {
      for (let run = 0; run < 3; run++) {
        const round = roundOf(randomAccesses(randomOf(SEED, run), { items: 24, count: 60, bytes: 1024, fileBytes }));
        expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);

  test.each([1, 3])('writes back what was updated, with %i threads of the host', async (threads) => {
    const name = `updated-${threads}`;
    copyFileSync(join(folder, 'data'), join(folder, name));
    const file = wordsOf(fileBytes);
    const prepared = await system.prepare(job({ threads, file: name, workload: update }));
    try {
      for (let run = 0; run < 3; run++) {
        const { round, expected } = updates(file, run, { items: 24, count: 20, bytes: 1024 });
        expect((await prepared.run(round)).totals).toEqual(expected);
        await prepared.settle();
        expect(Buffer.compare(await readFile(join(folder, name)), bytesOfWords(file))).toBe(0);
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);

  const shape = (more: Partial<BamShape>): BamShape => ({ fileBytes, lineBytes: LINE, slots: 32, items: 24, stages: 1, queues: 3, depth: 16, ids: 32, flushWarps: 1, ...more });
  const rounds = async (baseline: Baseline, workload: Workload, name: string, roundFor: (file: Uint32Array, run: number) => Checked): Promise<void> => {
    copyFileSync(join(folder, 'data'), join(folder, name));
    const file = wordsOf(fileBytes);
    const prepared = await prepareBaseline('bam', job({ file: name, workload, threads: 2 }), baseline);
    try {
      for (let run = 0; run < 2; run++) {
        const { round, expected } = roundFor(file, run);
        expect((await prepared.run(round)).totals).toEqual(expected);
        await prepared.settle();
        expect(Buffer.compare(await readFile(join(folder, name)), bytesOfWords(file))).toBe(0);
      }
    } finally {
      await prepared.close();
    }
  };

  test.each([1, 3001])('gets and sets elements of an array, %i words from lane to lane', async (stride) => {
    await rounds(cacheOnly(bamBaseline(shape({ stages: 32, flushWarps: 2 }))), elements(true), `elements-${stride}`, (file, run) =>
      elementsOf(file, run, { items: 24, count: 30, lanes: 32, stride }));
  }, 60_000);

  test('leaves a pointer at its page, whether it is read or written there', async () => {
    await rounds(staying(bamBaseline(shape({ slots: 30 }))), update, 'staying', (file, run) => updates(file, run, { items: 24, count: 20, bytes: 1024 }));
  }, 60_000);
});

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'what the flaws of bam cost' : `SKIP ${cannot}`, () => {
  const LINE = 512, PAGES = 16, SLOTS = 4;
  /** Two walks of one warp over all pages, each access twice, then what was counted. */
  async function counted(flaws: readonly BamFlaw[], change = (baseline: Baseline): Baseline => baseline): Promise<{ commands: number; accesses: number; hits: number }> {
    const workload: Workload = {
      ...update,
      name: 'update_counted',
      outputs: { seen: 'u32[]' },
      begin: `
        if (lane.index == 0u) {
          seen[0] = atomic_load(bam_queue(bam_queues, bam_marks, 0u, bam_depth_shift, bam_id_count).words + BAM_IN_TICKET);
          seen[1] = atomic_load((WARPFS_DEVICE uint*)(bam_shared + BAM_ACCESSES));
          seen[2] = atomic_load((WARPFS_DEVICE uint*)(bam_shared + BAM_HITS));
        }`,
    };
    await makeDataFile(join(folder, 'small'), PAGES * LINE, SEED);
    const job = { device: 'cpu', medium: 'raw', root: folder, file: 'small', fileBytes: PAGES * LINE, workload, threads: 1 } as Job;
    const shape = { fileBytes: PAGES * LINE, lineBytes: LINE, slots: SLOTS, items: 1, stages: 1, queues: 1, depth: 8, ids: 8, flushWarps: 1 };
    const prepared = await prepareBaseline('bam', job, change(bamBaseline(shape, flaws)));
    try {
      const walk = Array.from({ length: 4 * PAGES }, (_, turn): Access => ({ offset: (Math.floor(turn / 2) % PAGES) * LINE, bytes: LINE }));
      const round = roundOf([walk], { outputs: { seen: 3 } });
      expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
      const { outputs } = await prepared.run(roundOf([[{ offset: 0, bytes: 0 }]], { outputs: { seen: 3 } }));
      const [commands = 0, accesses = 0, hits = 0] = outputs['seen'] as Uint32Array;
      return { commands, accesses, hits };
    } finally {
      await prepared.close();
    }
  }

  test('dirty_on_read writes what was only read', async () => {
    expect((await counted([])).commands).toBe(2 * PAGES);
    expect((await counted(['dirty_on_read'])).commands).toBe(2 * PAGES + 2 * PAGES - SLOTS);
  });

  test('fence_read asks for a block more with each read', async () => {
    expect((await counted(['fence_read'])).commands).toBe(4 * PAGES);
  });

  test('shared_counters count each lane of each access in two words, and a pointer that stays asks once', async () => {
    expect(await counted([])).toMatchObject({ accesses: 0, hits: 0 });
    expect(await counted(['shared_counters'])).toMatchObject({ accesses: 4 * PAGES * 32, hits: 2 * PAGES * 32 });
    expect(await counted(['shared_counters'], staying)).toMatchObject({ accesses: 2 * PAGES * 32, hits: 0 });
  });

  test('a warp gives up when all slots are in use, and leaves nothing behind', async () => {
    const baseline = bamBaseline({ fileBytes: 3 * LINE, lineBytes: LINE, slots: 2, items: 1, stages: 1, queues: 1, depth: 2, ids: 4, flushWarps: 1 });
    const fs = await mount({ root: folder, device: 'cpu', cache: { lines: 32 }, timeoutMs: 50 });
    try {
      const memories: Record<string, KernelMemory> = {};
      for (const [name, { bytes }] of [...Object.entries(baseline.memories), ['dma_stages', { bytes: 16 }], ['dma_file', { bytes: 16 }]] as const) memories[name] = await fs.memory({ bytes });
      const words = (name: string): Uint32Array => new Uint32Array(((memories[name] as KernelMemory).view as Uint8Array).buffer);
      const VALID_AND_USED = 0x80000001;
      for (const page of [0, 1]) {
        words('bam_pages').set([VALID_AND_USED, page], page * 8);
        words('bam_slots').set([0, page + 1], page * 8);
      }
      const numbers = { ...baseline.numbers, dma_way: 0, dma_way_back: 0 };
      const kernel = await fs.kernel({
        name: 'all_in_use',
        inputs: { ...Object.fromEntries(Object.keys(memories).map((name) => [name, 'memory' as const])), ...Object.fromEntries(Object.keys(numbers).map((name) => [name, 'u32' as const])) },
        outputs: {},
        prelude: baseline.part.prelude as string,
        source: `${baseline.part.open} return bam_ptr_move(fs, bam, bam_at, 2u, false);`,
      });
      await expect(kernel.dispatch({ items: 1, inputs: { ...memories, ...numbers } })).rejects.toThrow('ETIMEDOUT');
      expect([...words('bam_pages').subarray(0, 24)].filter((word) => word !== 0)).toEqual([VALID_AND_USED, VALID_AND_USED, 1]);
      expect([...words('bam_slots').subarray(0, 16)].filter((word) => word !== 0)).toEqual([1, 2]);
    } finally {
      await fs.unmount({ discard: true });
    }
  });
});

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'bam in check mode' : `SKIP ${cannot}`, () => {
  interface Scenario {
    flaws?: readonly BamFlaw[];
    memory?: 'sc' | 'relaxed';
    scheduler?: 'pos';
    items?: number;
    slots?: number;
    pages?: number;
    /** On the disk; fewer than the cache believes. */
    pagesOnDisk?: number;
    bytes?: number;
    count?: number;
    lanes?: number;
    queues?: number;
    depth?: number;
    ids?: number;
    asElements?: true;
  }
  async function found(scenario: Scenario, schedules: number): Promise<Found | undefined> {
    const { flaws = [], memory = 'sc', scheduler, items = 2, slots = 2, pages = 6, pagesOnDisk = pages, bytes = 256, count = 3, lanes = 1, queues = 1, depth = 2, ids = 4 } = scenario;
    const fileBytes = pages * 512;
    const baseline = bamBaseline({ fileBytes, lineBytes: 512, slots, items, stages: lanes, queues, depth, ids, flushWarps: 1 }, flaws);
    const file = wordsOf(fileBytes);
    const disk = bytesOfWords(file.slice(0, pagesOnDisk * 128));
    const asElements = scenario.asElements === true;
    const rounds = [0, 1].map((run) => (asElements ? elementsOf(file, run, { items, count, lanes, stride: 211 }) : updates(file, run, { items, count, bytes })));
    return checkBaseline({
      name: 'bam', baseline: asElements ? cacheOnly(baseline) : baseline, workload: asElements ? elements(true) : update, rounds, disk, diskAfter: bytesOfWords(file), schedules,
      check: { memory, seed: 7, laneCount: lanes, ...(scheduler === undefined ? {} : { scheduler }) },
    });
  }
  const oneQueue: Scenario = {};
  const twoQueues: Scenario = { items: 3, lanes: 2, queues: 2, depth: 4, ids: 8 };
  const onePage: Scenario = { pages: 1, bytes: 128, count: 2, scheduler: 'pos' };
  const sharedPages: Scenario = { items: 3, pages: 3, bytes: 128, count: 4 };
  const lanesApart: Scenario = { items: 2, lanes: 2, pages: 4, slots: 3, asElements: true };

  test.each(['sc', 'relaxed'] as const)('nothing is found without a flaw: %s memory', async (memory) => {
    for (const scenario of [oneQueue, twoQueues, onePage, sharedPages, lanesApart]) expect(await found({ ...scenario, memory }, 300)).toBeUndefined();
    expect(await found({ ...sharedPages, flaws: ['fence_read', 'shared_counters', 'dirty_on_read'], memory }, 200)).toBeUndefined();
  }, 120_000);

  test.each<[BamFlaw, Scenario, RegExp, number]>([
    ['wrong_index', oneQueue, /wrong_(total|disk)/, 20],
    ['short_translation', oneQueue, /wrong_(total|disk)/, 20],
    ['two_slots', onePage, /wrong_(total|disk)|deadlock/, 3000],
    ['doorbell_first', { ...oneQueue, memory: 'relaxed' }, /wrong_(total|disk)|deadlock|EIO/, 50],
    ['flush_without_wait', oneQueue, /wrong_disk/, 1],
    ['status_ignored', { ...oneQueue, pagesOnDisk: 5 }, /wrong_(total|disk)/, 1],
  ])('%s is found', async (flaw, scenario, kind, schedules) => {
    const what = await found({ ...scenario, flaws: [flaw] }, schedules);
    expect(what).toMatchObject({ kind: expect.stringMatching(kind) as string });
  }, 60_000);

  test('an error of the drive reaches the kernel', async () => {
    expect(await found({ ...oneQueue, pagesOnDisk: 5 }, 1)).toMatchObject({ message: expect.stringContaining('EIO') as string });
  }, 60_000);

  test.each(['sc', 'relaxed'] as const)('pages that cannot be read are given up, and their slots serve others: %s memory', async (memory) => {
    const file = wordsOf(4 * 512);
    const disk = bytesOfWords(file.slice(0, 2 * 128));
    file.fill(0, 2 * 128);
    const baseline = cacheOnly(bamBaseline({ fileBytes: 4 * 512, lineBytes: 512, slots: 2, items: 3, stages: 2, queues: 2, depth: 4, ids: 4, flushWarps: 1 }));
    const rounds = [elementsOf(file, READS_ALONE, { items: 3, count: 4, lanes: 2, stride: 211 })];
    const workload = elements(false, 'if (error == -Errno::eio) { value = 0u; error = 0; }');
    // Not under `pos`: warps that look for slots keep each other going, and there a drive may have to stand by for longer than a wait lasts.
    for (const scheduler of ['random', 'pct'] as const) {
      expect(await checkBaseline({ name: 'bam', baseline, workload, rounds, disk, schedules: 300, check: { memory, scheduler, seed: 3, laneCount: 2 } })).toBeUndefined();
    }
  }, 60_000);

  test('each flaw is in the table of the page', async () => {
    const page = await readFile(new URL('../native/shaders/baselines/BAM.md', import.meta.url), 'utf8');
    for (const flaw of Object.keys(bamFlaws)) expect(page).toContain(`| \`${flaw}\` |`);
  });
});
