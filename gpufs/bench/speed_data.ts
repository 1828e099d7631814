// How much data the benchmarks of a GPU work with, and the file that those share that only read it.
import { existsSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchContext } from './benchmark.ts';
import { makeDataFile } from './data_set.ts';

export const PAGE_BYTES = 4096;

/** A cold file is so many times as large as the cache that it is read through. */
export const COLD_TIMES = 8;

export interface Sizes {
  /** All of it lies in the cache. */
  hotBytes: number;
  coldBytes: number;
  /** At most. */
  warps: number;
}

export function sizesOf({ tiny }: Pick<BenchContext, 'tiny'>): Sizes {
  // Tiny runs have warps enough that one which was late in the run before, and finds its pages again, is a small part of the misses.
  return tiny ? { hotBytes: 2 ** 22, coldBytes: 2 ** 23, warps: 64 } : { hotBytes: 2 ** 30, coldBytes: 2 ** 32, warps: 4096 };
}

/** Made by the first who asks, in the page cache of the host and on its disk: nothing is written back while somebody measures. */
export async function sharedDataFile({ sharedFolder, seed }: Pick<BenchContext, 'sharedFolder' | 'seed'>, bytes: number): Promise<string> {
  const path = join(sharedFolder, sharedDataName({ seed }, bytes));
  if (existsSync(path)) return path;
  await makeDataFile(`${path}.part`, bytes, seed);
  const file = await open(`${path}.part`, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
  return path;
}

export function sharedDataName({ seed }: Pick<BenchContext, 'seed'>, bytes: number): string {
  return `data-${seed}-${bytes}.bin`;
}
