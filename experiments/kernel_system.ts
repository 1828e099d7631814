// Systems whose warps ask for bytes themselves: a mount, a kernel, one dispatch for each round.
import { basename } from 'node:path';
import { describeMedium } from '../gpufs/media/report.ts';
import { mount, type Mount } from '../gpufs/mount.ts';
import type { MountOptions } from '../gpufs/options.ts';
import type { InputTypes, KernelDefinition, OutputTypes } from '../gpufs/kernel_definition.ts';
import type { DispatchReport } from '../gpufs/dispatch_report.ts';
import type { Kernel } from '../gpufs/kernel.ts';
import { grouped, kernelOf } from './kernel_text.ts';
import type { Job, PreparedSystem, ShaderPart } from './system.ts';
import type { OutputArray, Round, RoundResult } from './workload.ts';

/** A kernel that hangs is given up after this. */
const KERNEL_MS = 120_000;

type AnyKernel = Kernel<InputTypes, OutputTypes>;

export interface KernelSystem {
  part: ShaderPart;
  /** Beside root, device and workers. */
  mount?: Omit<MountOptions, 'root' | 'device' | 'workers'>;
  /** Its cache is that of the mount. */
  counts?: true;
  waitsInLoads?: true;
  /** Of the inputs and outputs of `part`; for each round anew, and what that takes counts. */
  inputs?: (fs: Mount) => Promise<Record<string, unknown>>;
  outputs?: Record<string, number>;
  /** Instead of that of the mount, before what was written is looked at. */
  settle?: () => Promise<void>;
  close?: () => Promise<void>;
  letGo?: () => Promise<void>;
}

/** The mount of a job, with as large a cache as the job allows. */
export function cacheOf({ cacheBytes, lineBytes }: Job): NonNullable<MountOptions['cache']> {
  return { lines: Math.max(32, Math.floor(cacheBytes / lineBytes)), lineBytes };
}

/** Warps wait in their kernels, as those of the papers do, and make more calls than a replayed item can: on the metal device as well, where that is an experiment in itself. */
export async function mountFor(job: Job, options: Omit<MountOptions, 'root' | 'device' | 'workers'>): Promise<Mount> {
  const ofGpu = job.device === 'cpu' ? {} : { kernelTimeMs: KERNEL_MS, ...(job.fill === undefined ? {} : { fill: job.fill }) };
  const workers = job.workers === undefined || job.device !== 'cpu' ? {} : { workers: job.workers };
  return mount({ wait: 'spin', ...options, ...ofGpu, ...workers, root: job.root, device: job.device, medium: job.medium });
}

export function kernelOn(fs: Mount, definition: KernelDefinition): Promise<AnyKernel> {
  return fs.kernel(definition) as unknown as Promise<AnyKernel>;
}

export function kernelOfSystem(name: string, job: Job, { part }: KernelSystem): KernelDefinition {
  return kernelOf(name, grouped(part, job), job.workload);
}

export async function prepareKernelSystem(name: string, job: Job, system: KernelSystem): Promise<PreparedSystem> {
  const { inputs = async () => ({}), outputs = {} } = system;
  const fs = await mountFor(job, system.mount ?? { cache: { lines: 32 } });
  const close = async (): Promise<void> => {
    await fs.unmount().catch(() => fs.unmount({ discard: true }).catch(() => undefined)); // what was lost was said before
    await system.close?.();
  };
  try {
    const kernel = await kernelOn(fs, kernelOfSystem(name, job, system));
    return {
      async run(round) {
        const since = performance.now();
        const own = { inputs: await inputs(fs), outputs };
        const milliseconds = performance.now() - since;
        const result = await dispatchRound(kernel, job, round, own);
        return { ...result, milliseconds: result.milliseconds + milliseconds };
      },
      settle: async () => {
        await system.settle?.();
        await fs.sync();
      },
      close,
      ...(system.letGo === undefined ? {} : { letGo: system.letGo }),
      ...(system.waitsInLoads === true ? { waitsInLoads: true as const } : {}),
      note: () => {
        const { medium, engineNote } = fs.describe();
        if (medium !== undefined) return describeMedium(fs.device.medium, medium);
        return job.io === 'mtlio' && engineNote !== '' ? engineNote : undefined; // what Metal could not read
      },
      ...(system.counts === true ? { counters: () => fs.stats() } : {}),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Its time is that of the kernel and of what serves it: the lists come before. `first`: of the accesses of an item, those before it went to other dispatches. `serviceWarps`: those of the part. */
export async function dispatchRound(
  kernel: AnyKernel,
  job: Job,
  round: Round,
  own: { inputs: Record<string, unknown>; outputs: Record<string, number> },
  { first = 0, serviceWarps = 0 }: { first?: number; serviceWarps?: number } = {},
): Promise<RoundResult & { own: Record<string, OutputArray> }> {
  const { items, count, repeats, offsets, lengths } = round;
  const serves = serviceWarps > 0;
  const inputs = { path: basename(job.file), count, repeats, first, offsets, lengths, ...(serves ? { all_items: items } : {}), ...own.inputs, ...round.inputs };
  const outputs = { totals: items, waits: items * count, ...(serves ? { ended_items: 1 } : {}), ...own.outputs, ...round.outputs };
  const { report, ...result } = (await kernel.dispatch({ items: items + serviceWarps, inputs, outputs })) as unknown as Record<string, OutputArray> & { report: DispatchReport };
  const named = (names: object): Record<string, OutputArray> => Object.fromEntries(Object.keys(names).map((name) => [name, result[name] as OutputArray]));
  const { totals, waits } = named({ totals: 0, waits: 0 }) as { totals: Uint32Array; waits: Uint32Array };
  return { milliseconds: report.nanoseconds / 1e6, totals, waits, outputs: named(round.outputs ?? {}), own: named(own.outputs) };
}
