// A mount that a benchmark of a GPU measures: the data, as many warps as wait for each other without one being left outside, and rates by the clock of
// the GPU.
import { basename, dirname } from 'node:path';
import { countersBetween, type Counters } from '../../cache/counters.ts';
import { WarpfsError } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import type { InputTypes, KernelDefinition, OutputTypes } from '../kernel_definition.ts';
import { mount, type Mount } from '../mount.ts';
import type { MountOptions } from '../options.ts';
import { type BenchContext, type CloseLater, mustBe } from './benchmark.ts';
import { DEVICE_INDEX } from './yardstick.ts';

/** Whatever hangs is given up after this; the mount with it. */
const KERNEL_MS = 120_000;
const WINDOW_DISPATCHES = 8;

export interface Launch {
  /** At most; fewer where they do not fit together. */
  warps: number;
  /** Operations of all warps together. */
  total: number;
  /** Of the pieces' order, in which they begin. */
  first?: number;
  pieces: number;
}

export interface Launched {
  /** From the first begin of an item to the last end of one. */
  nanoseconds: number;
  warps: number;
  counters: Counters;
}

export type Outputs = Record<string, Uint8Array | Uint32Array | BigUint64Array | Int32Array | Float32Array>;
type AnyKernel = Kernel<InputTypes, OutputTypes>;

export class SpeedRig {
  readonly fs: Mount;
  readonly path: string;
  readonly bytes: number;
  readonly seed: number;
  /** That were resident at once, where it was found to be fewer than wanted: it depends on the registers of the kernel. */
  readonly #resident = new Map<AnyKernel, number>();

  private constructor(fs: Mount, path: string, bytes: number, seed: number) {
    this.fs = fs;
    this.path = path;
    this.bytes = bytes;
    this.seed = seed;
  }

  /** `path`: of the file of so many bytes that is read or written. What only a GPU has of the options is left out elsewhere. */
  static async open(context: BenchContext, closeLater: CloseLater, path: string, bytes: number, options: Omit<MountOptions, 'root' | 'device'>): Promise<SpeedRig> {
    const { fill, ...usual } = options;
    const ofGpu = context.device === 'cpu' ? {} : { deviceIndex: DEVICE_INDEX, kernelTimeMs: KERNEL_MS, ...(fill === undefined ? {} : { fill }) };
    const fs = await mount({ ...usual, ...ofGpu, root: dirname(path), device: context.device });
    const rig = new SpeedRig(fs, path, bytes, context.seed);
    closeLater(() => rig.close());
    return rig;
  }

  kernel<const Inputs extends InputTypes, const Outs extends OutputTypes>(definition: KernelDefinition<Inputs, Outs>): Promise<AnyKernel> {
    return this.fs.kernel(definition) as unknown as Promise<AnyKernel>;
  }

  /**
   * Runs it with all items resident. `counts`: of the outputs that only this kernel has, for so many warps. Throws where a word was wrong.
   */
  async launch(
    kernel: AnyKernel,
    launch: Launch,
    counts: (warps: number) => Record<string, number> = () => ({}),
    more: { inputs?: Record<string, number>; groupWarps?: number; seed?: number } = {},
  ): Promise<Launched & { outputs: Outputs }> {
    const group = more.groupWarps ?? 1;
    for (;;) {
      const warps = Math.max(group, Math.floor(Math.min(launch.warps, this.#resident.get(kernel) ?? launch.warps) / group) * group);
      const before = this.fs.stats();
      const outputs = await this.#try(kernel, { ...launch, warps }, { ...counts(warps) }, more);
      if (outputs !== undefined) {
        const wrong = (outputs['wrong'] as Uint32Array).reduce((sum, count) => sum + count, 0);
        mustBe(wrong === 0, `${kernel.name}: in ${wrong} places what was read is wrong`);
        return { ...measured(outputs), warps, counters: countersBetween(before, this.fs.stats()), outputs };
      }
      mustBe(warps > group, `${kernel.name}: not even ${warps} warps are resident at once`);
      this.#resident.set(kernel, Math.max(group, warps - Math.max(group, 2 ** Math.floor(Math.log2(warps) - 2))));
    }
  }

  /** Undefined: not all of the items were resident at once. */
  async #try(kernel: AnyKernel, { warps, total, first = 0, pieces }: Launch, counts: Record<string, number>, more: { inputs?: Record<string, number>; seed?: number }): Promise<Outputs | undefined> {
    mustBe(Number.isInteger(Math.log2(pieces)), `${pieces} pieces are no power of two`);
    const bits = Math.log2(pieces);
    const inputs = { path: basename(this.path), items: warps, total, first, seed: (more.seed ?? this.seed) >>> 0, mask: pieces - 1, half_bits: Math.max(1, Math.ceil((bits + 1) / 2)), ...more.inputs };
    try {
      const result = (await kernel.dispatch({ items: warps, allResident: true, inputs, outputs: { gate: 3, times: warps * 2, wrong: warps, ...counts } })) as unknown as Outputs;
      return (result['gate'] as Uint32Array)[1] === 0 ? result : undefined;
    } catch (error) {
      if (error instanceof WarpfsError && error.code === 'ERR_WARPFS_RESIDENT') return undefined;
      throw error;
    }
  }

  /** Dispatches until the GPU reads all of the file where it lies; throws where it cannot. Elsewhere once. */
  async settle(dispatch: () => Promise<unknown>): Promise<void> {
    await dispatch();
    if (this.fs.device.name !== 'cuda' || this.fs.options.fill !== 'map') return;
    for (let time = 1; time < WINDOW_DISPATCHES; time++) {
      await dispatch();
      if (mappedMebibytes(this.fs.describe().fill) >= this.bytes / 2 ** 20) return;
    }
    throw new Error(`[bench] of ${this.bytes / 2 ** 20} MiB of ${this.path} not all can be read where they lie: ${this.fs.describe().fill}`);
  }

  /** What was lost with a GPU was said before: an error here would hide it. */
  async close(): Promise<void> {
    await this.fs.unmount().catch(() => this.fs.unmount({ discard: true }).catch(() => undefined));
  }
}

/** `map: 4096 MiB of files are read where they lie` */
function mappedMebibytes(fill: string): number {
  return Number(/^map: (\d+) MiB/.exec(fill)?.[1] ?? 0);
}

function measured(outputs: Outputs): { nanoseconds: number } {
  return { nanoseconds: spanOf(outputs['times'] as BigUint64Array) };
}

/** From the first begin to the last end. `from`, `to`: of which items. */
export function spanOf(times: BigUint64Array, from = 0, to = times.length / 2): number {
  let begin = times[from * 2] as bigint;
  let end = 0n;
  for (let item = from; item < to; item++) {
    const [itsBegin, itsEnd] = [times[item * 2] as bigint, times[item * 2 + 1] as bigint];
    if (itsBegin < begin) begin = itsBegin;
    if (itsEnd > end) end = itsEnd;
  }
  mustBe(end > begin, 'the clock of the device did not move while a kernel ran');
  return Number(end - begin);
}
