// What waiting by replay costs: rounds beside those that the misses make necessary, and reads from a slow medium beside warps that wait on the device.
import { join } from 'node:path';
import type { Kernel } from '../kernel.ts';
import { media } from '../media/media.ts';
import { mount } from '../mount.ts';
import type { MountOptions } from '../options.ts';
import { type Benchmark, type BenchContext, type CloseLater, mustBe, preparing } from './benchmark.ts';
import { makeDataFile, WORD_FACTOR } from './data_set.ts';

const PAGE_BYTES = 4096;
const ITEMS = 4096;
const MEDIUM = 'apple_m4_max';

/** Every read is of another page, in an order without a pattern: all of them miss. */
const readPages = {
  name: 'read_pages',
  inputs: { path: 'string', reads: 'u32', pages: 'u32', start: 'u32', seed: 'u32' },
  outputs: { target: 'u8[]', wrong: 'u32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    WARPFS_DEVICE uchar* mine = target + (ulong)item * ${PAGE_BYTES}u;
    WARPFS_DEVICE const uint* words = (WARPFS_DEVICE const uint*)mine;
    uint mismatches = gphase(fs, 1u);
    for (uint i = gphase(fs, 0u); i < reads; i++) {
      const uint page = (start + (item * reads + i) * 2654435761u) & (pages - 1u);
      WARPFS_TRY(int got, gread(fs, file, (ulong)page * ${PAGE_BYTES}u, ${PAGE_BYTES}u, mine));
      const uint word = lane.index * 31u;
      mismatches += lane.sum(got != ${PAGE_BYTES} || words[word] != (page * ${PAGE_BYTES / 4}u + word) * ${WORD_FACTOR}u + seed ? 1u : 0u);
      // The next read goes to the same bytes.
      gphase_set(fs, 0u, i + 1u);
      gphase_set(fs, 1u, mismatches);
      gcheckpoint(fs);
    }
    if (lane.index == 0) wrong[item] = mismatches;
    WARPFS_TRY(int closed, gclose(fs, file));
    return closed;
  `,
} as const;

interface Sizes {
  items: number;
  reads: number;
  /** A power of two, and more than a run reads. */
  pages: number;
}

function sizesOf(tiny: boolean): Sizes {
  return tiny ? { items: 64, reads: 4, pages: 512 } : { items: ITEMS, reads: 25, pages: 2 ** 17 };
}

/** Rounds and seconds of a dispatch of so many items whose reads all miss. */
type Reader = (items: number) => Promise<{ rounds: number; seconds: number }>;

async function reader(root: string, seed: number, { items, reads, pages }: Sizes, options: Omit<MountOptions, 'root'>, closeLater: CloseLater): Promise<Reader> {
  // A page is read again after all others: by then it has made way.
  const fs = await mount({ ...options, root, residentWarps: items, cache: { lines: pages / 2 } });
  closeLater(() => fs.unmount());
  const kernel: Kernel<typeof readPages.inputs, typeof readPages.outputs> = await fs.kernel(readPages);
  let start = 0;
  return async (count) => {
    const before = fs.stats().misses;
    const { report, wrong } = await kernel.dispatch({
      items: count, inputs: { path: 'data', reads, pages, start, seed }, outputs: { target: count * PAGE_BYTES, wrong: count },
    });
    start = (start + count * reads * 2654435761) >>> 0;
    mustBe(wrong.every((mismatches) => mismatches === 0), 'a read gave other bytes than the file has');
    const misses = fs.stats().misses - before;
    mustBe(misses >= count * reads * 0.99, `${misses} of ${count * reads} reads missed`);
    return { rounds: report.rounds, seconds: report.nanoseconds / 1e9 };
  };
}

/** One for each of `mounts`, of one file. */
async function readers(context: BenchContext, closeLater: CloseLater, mounts: readonly Omit<MountOptions, 'root'>[]): Promise<{ sizes: Sizes; reads: Reader[] }> {
  const { folder, seed, device } = context;
  const sizes = sizesOf(context.tiny);
  await makeDataFile(join(folder, 'data'), sizes.pages * PAGE_BYTES, seed);
  const reads: Reader[] = [];
  for (const options of mounts) reads.push(await reader(folder, seed, sizes, { device, ...options }, closeLater));
  return { sizes, reads };
}

export const replayBenchmarks: Benchmark[] = [
  {
    name: 'replay_rounds',
    unit: 'times',
    question: 'How many rounds do 100,000 random cold reads by 4,096 items take under replay, beside those of one item with as many misses?',
    atMost: 1.2,
    cpuOnly: 'the rounds are made in the same way on every device',
    prepare: preparing(async (context, closeLater) => {
      const { sizes, reads } = await readers(context, closeLater, [{ wait: 'replay' }]);
      const [read] = reads as [Reader];
      await read(1);
      let necessary = 0;
      return {
        async run() {
          necessary = (await read(1)).rounds;
          return (await read(sizes.items)).rounds / necessary;
        },
        note: () => `${necessary} rounds are necessary`,
      };
    }),
  },
  {
    name: 'replay_m4_max',
    unit: 'kreads/s',
    question: `How many random 4 KB reads a second do 4,096 items make under replay from a medium like ${media[MEDIUM].title}, beside warps that wait on the device?`,
    atLeast: (0.9 * media[MEDIUM].read.iops.value) / 1000,
    ratioTo: 'wait spin, in the same run',
    ratioAtLeast: 0.9,
    cpuOnly: 'it is about the medium, which is played in the daemon',
    prepare: preparing(async (context, closeLater) => {
      const { sizes, reads } = await readers(context, closeLater, [{ wait: 'replay', medium: MEDIUM }, { wait: 'spin', medium: MEDIUM }]);
      for (const read of reads) await read(sizes.items);
      return {
        async run() {
          const rates: number[] = [];
          for (const read of reads) rates.push((sizes.items * sizes.reads) / (await read(sizes.items)).seconds / 1000);
          const [value, ceiling] = rates as [number, number];
          return { value, ceiling };
        },
        note: () => `the medium gives ${media[MEDIUM].read.iops.value / 1000} kreads/s at most, this machine what the other number says`,
      };
    }),
  },
];
