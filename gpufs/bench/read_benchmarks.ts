// Reads of 4 KB by a user's kernel: from the cache, and from a file that the host has in its page cache.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '../kernel.ts';
import { mount, type Mount } from '../mount.ts';
import { type Benchmark, type BenchContext, mustBe, type PreparedBenchmark } from './benchmark.ts';
import { makeDataFile } from './data_set.ts';

const PAGE_BYTES = 4096;
const WARPS = 64;

/** Each warp reads random pages into its own page of `target`; with `check` it compares every word of every read. */
const readPages = {
  name: 'read_pages',
  inputs: { path: 'string', pages: 'u32', reads: 'u32', seed: 'u32', start: 'u32', check: 'u32' },
  outputs: { target: 'u8[]', wrong: 'u32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    WARPFS_DEVICE uchar* mine = target + (ulong)item * 4096u;
    WARPFS_DEVICE const uint* words = (WARPFS_DEVICE const uint*)mine;
    uint random = (start + item) * 2654435761u + 12345u;
    uint mismatches = 0;
    for (uint i = 0; i < reads; i++) {
      random = random * 1664525u + 1013904223u;
      const uint page = (uint)(((ulong)random * pages) >> 32);
      WARPFS_TRY(int bytes, gread(fs, file, (ulong)page * 4096u, 4096u, mine));
      if (bytes != 4096) mismatches++;
      if (check != 0) {
        for (uint word = lane.index; word < 1024u; word += lane.count) {
          mismatches += words[word] != (page * 1024u + word) * 2654435761u + seed ? 1u : 0u;
        }
      }
    }
    mismatches = lane.sum(mismatches);
    if (lane.index == 0) wrong[item] = mismatches;
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;
  `,
} as const;

type ReadPages = Kernel<typeof readPages.inputs, typeof readPages.outputs>;

interface Setup {
  fs: Mount;
  kernel: ReadPages;
  pages: number;
  context: BenchContext;
}

async function setUp(context: BenchContext, lines: number, pages: number): Promise<Setup> {
  const path = join(context.folder, 'data.bin');
  await makeDataFile(path, pages * PAGE_BYTES, context.seed);
  await readFile(path); // the host has it in its page cache from now on
  const fs = await mount({ root: context.folder, device: context.device, cache: { lines, lineBytes: PAGE_BYTES } });
  return { fs, kernel: await fs.kernel(readPages), pages, context };
}

interface Launch {
  warps: number;
  reads: number;
  start: number;
  check: boolean;
}

/** Reads per second of device time. Throws where a word was wrong. */
async function readsPerSecond({ kernel, pages, context }: Setup, { warps, reads, start, check }: Launch): Promise<number> {
  const { wrong, report } = await kernel.dispatch({
    items: warps,
    inputs: { path: 'data.bin', pages, reads, seed: context.seed, start, check: check ? 1 : 0 },
    outputs: { target: warps * PAGE_BYTES, wrong: warps },
  });
  const mismatches = wrong.reduce((total, count) => total + count, 0);
  mustBe(mismatches === 0, `${mismatches} words that were read are wrong`);
  return (warps * reads) / (report.nanoseconds / 1e9);
}

/** Pages that are all in the cache: a small file in a cache that is four times its size. */
function hitBenchmark(check: boolean): (context: BenchContext) => Promise<PreparedBenchmark> {
  return async (context) => {
    const pages = context.tiny ? 64 : 1024;
    const reads = context.tiny ? 16 : 2000;
    const setup = await setUp(context, pages * 4, pages);
    await readsPerSecond(setup, { warps: WARPS, reads: pages, start: 0, check: true });
    let start = 1;
    return {
      async run() {
        const before = setup.fs.stats();
        const rate = await readsPerSecond(setup, { warps: WARPS, reads, start: start++ * WARPS, check });
        const missed = setup.fs.stats().misses - before.misses;
        mustBe(missed <= pages * 0.05, `${missed} of the reads missed`);
        return rate / usedCores(setup.fs, WARPS);
      },
      close: () => setup.fs.unmount(),
    };
  };
}

/** Random pages of a file that is eight times as large as the cache. */
async function missSetup(context: BenchContext): Promise<Setup> {
  const lines = context.tiny ? 128 : 4096;
  return setUp(context, lines, lines * 8);
}

function usedCores(fs: Mount, warps: number): number {
  return Math.min(fs.device.workers, availableParallelism(), warps);
}

export const readBenchmarks: Benchmark[] = [
  {
    name: 'gread_hit_4k',
    unit: 'reads/s/core',
    question: 'How many reads of 4 KB that hit does one core make?',
    prepare: hitBenchmark(false),
  },
  {
    name: 'gread_hit_4k_checked',
    unit: 'reads/s/core',
    question: 'The same, with every word compared in the kernel?',
    prepare: hitBenchmark(true),
  },
  {
    name: 'gread_miss_4k',
    unit: 'reads/s/core',
    question: 'How many random reads of 4 KB does one core make, from a file that is eight times the cache?',
    async prepare(context) {
      const setup = await missSetup(context);
      const reads = context.tiny ? 4 : 512;
      let start = 0;
      return {
        run: async () => (await readsPerSecond(setup, { warps: WARPS, reads, start: start++ * WARPS, check: true })) / usedCores(setup.fs, WARPS),
        close: () => setup.fs.unmount(),
      };
    },
  },
  {
    name: 'gread_miss_64_to_1',
    unit: 'times',
    question: 'How much faster do 64 warps miss than one?',
    async prepare(context) {
      const setup = await missSetup(context);
      const reads = context.tiny ? 4 : 256;
      let start = 0;
      return {
        async run() {
          const one = await readsPerSecond(setup, { warps: 1, reads: reads * 8, start: start++ * WARPS, check: true });
          const many = await readsPerSecond(setup, { warps: WARPS, reads, start: start++ * WARPS, check: true });
          return many / one;
        },
        close: () => setup.fs.unmount(),
      };
    },
  },
];
