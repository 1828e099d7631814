// Random reads of 4 KB by programs of many warps, every byte checked. The question and the prediction are in README.md.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstWrongByte, makeDataFile } from '../../gpufs/bench/data_set.ts';
import { describeMedium } from '../../gpufs/media/report.ts';
import { Random } from '../../gpufs/random.ts';
import { percentile, summarize } from '../../gpufs/bench/statistics.ts';
import { errnoName, mount, type Mount, type Operation } from '../../gpufs/index.ts';
import type { Experiment, ExperimentContext, ExperimentResult, ExperimentRow } from '../experiment.ts';
import { appendRuns, prepareOutputFolder, type RunRecord } from '../result_file.ts';

const READ_BYTES = 4096;
const READS_PER_PROGRAM = 16;
const FILE = 'data.bin';

const units = {
  readsPerSecondDevice: 'reads/s',
  readsPerSecondWall: 'reads/s',
  mibPerSecondDevice: 'MiB/s',
  latencyP50: 'us',
  latencyP99: 'us',
  hitRatio: '%',
  hits: 'lines',
  misses: 'lines',
  evictions: 'lines',
} as const;
type Values = Record<keyof typeof units, number>;

interface Plan {
  reads: number;
  warps: number;
  pages: number;
  seed: number;
}

export const randomRead: Experiment = {
  name: 'random_read',
  summary: 'random reads of 4 KB through a cache that is smaller than the file',
  options: [
    { name: 'reads', what: 'reads of one timed run', min: 1, max: 100_000_000, usual: 20_000, tiny: 500 },
    { name: 'runs', what: 'timed runs', min: 1, max: 1000, usual: 5, tiny: 2 },
    { name: 'warps', what: 'warps of one program', min: 1, max: 64, usual: 64, tiny: 8 },
    { name: 'file-mib', what: 'size of the file in MiB', min: 1, max: 1_048_576, usual: 64, tiny: 4 },
    { name: 'lines', what: 'lines of 4 KB in the cache', min: 1, max: 2 ** 30, usual: 4096, tiny: 256 },
  ],
  run: runRandomRead,
};

