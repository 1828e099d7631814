// Reads of a GPU that hit: all of the file lies in the cache.
import type { InputTypes, KernelDefinition, OutputTypes } from '../kernel_definition.ts';
import { type Benchmark, mustBe, preparing } from './benchmark.ts';
import { PreparedCeiling } from './ceilings.ts';
import { PAGE_BYTES, sharedDataFile, sizesOf } from './speed_data.ts';
import { gatherKernel, loadKernel, mapKernel, readKernel } from './speed_kernels.ts';
import { SpeedRig } from './speed_rig.ts';

/** Hash tables of lines are never all full: a cache of so many times the file holds all of it. */
const CACHE_TIMES = 2;
const MISSES_MOST = 0.001;

interface HotCase {
  name: string;
  question: string;
  unit: 'GB/s' | 'G/s';
  kernel: KernelDefinition<InputTypes, OutputTypes>;
  /** Of each operation: what it counts for, and how many pieces of that size there are. */
  pieceBytes: number;
  /** Operations of one warp at once that count. */
  lanes?: number;
  operations: number;
  targets?: boolean;
  atLeast?: number;
  ratioTo: string;
  ratioAtLeast?: number;
}

function hotBenchmark({ name, question, unit, kernel: definition, pieceBytes, lanes = 1, operations, targets = false, ratioTo, ...goals }: HotCase): Benchmark {
  return {
    name, unit, question, ratioTo, ...goals, cudaOnly: true,
    prepare: preparing(async (context, closeLater) => {
      const { hotBytes, warps } = sizesOf(context);
      const path = await sharedDataFile(context, hotBytes);
      const pages = hotBytes / PAGE_BYTES;
      const rig = await SpeedRig.open(context, closeLater, path, hotBytes, { fill: 'map', daemon: { threads: 2 }, cache: { lines: pages * CACHE_TIMES, lineBytes: PAGE_BYTES } });
      const ceiling = await PreparedCeiling.prepare(ratioTo, context, closeLater);
      const reader = await rig.kernel(readKernel(4096));
      const places = (resident: number): Record<string, number> => ({ target: resident * PAGE_BYTES, multiprocessors: resident });
      // Twice, for a page that lost its place to another one meanwhile.
      for (let time = 0; time < 2; time++) await rig.launch(reader, { warps, total: pages, pieces: pages }, places);
      const kernel = await rig.kernel(definition);
      const total = context.tiny ? pages : operations;
      const launch = () => rig.launch(kernel, { warps, total, pieces: hotBytes / pieceBytes }, targets ? places : undefined);
      await launch();
      let resident = 0;
      return {
        async run() {
          const most = await ceiling.measure();
          const { nanoseconds, counters, warps: used } = await launch();
          resident = used;
          mustBe(counters.misses <= Math.max(1, total * MISSES_MOST), `${counters.misses} of ${total} operations missed`);
          return { value: (total * lanes * (unit === 'GB/s' ? pieceBytes : 1)) / nanoseconds, ceiling: most };
        },
        note: () => `${resident} warps, ${total} operations`,
      };
    }),
  };
}

export const hotBenchmarks: Benchmark[] = [
  hotBenchmark({
    name: 'hot_gmmap_4k',
    question: 'How fast are random pages of 4 KB mapped and read in place?',
    unit: 'GB/s', kernel: mapKernel, pieceBytes: PAGE_BYTES, operations: 2 ** 23, atLeast: 3600, ratioTo: 'ceiling_gather_4k_pin', ratioAtLeast: 0.85,
  }),
  hotBenchmark({
    name: 'hot_gread_4k',
    question: 'How fast are random pages of 4 KB copied out and compared where they arrive?',
    unit: 'GB/s', kernel: readKernel(4096), pieceBytes: PAGE_BYTES, operations: 2 ** 22, targets: true, ratioTo: 'ceiling_copy_4k', ratioAtLeast: 0.85,
  }),
  hotBenchmark({
    name: 'hot_gload_256',
    question: 'How fast are 32 consecutive elements of 8 bytes at random places loaded by each warp?',
    unit: 'GB/s', kernel: loadKernel, pieceBytes: 256, operations: 2 ** 25, atLeast: 1200, ratioTo: 'ceiling_gather_256_pin',
  }),
  hotBenchmark({
    name: 'hot_gload_random',
    question: 'How many elements of 4 bytes are loaded, a random one of the whole file by each lane?',
    unit: 'G/s', kernel: gatherKernel, pieceBytes: 4, lanes: 32, operations: 2 ** 23, atLeast: 20, ratioTo: 'ceiling_gather_4',
  }),
];
