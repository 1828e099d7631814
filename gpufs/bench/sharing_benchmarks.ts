// How much of a GPU reading takes: the multiprocessors that it needs, and what it costs those that compute meanwhile.
import { type Benchmark, mustBe, preparing } from './benchmark.ts';
import { coldRate, coldRig } from './cold_benchmarks.ts';
import { PreparedCeiling } from './ceilings.ts';
import { PAGE_BYTES } from './speed_data.ts';
import { besideKernel, readKernel } from './speed_kernels.ts';
import { type Outputs, spanOf } from './speed_rig.ts';
import { WarpfsError } from '../errors.ts';
import { cudaDevice } from './yardstick.ts';

/** Warps of a group, the most first: a group is on one multiprocessor, and how many fit depends on the registers of the kernel. */
const GROUPS = [32, 16, 8, 4, 2] as const;
const ENOUGH = 0.9;

/** Tries groups of fewer warps until one fits. */
async function largestGroup<T>(tiny: boolean, attempt: (groupWarps: number) => Promise<T>): Promise<T> {
  for (const groupWarps of tiny ? [4] : GROUPS) {
    try {
      return await attempt(groupWarps);
    } catch (error) {
      const crowded = error instanceof WarpfsError && error.code === 'ERR_WARPFS_RESIDENT';
      if (!crowded && !(error as Error).message.includes('resident at once')) throw error;
    }
  }
  throw new Error(`[bench] not even a group of ${GROUPS.at(-1)} warps is resident`);
}

function different(multiprocessors: Uint32Array): number {
  return new Set(multiprocessors).size;
}

const smsForCold: Benchmark = {
  name: 'sms_for_cold',
  unit: 'SMs',
  question: 'How many multiprocessors give 90 % of the random reads of 4 KB that the bus gives, where every read misses?',
  atMost: 4,
  cudaOnly: true,
  prepare: preparing(async (context, closeLater) => {
    const { rig, pages } = await coldRig(context, closeLater, { fill: 'map', daemon: { threads: 2 } });
    const ceiling = await PreparedCeiling.prepare('ceiling_read_4k', context, closeLater);
    const total = context.tiny ? pages : pages / 2;
    const counts = context.tiny ? [1, 2] : [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 132];
    const places = (warps: number): Record<string, number> => ({ target: warps * PAGE_BYTES, multiprocessors: warps });
    const { groupWarps, kernel } = await largestGroup(context.tiny, async (wanted) => {
      const reader = await rig.kernel(readKernel(4096, wanted));
      await rig.settle(() => rig.launch(reader, { warps: wanted * 2, total, pieces: pages }, places, { groupWarps: wanted }));
      return { groupWarps: wanted, kernel: reader };
    });
    let note = '';
    return {
      async run() {
        const most = await ceiling.measure();
        const seen: string[] = [];
        for (const groups of counts) {
          const done = await rig.launch(kernel, { warps: groups * groupWarps, total, pieces: pages }, places, { groupWarps });
          const rate = coldRate(done, total);
          const used = different(done.outputs['multiprocessors'] as Uint32Array);
          seen.push(`${used} SMs ${rate.toFixed(2)}`);
          note = `groups of ${groupWarps} warps, so that each is on one SM; those used were counted; M/s in the last run: ${seen.join(', ')}; ceiling ${most.toFixed(2)}`;
          if (rate >= ENOUGH * most) return used;
          if (done.warps < groups * groupWarps) break; // as many as fit
        }
        note += '; 90 % WERE NEVER REACHED';
        return rig.fs.device.workers;
      },
      note: () => note,
    };
  }),
};

const FACTOR = 1664525;
const ADDEND = 1013904223;

/** What rounds of x * FACTOR + ADDEND make of x is x * factor + addend. */
function afterRounds(rounds: number): { factor: number; addend: number } {
  let result = { factor: 1, addend: 0 };
  let step = { factor: FACTOR, addend: ADDEND };
  for (let left = rounds; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = { factor: Math.imul(result.factor, step.factor), addend: (Math.imul(result.addend, step.factor) + step.addend) | 0 };
    step = { factor: Math.imul(step.factor, step.factor), addend: (Math.imul(step.addend, step.factor) + step.addend) | 0 };
  }
  return result;
}

