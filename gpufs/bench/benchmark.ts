// What a benchmark is, and how it is run: prepared once, run several times, reported as median, least and most.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NativeYardstick } from '../native_binding.ts';
import type { MountOptions } from '../options.ts';
import { type Summary, summarize } from './statistics.ts';

export interface BenchContext {
  seed: number;
  /** Sizes that only show that the benchmark works. */
  tiny: boolean;
  device: NonNullable<MountOptions['device']>;
  /** Files and compiled kernels go here; empty at the start, removed at the end. */
  folder: string;
  /** Large files that several benchmarks read; removed when all have run. */
  sharedFolder: string;
  /** For tests: instead of one on the GPU. */
  yardstick?: () => Promise<NativeYardstick>;
}

/** What runBenchmark is told. */
export interface BenchSettings extends Omit<BenchContext, 'folder' | 'sharedFolder'> {
  /** The folders of a benchmark are made in this one; default: that of the system for temporary files. */
  root?: string;
  sharedFolder?: string;
}

/** Something and what it is compared with, measured in the same run. */
export interface Compared {
  value: number;
  ceiling: number;
}

export interface PreparedBenchmark {
  /** One measurement, in the unit of the benchmark. Throws where the work it measured was done wrong. */
  run(): Promise<number | Compared>;
  /** What has to be known to understand the numbers; asked for when all is measured. */
  note?(): string;
  close?(): Promise<void>;
}

export interface Benchmark {
  name: string;
  unit: string;
  question: string;
  /** The goal: the median must not be below or above it. */
  atLeast?: number;
  atMost?: number;
  /** The ceiling that each run measures as well, and what part of it the median must reach. */
  ratioTo?: string;
  ratioAtLeast?: number;
  /** Why it says nothing of another device than the cpu device, and is left out there. */
  cpuOnly?: string;
  /** It is listed and run on the cuda device alone. */
  cudaOnly?: true;
  /** It is one of many of its kind, and is run where it is named alone. */
  onRequest?: true;
  prepare(context: BenchContext): Promise<PreparedBenchmark>;
}

export interface RatioRow {
  name: string;
  /** The ceiling, in the unit of the row. */
  ceiling: Summary & { values: number[] };
  /** Run by run. */
  ratio: Summary & { values: number[] };
  goal: string;
  reached: boolean;
}

export interface BenchRow extends Summary {
  name: string;
  unit: string;
  value: number;
  values: number[];
  goal: string;
  reached: boolean;
  note?: string;
  ratioTo?: RatioRow;
}

export const RUNS_MIN = 5;
/** More than the least: machines are noisy. */
export const RUNS_USUAL = 9;

export async function runBenchmark(benchmark: Benchmark, { root = tmpdir(), sharedFolder, ...settings }: BenchSettings, runs: number): Promise<BenchRow> {
  const folder = mkdtempSync(join(root, 'warpfs-bench-'));
  try {
    const shared = sharedFolder ?? join(folder, 'shared');
    mkdirSync(shared, { recursive: true });
    const prepared = await benchmark.prepare({ ...settings, folder, sharedFolder: shared });
    try {
      const measured: (number | Compared)[] = [];
      for (let run = 0; run < runs; run++) measured.push(await prepared.run());
      return makeRow(benchmark, measured, prepared.note?.());
    } finally {
      await prepared.close?.();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeRow(benchmark: Benchmark, measured: readonly (number | Compared)[], note: string | undefined): BenchRow {
  const { name, unit, atLeast, atMost } = benchmark;
  const values = measured.map((one) => (typeof one === 'number' ? one : one.value));
  const compared = measured.filter((one): one is Compared => typeof one !== 'number');
  const summary = summarize(values);
  const value = summary.median;
  const ratioTo = ratioRow(benchmark, compared);
  const row = { name, unit, value, ...summary, values, ...judge(value, atLeast, atMost) };
  return { ...row, ...(note === undefined || note === '' ? {} : { note }), ...(ratioTo === undefined ? {} : { ratioTo }) };
}

function ratioRow({ ratioTo, ratioAtLeast }: Benchmark, compared: readonly Compared[]): RatioRow | undefined {
  if (ratioTo === undefined || compared.length === 0) return undefined;
  const ceilings = compared.map(({ ceiling }) => ceiling);
  const ratios = compared.map(({ value, ceiling }) => value / ceiling);
  const ratio = { ...summarize(ratios), values: ratios };
  return { name: ratioTo, ceiling: { ...summarize(ceilings), values: ceilings }, ratio, ...judge(ratio.median, ratioAtLeast, undefined) };
}

function judge(value: number, atLeast: number | undefined, atMost: number | undefined): { goal: string; reached: boolean } {
  const goals = [...(atLeast === undefined ? [] : [`>= ${atLeast}`]), ...(atMost === undefined ? [] : [`<= ${atMost}`])];
  return { goal: goals.join(' and '), reached: value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity) };
}

export type CloseLater = (close: () => Promise<void> | void) => void;

/** What is opened on the way is closed in the end, the last first, also where the preparation fails. */
export function preparing(prepare: (context: BenchContext, closeLater: CloseLater) => Promise<Omit<PreparedBenchmark, 'close'>>): Benchmark['prepare'] {
  return async (context) => {
    const closers: (() => Promise<void> | void)[] = [];
    const close = async (): Promise<void> => {
      for (let next = closers.pop(); next !== undefined; next = closers.pop()) await next();
    };
    try {
      return { ...(await prepare(context, (closer) => closers.push(closer))), close };
    } catch (error) {
      await close();
      throw error;
    }
  };
}

export function mustBe(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`[bench] ${message}`);
}
