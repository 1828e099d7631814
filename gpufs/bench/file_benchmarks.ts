// Whole files beside a plain C++ program that does the same with system calls in the same run: reads in order, random writes and a sync,
// reads among writes. Files are in the page cache of the host.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kernel } from '../kernel.ts';
import { mount } from '../mount.ts';
import { loadNativeBinding, type NativePlainLoop } from '../native_binding.ts';
import { type Benchmark, type BenchContext, mustBe } from './benchmark.ts';
import { makeDataFile, WORD_FACTOR } from './data_set.ts';

const PAGE_BYTES = 4096;
const BLOCK_BYTES = 32768;
const WARPS = 64;
const WORDS_PER_PAGE = PAGE_BYTES / 4;

async function makeCachedFile({ folder, seed }: BenchContext, bytes: number): Promise<string> {
  const path = join(folder, 'data.bin');
  await makeDataFile(path, bytes, seed);
  await readFile(path);
  return path;
}

/** Seconds of a plain loop. Its file, its seed and what else it needs are in `loop`. */
export function plainSeconds(name: 'plainReads' | 'plainWrites' | 'plainOpens', loop: Partial<NativePlainLoop> & { path: string }): number {
  const usual = { pages: 0, pageBytes: PAGE_BYTES, seed: 0, count: 0, start: 0, threads: 1, wordsApart: 1 };
  const { nanoseconds, wrongWords } = loadNativeBinding().binding[name]({ ...usual, ...loop });
  mustBe(wrongWords === 0, `${wrongWords} words that the plain loop read are wrong`);
  return nanoseconds / 1e9;
}