async function runRandomRead(context: ExperimentContext): Promise<ExperimentResult> {
  const { values: options, seed } = context;
  const fileBytes = option(options, 'file-mib') * 2 ** 20;
  const plan: Plan = { reads: option(options, 'reads'), warps: option(options, 'warps'), pages: fileBytes / READ_BYTES, seed };
  const runCount = option(options, 'runs');
  await prepareOutputFolder(context.outputFolder);
  const root = await mkdtemp(join(tmpdir(), 'warpfs-random-read-'));
  const records: RunRecord[] = [];
  const measured: Values[] = [];
  let failure: string | undefined;
  let mediumNote: string | undefined;
  try {
    await makeDataFile(join(root, FILE), fileBytes, seed);
    await using fs = await mount({ root, device: context.device, medium: context.medium, cache: { lines: option(options, 'lines'), lineBytes: READ_BYTES } });
    const random = new Random(seed);
    const total = plan.reads * (runCount + 1);
    let done = 0;
    const advance = (reads: number) => context.progress((done += reads), total);
    // The first run fills the cache and is not counted.
    failure = (await timedRun(fs, plan, random, advance)).failure;
    for (let run = 0; run < runCount && failure === undefined; run++) {
      const { values, failure: wrong } = await timedRun(fs, plan, random, advance);
      failure = wrong;
      if (wrong === undefined) measured.push(values);
      records.push({ seed, options: { ...options, device: fs.device.name, engine: fs.device.engine, medium: fs.device.medium }, values, verified: wrong === undefined });
    }
    const { medium } = fs.describe();
    if (medium !== undefined) mediumNote = describeMedium(fs.device.medium, medium);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  const resultFile = await appendRuns(context.outputFolder, 'random_read', records);
  const outcome = { rows: rowsOf(measured), verified: failure === undefined, resultFile, ...(mediumNote === undefined ? {} : { mediumNote }) };
  return failure === undefined ? outcome : { ...outcome, failure };
}

interface TimedRun {
  values: Values;
  failure?: string;
}

async function timedRun(fs: Mount, plan: Plan, random: Random, advance: (reads: number) => void): Promise<TimedRun> {
  const before = fs.stats();
  const latencies: number[] = [];
  let made = 0;
  let deviceNanoseconds = 0;
  let wallMilliseconds = 0;
  let failure: string | undefined;
  for (let left = plan.reads; left > 0 && failure === undefined; ) {
    const batch = makeBatch(plan, Math.min(left, plan.warps * READS_PER_PROGRAM), random);
    const start = performance.now();
    const results = await fs.run(batch.programs, { onReport: (report) => (deviceNanoseconds += report.nanoseconds) });
    wallMilliseconds += performance.now() - start;
    results.forEach((steps, warp) => {
      steps.forEach((step, index) => {
        const offset = batch.offsets[warp]?.[index];
        failure ??= wrongStep(step.result, step.data, offset, plan.seed);
        if (offset !== undefined) latencies.push(step.nanoseconds / 1000);
      });
    });
    left -= batch.reads;
    made += batch.reads;
    advance(batch.reads);
  }
  const after = fs.stats();
  const hits = after.hits - before.hits;
  const misses = after.misses - before.misses;
  const perSecond = made / (deviceNanoseconds / 1e9);
  const values: Values = {
    readsPerSecondDevice: perSecond,
    readsPerSecondWall: made / (wallMilliseconds / 1e3),
    mibPerSecondDevice: (perSecond * READ_BYTES) / 2 ** 20,
    latencyP50: percentile(latencies, 0.5),
    latencyP99: percentile(latencies, 0.99),
    hitRatio: (100 * hits) / Math.max(1, hits + misses),
    hits,
    misses,
    evictions: after.evictions - before.evictions,
  };
  return failure === undefined ? { values } : { values, failure };
}

interface Batch {
  programs: Operation[][];
  /** Of each read, at the index of its step; other steps have none. */
  offsets: (number | undefined)[][];
  reads: number;
}

function makeBatch({ warps, pages }: Plan, reads: number, random: Random): Batch {
  const batch: Batch = { programs: [], offsets: [], reads };
  for (let warp = 0; warp < Math.min(warps, reads); warp++) {
    const mine = Math.floor(reads / warps) + (warp < reads % warps ? 1 : 0);
    const offsets = Array.from({ length: mine }, () => random.below(pages) * READ_BYTES);
    batch.programs.push([
      { op: 'open', path: FILE, mode: 'r' },
      ...offsets.map((offset) => ({ op: 'read' as const, file: 0, offset, length: READ_BYTES })),
      { op: 'close', file: 0 },
    ]);
    batch.offsets.push([undefined, ...offsets, undefined]);
  }
  return batch;
}

/** What is wrong with the result of a step; undefined where nothing is. */
function wrongStep(result: number, data: Uint8Array | undefined, offset: number | undefined, seed: number): string | undefined {
  if (result < 0) return `${offset === undefined ? 'an open or close' : `the read at byte ${offset}`} failed with ${errnoName(result) ?? result}`;
  if (offset === undefined) return undefined;
  if (result !== READ_BYTES || data === undefined) return `the read at byte ${offset} gave ${result} of ${READ_BYTES} bytes`;
  const wrong = firstWrongByte(data, offset, seed);
  return wrong < 0 ? undefined : `byte ${wrong} of the file came out wrong`;
}

function rowsOf(measured: readonly Values[]): ExperimentRow[] {
  if (measured.length === 0) return [];
  return Object.entries(units).map(([name, unit]) => {
    const { median, min, max, runs } = summarize(measured.map((values) => values[name as keyof Values]));
    return { name, unit, value: median, runs, min, max };
  });
}

function option(values: Readonly<Record<string, number>>, name: string): number {
  const value = values[name];
  if (value === undefined) throw new Error(`[random_read] option ${name} is missing`);
  return value;
}
