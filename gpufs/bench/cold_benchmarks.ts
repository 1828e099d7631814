// Reads of a GPU that miss: from a file 8 times the cache that the host has in its page cache, every page once in each run.
import type { MountOptions } from '../options.ts';
import { type Benchmark, type BenchContext, type CloseLater, type Compared, mustBe, preparing } from './benchmark.ts';
import { PreparedCeiling } from './ceilings.ts';
import { COLD_TIMES, PAGE_BYTES, sharedDataFile, sizesOf } from './speed_data.ts';
import { latencyKernel, mapKernel, readKernel } from './speed_kernels.ts';
import { type Launched, SpeedRig } from './speed_rig.ts';
import { percentile } from './statistics.ts';

/** The GPU reads the file where it lies; two threads serve what is left. */
const MAPPED: Partial<MountOptions> = { fill: 'map', daemon: { threads: 2 } };
/** A ring for each thread: where some have two, those have twice the work. */
const PULLED: Partial<MountOptions> = { fill: 'pull', daemon: { threads: 12, io: 'pread' }, ring: { count: 12 } };
const PUSHED: Partial<MountOptions> = { ...PULLED, fill: 'push' };

/** So many of the reads have to miss, or the row is no measurement of misses. */
const MISSES_LEAST = 0.95;

export interface ColdRig {
  rig: SpeedRig;
  pages: number;
  warps: number;
}

export async function coldRig(context: BenchContext, closeLater: CloseLater, options: Partial<MountOptions>, lineBytes = PAGE_BYTES): Promise<ColdRig> {
  const { coldBytes, warps } = sizesOf(context);
  const path = await sharedDataFile(context, coldBytes);
  const pages = coldBytes / lineBytes;
  const rig = await SpeedRig.open(context, closeLater, path, coldBytes, { ...options, cache: { lines: pages / COLD_TIMES, lineBytes } });
  return { rig, pages, warps };
}

/** M/s. Throws where too many reads hit. */
export function coldRate({ nanoseconds, counters }: Launched, total: number): number {
  mustBe(counters.misses >= total * MISSES_LEAST, `only ${counters.misses} of ${total} reads missed`);
  return (total * 1000) / nanoseconds;
}

interface ColdCase {
  name: string;
  question: string;
  options: Partial<MountOptions>;
  lineBytes?: 4096 | 512;
  maps?: boolean;
  ratioTo: string;
  ratioAtLeast?: number;
  atLeast?: number;
}

function coldBenchmark({ name, question, options, lineBytes = 4096, maps = false, ratioTo, ...goals }: ColdCase): Benchmark {
  return {
    name, unit: 'M/s', question, ratioTo, ...goals, cudaOnly: true,
    prepare: preparing(async (context, closeLater) => {
      const { rig, pages, warps } = await coldRig(context, closeLater, options, lineBytes);
      const ceiling = await PreparedCeiling.prepare(ratioTo, context, closeLater);
      const kernel = await rig.kernel(maps ? mapKernel : readKernel(lineBytes));
      const counts = (resident: number): Record<string, number> => (maps ? {} : { target: resident * lineBytes, multiprocessors: resident });
      const launch = () => rig.launch(kernel, { warps, total: pages, pieces: pages }, counts);
      await rig.settle(launch);
      let resident = 0;
      return {
        async run(): Promise<Compared> {
          const most = await ceiling.measure();
          const done = await launch();
          resident = done.warps;
          return { value: coldRate(done, pages), ceiling: most };
        },
        note: () => `${resident} warps; ${rig.fs.describe().fill}`,
      };
    }),
  };
}

const LATENCY_READS = 300;
const LATENCY_WARM_READS = 16_384;

function latencyBenchmark(name: string, question: string, options: Partial<MountOptions>, atMost?: number): Benchmark {
  return {
    name, unit: 'us', question, ratioTo: 'ceiling_ring', cudaOnly: true, ...(atMost === undefined ? {} : { atMost }),
    prepare: preparing(async (context, closeLater) => {
      const { rig, pages, warps } = await coldRig(context, closeLater, options);
      const ceiling = await PreparedCeiling.prepare('ceiling_ring', context, closeLater);
      const reads = context.tiny ? 30 : LATENCY_READS;
      const warm = Math.min(pages / 2, LATENCY_WARM_READS);
      const many = await rig.kernel(readKernel(4096));
      const one = await rig.kernel(latencyKernel);
      await rig.settle(() => rig.launch(many, { warps, total: warm, pieces: pages }, (resident) => ({ target: resident * PAGE_BYTES, multiprocessors: resident })));
      let first = warm;
      const launch = async (): Promise<number> => {
        if (first + reads > pages) first = 0;
        const { outputs, nanoseconds, counters } = await rig.launch(one, { warps: 1, total: reads, first, pieces: pages }, () => ({ target: PAGE_BYTES, ticks: reads + 1 }));
        first += reads;
        mustBe(counters.misses >= reads * MISSES_LEAST, `only ${counters.misses} of ${reads} reads missed`);
        const ticks = Array.from(outputs['ticks'] as BigUint64Array, Number);
        const all = ticks.pop() as number;
        return ((percentile(ticks, 0.5) / all) * nanoseconds) / 1000;
      };
      await launch(); // the kernel is loaded, and the clock of the GPU is up
      return {
        async run() {
          const ring = await ceiling.measure();
          return { value: await launch(), ceiling: ring };
        },
        note: () => `${reads} reads by one warp, one after the other, the median of each run; the ratio is in round trips of a bare ring; ${rig.fs.describe().fill}`,
      };
    }),
  };
}

export const coldBenchmarks: Benchmark[] = [
  coldBenchmark({
    name: 'cold_gread_4k',
    question: 'How many random reads of 4 KB that miss, read where the file lies?',
    options: MAPPED, ratioTo: 'ceiling_read_4k', ratioAtLeast: 0.96,
  }),
  coldBenchmark({
    name: 'cold_gmmap_4k',
    question: 'The same with pages that are mapped and read in place?',
    options: MAPPED, maps: true, ratioTo: 'ceiling_read_4k', ratioAtLeast: 0.96,
  }),
  coldBenchmark({
    name: 'cold_gread_4k_pull',
    question: 'The same as cold_gread_4k, served by 12 threads of the host that pread?',
    options: PULLED, ratioTo: 'ceiling_pread_12', ratioAtLeast: 0.9,
  }),
  coldBenchmark({
    name: 'cold_gread_4k_push',
    question: 'The same as cold_gread_4k_pull, with copy engines that bring the bytes, so that no multiprocessor moves them?',
    options: PUSHED, ratioTo: 'ceiling_pread_12',
  }),
  coldBenchmark({
    name: 'cold_gread_512',
    question: 'How many random reads of 512 B that miss, with lines of 512 B, read where the file lies?',
    options: MAPPED, lineBytes: 512, ratioTo: 'ceiling_read_512_file', atLeast: 50,
  }),
  latencyBenchmark('cold_gread_latency', 'How long does one warp wait for one read of 4 KB that misses, read where the file lies?', MAPPED, 7),
  latencyBenchmark('cold_gread_latency_pull', 'The same, served by a thread of the host that preads?', { fill: 'pull', daemon: { threads: 1, io: 'pread' } }),
];