function total(counts: Uint32Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

// ---- reads in order ----

/** Each warp reads its own stretch of the file, and compares words of each block: all, or one of so many. */
const readStretches = {
  name: 'read_stretches',
  inputs: { path: 'string', blocks: 'u32', seed: 'u32', words_apart: 'u32' },
  outputs: { target: 'u8[]', wrong: 'u32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    WARPFS_DEVICE uchar* mine = target + (ulong)item * ${BLOCK_BYTES}u;
    WARPFS_DEVICE const uint* words = (WARPFS_DEVICE const uint*)mine;
    uint mismatches = 0;
    for (uint block = item * blocks; block < (item + 1u) * blocks; block++) {
      WARPFS_TRY(int bytes, gread(fs, file, (ulong)block * ${BLOCK_BYTES}u, ${BLOCK_BYTES}u, mine));
      if (bytes != ${BLOCK_BYTES}) mismatches++;
      const uint first = lane.index * ${BLOCK_BYTES / 128}u;
      uint expected = (block * ${BLOCK_BYTES / 4}u + first) * ${WORD_FACTOR}u + seed;
      if (words_apart == 1u) {
        for (uint word = first; word < first + ${BLOCK_BYTES / 128}u; word++) {
          mismatches += words[word] != expected ? 1u : 0u;
          expected += ${WORD_FACTOR}u;
        }
      } else if (first % words_apart == 0u) {
        mismatches += words[first] != expected ? 1u : 0u;
      }
    }
    mismatches = lane.sum(mismatches);
    if (lane.index == 0) wrong[item] = mismatches;
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;
  `,
} as const;

interface SequentialCase {
  name: string;
  question: string;
  /** The cache, as a part of the file. */
  cacheParts: number;
  threads: number;
  /** Threads of the daemon: one copies a page into a line that is far away more slowly than pread copies it into the same buffer again. */
  daemons?: number;
  wordsApart: number;
  atLeast?: number;
}

const SEQUENTIAL_WARPS = 8;

function sequentialBenchmark({ name, question, cacheParts, threads, daemons = 2, wordsApart, ...goal }: SequentialCase): Benchmark {
  return {
    name,
    unit: 'of pread',
    question,
    ...goal,
    async prepare(context) {
      const bytes = context.tiny ? 2 ** 21 : 2 ** 30;
      const path = await makeCachedFile(context, bytes);
      const { folder, device, seed } = context;
      const fs = await mount({ root: folder, device, cache: { lines: (bytes / PAGE_BYTES) * cacheParts }, daemon: { threads: daemons } });
      const kernel = await fs.kernel(readStretches);
      const ours = async (): Promise<number> => {
        const { wrong, report } = await kernel.dispatch({
          items: SEQUENTIAL_WARPS,
          inputs: { path: 'data.bin', blocks: bytes / BLOCK_BYTES / SEQUENTIAL_WARPS, seed, words_apart: wordsApart },
          outputs: { target: SEQUENTIAL_WARPS * BLOCK_BYTES, wrong: SEQUENTIAL_WARPS },
        });
        mustBe(total(wrong) === 0, `${total(wrong)} words that gread gave are wrong`);
        return report.nanoseconds / 1e9;
      };
      await ours(); // its memory is there, and what fits into the cache is in it
      return {
        async run() {
          const plain = plainSeconds('plainReads', { path, pages: bytes / BLOCK_BYTES, pageBytes: BLOCK_BYTES, seed, threads, wordsApart });
          return plain / (await ours());
        },
        close: () => fs.unmount(),
      };
    },
  };
}

// ---- writes, and reads among them ----

/** The pages of a file, and which seed the words of each have: a write makes them with the seed of its round. */
class PageFile {
  readonly #path: string;
  readonly #seeds: Uint32Array;
  constructor(path: string, pages: number, seed: number) {
    this.#path = path;
    this.#seeds = new Uint32Array(pages).fill(seed);
  }

  wrote(page: number, seed: number): void {
    this.#seeds[page] = seed;
  }

  /** Compares every byte of the file. */
  check(): void {
    const data = readFileSync(this.#path);
    const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
    mustBe(words.length === this.#seeds.length * WORDS_PER_PAGE, `the file has ${data.byteLength} bytes`);
    for (const [page, seed] of this.#seeds.entries()) {
      let expected = (Math.imul(page * WORDS_PER_PAGE, WORD_FACTOR) + seed) >>> 0;
      for (let word = page * WORDS_PER_PAGE; word < (page + 1) * WORDS_PER_PAGE; word++) {
        if (words[word] !== expected) throw new Error(`[bench] the word at byte ${word * 4} is ${words[word]}, not ${expected}`);
        expected = (expected + WORD_FACTOR) >>> 0;
      }
    }
  }
}

/** The numbers of the kernels and of the plain loops. */
class Draws {
  #state: number;
  constructor(start: number) {
    this.#state = (Math.imul(start, WORD_FACTOR) + 12345) >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state * limit) / 2 ** 32);
  }
}

/** Each warp goes to random pages: writes so many of ten, reads the others. What it reads is of one of the rounds so far. */
const touchPages = {
  name: 'touch_pages',
  inputs: { path: 'string', pages: 'u32', touches: 'u32', seed: 'u32', round: 'u32', start: 'u32', writes_of_ten: 'u32' },
  outputs: { target: 'u8[]', wrong: 'u32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, writes_of_ten == 0u ? WARPFS_RDONLY : WARPFS_RDWR));
    WARPFS_DEVICE uchar* mine = target + (ulong)item * 4096u;
    WARPFS_DEVICE uint* words = (WARPFS_DEVICE uint*)mine;
    uint random = (start + item) * ${WORD_FACTOR}u + 12345u;
    uint mismatches = 0;
    for (uint i = 0; i < touches; i++) {
      random = random * 1664525u + 1013904223u;
      const uint page = (uint)(((ulong)random * pages) >> 32);
      random = random * 1664525u + 1013904223u;
      const bool writes = (uint)(((ulong)random * 10u) >> 32) < writes_of_ten;
      uint expected = (page * 1024u + lane.index * 32u) * ${WORD_FACTOR}u + seed;
      int bytes = 0;
      if (writes) {
        for (uint word = lane.index * 32u; word < lane.index * 32u + 32u; word++) {
          words[word] = expected + round;
          expected += ${WORD_FACTOR}u;
        }
        warp_sync(lane);
        WARPFS_TRY(bytes, gwrite(fs, file, (ulong)page * 4096u, 4096u, mine));
      } else {
        WARPFS_TRY(bytes, gread(fs, file, (ulong)page * 4096u, 4096u, mine));
        for (uint word = lane.index * 32u; word < lane.index * 32u + 32u; word++) {
          mismatches += words[word] - expected > round ? 1u : 0u;
          expected += ${WORD_FACTOR}u;
        }
      }
      if (bytes != 4096) mismatches++;
    }
    mismatches = lane.sum(mismatches);
    if (lane.index == 0) wrong[item] = mismatches;
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;
  `,
} as const;

interface Touches {
  kernel: Kernel<typeof touchPages.inputs, typeof touchPages.outputs>;
  context: BenchContext;
  file: PageFile;
  pages: number;
  touches: number;
}

/** Seconds of 64 warps. `round` is the number that what they write carries. */
async function touchSeconds({ kernel, context, file, pages, touches }: Touches, round: number, writesOfTen: number): Promise<number> {
  const start = round * WARPS;
  const { wrong, report } = await kernel.dispatch({
    items: WARPS,
    inputs: { path: 'data.bin', pages, touches, seed: context.seed, round, start, writes_of_ten: writesOfTen },
    outputs: { target: WARPS * PAGE_BYTES, wrong: WARPS },
  });
  mustBe(total(wrong) === 0, `${total(wrong)} words that were read are wrong`);
  for (let warp = 0; warp < WARPS; warp++) {
    const draws = new Draws(start + warp);
    for (let touch = 0; touch < touches; touch++) {
      const page = draws.below(pages);
      if (draws.below(10) < writesOfTen) file.wrote(page, context.seed + round);
    }
  }
  return report.nanoseconds / 1e9;
}

/** `fileParts`: the file, as a multiple of the cache. */
function mixedBenchmark(name: string, question: string, fileParts: number): Benchmark {
  return {
    name,
    unit: 'times',
    question,
    atMost: 2.5,
    async prepare(context) {
      const { folder, device, seed, tiny } = context;
      const lines = tiny ? 128 : 4096;
      const pages = lines * fileParts;
      const file = new PageFile(await makeCachedFile(context, pages * PAGE_BYTES), pages, seed);
      const fs = await mount({ root: folder, device, cache: { lines } });
      const setup = { kernel: await fs.kernel(touchPages), context, file, pages, touches: tiny ? 16 : fileParts < 1 ? 4096 : 1024 };
      let round = 0;
      await touchSeconds(setup, round, 0);
      return {
        async run() {
          const reads = await touchSeconds(setup, ++round, 0);
          const mixed = await touchSeconds(setup, ++round, 3);
          file.check();
          return mixed / reads;
        },
        close: () => fs.unmount(),
      };
    },
  };
}

/** Each warp writes random pages; the one that ends last syncs. The handle is opened and closed outside. */
const writePages = {
  name: 'write_pages',
  inputs: { file: 'i32', pages: 'u32', writes: 'u32', seed: 'u32', start: 'u32' },
  outputs: { target: 'u8[]', ended: 'u32[]' },
  replay: false,
  source: `
    WARPFS_DEVICE uchar* mine = target + (ulong)item * 4096u;
    WARPFS_DEVICE uint* words = (WARPFS_DEVICE uint*)mine;
    uint random = (start + item) * ${WORD_FACTOR}u + 12345u;
    for (uint i = 0; i < writes; i++) {
      random = random * 1664525u + 1013904223u;
      const uint page = (uint)(((ulong)random * pages) >> 32);
      uint made = (page * 1024u + lane.index * 32u) * ${WORD_FACTOR}u + seed;
      for (uint word = lane.index * 32u; word < lane.index * 32u + 32u; word++) {
        words[word] = made;
        made += ${WORD_FACTOR}u;
      }
      warp_sync(lane);
      WARPFS_TRY(int bytes, gwrite(fs, file, (ulong)page * 4096u, 4096u, mine));
      if (bytes != 4096) return bytes;
    }
    uint before = 0;
    if (lane.index == 0) before = atomic_add(&ended[0], 1u);
    if (lane.broadcast(before, 0) == ${WARPS - 1}u) {
      WARPFS_TRY(int synced, gfsync(fs, file));
      if (synced != 0) return synced;
    }
  `,
} as const;

const openToWrite = {
  name: 'open_to_write',
  inputs: { path: 'string' },
  outputs: { file: 'i32[]' },
  source: `
    WARPFS_TRY(int opened, gopen(fs, path, WARPFS_RDWR));
    if (opened < 0) return opened;
    if (lane.index == 0) file[0] = opened;
  `,
} as const;

const writeBenchmark: Benchmark = {
  name: 'gwrite_random_4k',
  unit: 'of pwrite',
  question: 'How much of the writes of a plain loop of pwrite and then fdatasync do 64 warps and gfsync make: 4 KB each, a file 8 times the cache?',
  atLeast: 0.25,
  async prepare(context) {
    const { folder, device, seed, tiny } = context;
    const lines = tiny ? 128 : 4096;
    const pages = lines * 8;
    const writes = pages / WARPS;
    const path = await makeCachedFile(context, pages * PAGE_BYTES);
    const file = new PageFile(path, pages, seed);
    const fs = await mount({ root: folder, device, cache: { lines } });
    const kernel = await fs.kernel(writePages);
    const opened = await (await fs.kernel(openToWrite)).dispatch({ items: 1, inputs: { path: 'data.bin' }, outputs: { file: 1 } });
    let round = 0;
    const plain = (): number => {
      const loop = { seed: seed + ++round, start: round * WARPS };
      const seconds = plainSeconds('plainWrites', { path, pages, count: pages, ...loop });
      const draws = new Draws(loop.start);
      for (let write = 0; write < pages; write++) file.wrote(draws.below(pages), loop.seed);
      return seconds;
    };
    const ours = async (): Promise<number> => {
      const loop = { seed: seed + ++round, start: round * WARPS };
      const { report } = await kernel.dispatch({
        items: WARPS,
        inputs: { file: opened.file[0]!, pages, writes, ...loop },
        outputs: { target: WARPS * PAGE_BYTES, ended: 1 },
      });
      for (let warp = 0; warp < WARPS; warp++) {
        const draws = new Draws(loop.start + warp);
        for (let write = 0; write < writes; write++) file.wrote(draws.below(pages), loop.seed);
      }
      return report.nanoseconds / 1e9;
    };
    plain(); // the blocks of the file are on the disk, and their place is known
    return {
      async run() {
        const theirs = plain();
        file.check();
        const mine = await ours();
        file.check();
        return theirs / mine;
      },
      close: () => fs.unmount(),
    };
  },
};

export const fileBenchmarks: Benchmark[] = [
  sequentialBenchmark({
    name: 'gread_sequential_32k',
    question: 'How much of what a plain loop of pread on one thread reads in blocks of 32 KB does a kernel read, with two daemon threads, from a file 4 times the cache, every word compared?',
    cacheParts: 1 / 4, threads: 1, wordsApart: 1, atLeast: 0.6,
  }),
  sequentialBenchmark({
    name: 'gread_sequential_32k_one_daemon',
    question: 'The same with one daemon thread, as mounts have it by default?',
    cacheParts: 1 / 4, threads: 1, daemons: 1, wordsApart: 1,
  }),
  sequentialBenchmark({
    name: 'gread_sequential_32k_two_threads',
    question: 'The same, beside two threads of pread?',
    cacheParts: 1 / 4, threads: 2, wordsApart: 1,
  }),
  sequentialBenchmark({
    name: 'gread_sequential_32k_bare',
    question: 'The same as gread_sequential_32k, with one word in 1024 compared?',
    cacheParts: 1 / 4, threads: 1, wordsApart: WORDS_PER_PAGE,
  }),
  sequentialBenchmark({
    name: 'gread_sequential_32k_warm',
    question: 'The same as gread_sequential_32k, from a cache that holds the file?',
    cacheParts: 2, threads: 1, wordsApart: 1, atLeast: 0.6,
  }),
  writeBenchmark,
  mixedBenchmark('mixed_70_30', 'How many times longer do 64 warps take with 30 % writes than with reads alone: random pages of 4 KB, a file 8 times the cache?', 8),
  mixedBenchmark('mixed_70_30_cached', 'The same, with a file that is a quarter of the cache?', 1 / 4),
];