function checkComputed(computed: Uint32Array, readers: number, rounds: number): void {
  const { factor, addend } = afterRounds(rounds);
  for (let item = readers; item < computed.length; item++) {
    let sum = 0;
    for (let lane = 0; lane < 32; lane++) {
      let mixed = 0;
      for (let chain = 0; chain < 4; chain++) mixed ^= Math.imul(item * 32 + lane + chain, factor) + addend;
      sum = (sum + mixed) >>> 0;
    }
    mustBe(computed[item] === sum, `item ${item} computed ${computed[item]}, not ${sum}`);
  }
}

const READER_GROUPS = 4;
/** The courier has a block for each of 8 channels and of 8 rings. */
const COURIER_BLOCKS = 16;

const slowDown: Benchmark = {
  name: 'slow_down',
  unit: '%',
  question: 'By how much is a kernel slowed down that computes on other multiprocessors than those that read, where every read misses?',
  atMost: 5,
  cudaOnly: true,
  prepare: preparing(async (context, closeLater) => {
    const { rig, pages } = await coldRig(context, closeLater, { fill: 'map', daemon: { threads: 2 } });
    const readerGroups = context.tiny ? 1 : READER_GROUPS;
    const computing = context.tiny ? 2 : Math.max(1, cudaDevice().multiprocessors - READER_GROUPS - COURIER_BLOCKS);
    const { groupWarps, launch } = await largestGroup(context.tiny, async (wanted) => {
      const kernel = await rig.kernel(besideKernel(wanted));
      const rounds = context.tiny ? 20_000 : (600_000 * GROUPS[0]) / wanted; // about 20 ms
      const readers = readerGroups * wanted;
      const warps = (readerGroups + computing) * wanted;
      const places = (resident: number): Record<string, number> => ({
        target: resident * PAGE_BYTES, multiprocessors: resident, reads: resident, computed: resident,
      });
      const run = async (reads: boolean, wantedRounds = rounds): Promise<{ nanoseconds: number; outputs: Outputs }> => {
        const total = reads ? 2 ** 31 : 0;
        const done = await rig.launch(kernel, { warps, total, pieces: pages }, places, { groupWarps: wanted, inputs: { readers, rounds: wantedRounds } });
        mustBe(done.warps === warps, `${kernel.name}: only ${done.warps} of ${warps} warps are resident at once`);
        checkComputed(done.outputs['computed'] as Uint32Array, readers, wantedRounds);
        return { nanoseconds: spanOf(done.outputs['times'] as BigUint64Array, readers), outputs: done.outputs };
      };
      await rig.settle(() => run(true, rounds * (context.tiny ? 1 : 8))); // long enough to go to all of the file
      await run(false);
      return { groupWarps: wanted, launch: run };
    });
    let note = '';
    return {
      async run() {
        const alone = await launch(false);
        const beside = await launch(true);
        const reads = (beside.outputs['reads'] as Uint32Array).reduce((sum, count) => sum + count, 0);
        mustBe(reads > 0, 'nobody read anything meanwhile');
        const on = beside.outputs['multiprocessors'] as Uint32Array;
        const reading = new Set(on.subarray(0, readerGroups * groupWarps));
        const shared = new Set(on.subarray(readerGroups * groupWarps).filter((one) => reading.has(one))).size;
        note =
          `${computing} groups of ${groupWarps} warps computed for ${(alone.nanoseconds / 1e6).toFixed(2)} ms (integers in registers alone), ${readerGroups} groups read ` +
          `${((reads * 1000) / beside.nanoseconds).toFixed(2)} M/s meanwhile on ${reading.size} SMs, ${shared} of which computed as well; the courier ran in both`;
        return (beside.nanoseconds / alone.nanoseconds - 1) * 100;
      },
      note: () => note,
    };
  }),
};

export const sharingBenchmarks: Benchmark[] = [smsForCold, slowDown];
