// What a benchmark is, and how it is run: prepared once, run several times, reported as median, least and most.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MountOptions } from '../options.ts';
import { type Summary, summarize } from './statistics.ts';

export interface BenchContext {
  seed: number;
  /** Sizes that only show that the benchmark works. */
  tiny: boolean;
  device: NonNullable<MountOptions['device']>;
  /** Files and compiled kernels go here; empty at the start, removed at the end. */
  folder: string;
}

export interface PreparedBenchmark {
  /** One measurement, in the unit of the benchmark. Throws where the work it measured was done wrong. */
  run(): Promise<number>;
  close?(): Promise<void>;
}

export interface Benchmark {
  name: string;
  unit: string;
  question: string;
  /** The goal: the median must not be below or above it. */
  atLeast?: number;
  atMost?: number;
  /** Why it says nothing of another device than the cpu device, and is left out there. */
  cpuOnly?: string;
  prepare(context: BenchContext): Promise<PreparedBenchmark>;
}

export interface BenchRow extends Summary {
  name: string;
  unit: string;
  value: number;
  values: number[];
  goal: string;
  reached: boolean;
}

export const RUNS_MIN = 5;
/** More than the least: machines are noisy. */
export const RUNS_USUAL = 9;

export async function runBenchmark(benchmark: Benchmark, context: Omit<BenchContext, 'folder'>, runs: number): Promise<BenchRow> {
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-bench-'));
  try {
    const prepared = await benchmark.prepare({ ...context, folder });
    try {
      const values: number[] = [];
      for (let run = 0; run < runs; run++) values.push(await prepared.run());
      return makeRow(benchmark, values);
    } finally {
      await prepared.close?.();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeRow({ name, unit, atLeast, atMost }: Benchmark, values: number[]): BenchRow {
  const summary = summarize(values);
  const value = summary.median;
  const goals = [...(atLeast === undefined ? [] : [`>= ${atLeast}`]), ...(atMost === undefined ? [] : [`<= ${atMost}`])];
  const reached = value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
  return { name, unit, value, ...summary, values, goal: goals.join(' and '), reached };
}

export function mustBe(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`[bench] ${message}`);
}
