// Reads of 4 KB by a user's kernel: from the cache, and from a file that the host has in its page cache.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '../kernel.ts';
import { mount, type Mount } from '../mount.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { type Benchmark, type BenchContext, mustBe } from './benchmark.ts';
import { makeDataFile } from './data_set.ts';

const PAGE_BYTES = 4096;
const WARPS = 64;

/** Each warp reads random pages into its own page of `target` and compares every word of every read. */
const readPages = {
  name: 'read_pages',
  inputs: { path: 'string', pages: 'u32', reads: 'u32', seed: 'u32', start: 'u32' },
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
      uint expected = (page * 1024u + lane.index * 32u) * 2654435761u + seed;
      for (uint word = lane.index * 32u; word < lane.index * 32u + 32u; word++) {
        mismatches += words[word] != expected ? 1u : 0u;
        expected += 2654435761u;
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
}

/** Reads per second of device time. Throws where a word was wrong. */
async function readsPerSecond({ kernel, pages, context }: Setup, { warps, reads, start }: Launch): Promise<number> {
  const { wrong, report } = await kernel.dispatch({
    items: warps,
    inputs: { path: 'data.bin', pages, reads, seed: context.seed, start },
    outputs: { target: warps * PAGE_BYTES, wrong: warps },
  });
  const mismatches = wrong.reduce((total, count) => total + count, 0);
  mustBe(mismatches === 0, `${mismatches} words that were read are wrong`);
  return (warps * reads) / (report.nanoseconds / 1e9);
}

/** Pages that are all in the cache: a small file in a cache that is four times its size. */
async function hitSetup(context: BenchContext): Promise<Setup & { reads: number; allHit: (rate: () => Promise<number>) => Promise<number> }> {
  const pages = context.tiny ? 64 : 1024;
  const setup = await setUp(context, pages * 4, pages);
  await readsPerSecond(setup, { warps: WARPS, reads: pages, start: 0 });
  const allHit = async (rate: () => Promise<number>): Promise<number> => {
    const before = setup.fs.stats().misses;
    const value = await rate();
    const missed = setup.fs.stats().misses - before;
    mustBe(missed <= pages * 0.05, `${missed} of the reads missed`);
    return value;
  };
  return { ...setup, reads: context.tiny ? 16 : 2000, allHit };
}

/** Random pages of a file that is eight times as large as the cache. */
async function missSetup(context: BenchContext): Promise<Setup> {
  const lines = context.tiny ? 128 : 4096;
  return setUp(context, lines, lines * 8);
}

function usedCores(fs: Mount, warps: number): number {
  return Math.min(fs.device.workers, availableParallelism(), warps);
}

/** Reads per second of one thread that preads the same pages in a loop. */
function preadRate({ context, pages }: Setup, reads: number, start: number): number {
  const { nanoseconds, wrongWords } = loadNativeBinding().binding.preadLoop({
    path: join(context.folder, 'data.bin'), pages, pageBytes: PAGE_BYTES, reads, seed: context.seed, start,
  });
  mustBe(wrongWords === 0, `${wrongWords} words that pread gave are wrong`);
  return reads / (nanoseconds / 1e9);
}

export const readBenchmarks: Benchmark[] = [
  {
    name: 'gread_hit_4k',
    unit: 'reads/s/core',
    question: 'How many reads of 4 KB that hit does one core make, every word compared?',
    atLeast: 500_000,
    async prepare(context) {
      const setup = await hitSetup(context);
      let start = 1;
      return {
        run: () => setup.allHit(async () => {
          const rate = await readsPerSecond(setup, { warps: WARPS, reads: setup.reads, start: start++ * WARPS });
          return rate / usedCores(setup.fs, WARPS);
        }),
        close: () => setup.fs.unmount(),
      };
    },
  },
  {
    name: 'gread_hit_64_to_1',
    unit: 'times per core',
    question: 'How many times the reads that hit of one warp do 64 warps make, for each core?',
    atLeast: 1,
    async prepare(context) {
      const setup = await hitSetup(context);
      let start = 1;
      return {
        run: () => setup.allHit(async () => {
          const one = await readsPerSecond(setup, { warps: 1, reads: setup.reads * 16, start: start++ * WARPS });
          const many = await readsPerSecond(setup, { warps: WARPS, reads: setup.reads, start: start++ * WARPS });
          return many / one / usedCores(setup.fs, WARPS);
        }),
        close: () => setup.fs.unmount(),
      };
    },
  },
  {
    name: 'gread_miss_4k',
    unit: 'reads/s/core',
    question: 'How many random reads of 4 KB does one core make, from a page-cached file that is eight times the cache, every word compared?',
    atLeast: 150_000,
    async prepare(context) {
      const setup = await missSetup(context);
      const reads = context.tiny ? 4 : 512;
      let start = 0;
      return {
        run: async () => (await readsPerSecond(setup, { warps: WARPS, reads, start: start++ * WARPS })) / usedCores(setup.fs, WARPS),
        close: () => setup.fs.unmount(),
      };
    },
  },
  {
    name: 'pread_to_gread_miss_4k',
    unit: 'times',
    question: 'How many times the reads that miss of one core does a plain loop of pread make on one core, in the same run?',
    atMost: 4,
    async prepare(context) {
      const setup = await missSetup(context);
      const reads = context.tiny ? 4 : 512;
      let start = 0;
      return {
        async run() {
          const plain = preadRate(setup, reads * WARPS, start++ * WARPS);
          const ours = await readsPerSecond(setup, { warps: WARPS, reads, start: start++ * WARPS });
          return plain / (ours / usedCores(setup.fs, WARPS));
        },
        close: () => setup.fs.unmount(),
      };
    },
  },
  {
    name: 'gread_miss_64_to_1',
    unit: 'times',
    question: 'How many times the reads that miss of one warp do 64 warps make? One warp and the daemon already keep two cores busy.',
    async prepare(context) {
      const setup = await missSetup(context);
      const reads = context.tiny ? 4 : 256;
      let start = 0;
      return {
        async run() {
          const one = await readsPerSecond(setup, { warps: 1, reads: reads * 8, start: start++ * WARPS });
          const many = await readsPerSecond(setup, { warps: WARPS, reads, start: start++ * WARPS });
          return many / one;
        },
        close: () => setup.fs.unmount(),
      };
    },
  },
];
