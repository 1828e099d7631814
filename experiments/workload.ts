// A workload: what warps do with the bytes that they ask for. It is written once, and every system runs that text.
import type { InputTypes, OutputTypes } from '../gpufs/kernel_definition.ts';

/** What an access does with its bytes. It stands in the two top bits of its length. */
export const ACCESS = { read: 0, update: 1, overwrite: 2 } as const;
export type AccessMode = (typeof ACCESS)[keyof typeof ACCESS];
export const ACCESS_BYTES_MAX = 2 ** 30 - 16;

export interface Workload {
  /** An identifier: kernels are named after it. */
  name: string;
  /** Whether any access is an update or an overwrite. */
  writes: boolean;
  /** `each` adds to `total` and does nothing else, so that it may be done again. */
  repeatable?: true;
  /** So many accesses of a warp, from a multiple of it on, belong together: no launch ends between them. Default: 1. */
  together?: number;
  /** Beside the usual ones. */
  inputs?: InputTypes;
  /** They begin as zeros; where a system takes several dispatches for a round, what each of them left there is added up. */
  outputs?: OutputTypes;
  /** At the scope of the file. */
  prelude?: string;
  /** Once for each warp, before its first access. */
  begin?: string;
  /**
   * What is done with one piece of an access. All lanes come here and see `place`, where its bytes are, `bytes` of it, `word`, the index of its
   * first word within the access, `mode`, `access`, the number of the access within its item, and `total`: whatever a lane adds to that is what
   * the CPU computation is compared with. An update stores at `place` what is to be in the file, an overwrite all of it.
   */
  each: string;
}

/**
 * What the warps of one launch ask for: `count` accesses for each item, those of item i from i * count on. Of two accesses of one round that
 * touch the same bytes none writes, so that it makes no difference in which order a system serves them.
 */
export interface Round {
  items: number;
  count: number;
  /** The whole list so many times. */
  repeats: number;
  /** Multiples of 4. */
  offsets: BigUint64Array;
  /** Bytes, a multiple of 4, with the mode; 0: the warp asks for nothing. */
  lengths: Uint32Array;
  inputs?: Record<string, unknown>;
  /** Elements of each output of the workload. */
  outputs?: Record<string, number>;
}

export type OutputArray = Uint8Array | Uint32Array | Int32Array | Float32Array | BigUint64Array;

export interface RoundResult {
  /** Of the kernel and of all that serves it; where the host moves bytes between kernels, from its call until the results are there. */
  milliseconds: number;
  /** Of each item, modulo 2^32. */
  totals: Uint32Array;
  /** Nanoseconds that a warp waited for each access. */
  waits: Uint32Array;
  /** Of the workload. */
  outputs: Record<string, OutputArray>;
}

export function lengthOf(word: number): number {
  return word & 0x3fffffff;
}

export function modeOf(word: number): AccessMode {
  return (word >>> 30) as AccessMode;
}
