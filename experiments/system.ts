// A system: one design of how bytes of a file get to the warps that want them. One file of `systems` for each; nothing else names it.
import type { Counters } from '../cache/counters.ts';
import type { InputTypes, OutputTypes } from '../gpufs/kernel_definition.ts';
import type { MapAdvice, NativeLoadsConfig } from '../gpufs/native_binding.ts';
import type { MediumName } from '../gpufs/media/media.ts';
import type { DeviceName, FillName, IoName } from '../gpufs/options.ts';
import type { Round, RoundResult, Workload } from './workload.ts';

/** What a system is prepared for: one point of an experiment. */
export interface Job {
  device: DeviceName;
  medium: MediumName;
  workload: Workload;
  /** The folder of the file, and its name there. */
  root: string;
  file: string;
  fileBytes: number;
  /** What a system may keep of the file in the memory of the device: a cache, or the buffers of the host. */
  cacheBytes: number;
  lineBytes: number;
  /** Warps at most, and bytes of one access at most. */
  items: number;
  accessBytes: number;
  /** Of the file, as much as a round changes, about. Default: all of it, if the workload writes. */
  changedBytes?: number;
  /** Threads of the host that move bytes. */
  threads: number;
  io: IoName;
  /** Of a mapping. */
  advice: MapAdvice;
  /** Bytes are only loaded, by this, without a mount and without a kernel. Only systems that do that can do such a job. */
  loads?: HostLoads;
  /** How a mount fills its lines, on a GPU. Default: as it chooses. */
  fill?: FillName;
  /** The host is asked to forget the file before each round, and what a system needs to get at it again counts. */
  cold?: true;
  /** Threads of the cpu device; undefined: one for each core. On a GPU: the items are in groups of GROUP_ON_GPU, one for each multiprocessor. */
  workers?: number | undefined;
  /** Of those that the system has, the ones that are there. Default: none. */
  flaws?: readonly string[];
}

/** Threads that pread, so many as the job says, or a queue of Metal, which may read a file that is compressed. */
export type HostLoads = Pick<NativeLoadsConfig, 'way' | 'compression'>;

/** Warps that take as much as a multiprocessor has, so that no two such groups are on one. */
export const GROUP_ON_GPU = 32;

export interface PreparedSystem {
  run(round: Round): Promise<RoundResult>;
  /** All that was written is in the file. */
  settle(): Promise<void>;
  close(): Promise<void>;
  /** Lets go of what keeps the file in the memory of the host. */
  letGo?(): Promise<void>;
  /** Of a cache that counts: since it was prepared. */
  counters?(): Pick<Counters, 'hits' | 'misses'>;
  /** `access` only says where the bytes are, and whatever loads them waits: how long an access took is not known. */
  waitsInLoads?: true;
  /** What has to be known to understand the numbers so far, such as how well a medium kept its times. */
  note?: () => string | undefined;
}

/** Is it one of this cache, and not of somebody else's design? */
export const isOwn = (system: string): boolean => system.startsWith('warpfs');

/** Thrown where a system finds out late that it cannot do a job: that is no failure. */
export class CannotDo extends Error {}

export interface System {
  name: string;
  /** What it models, in one sentence. */
  models: string;
  /** Only a point that names it asks for it: it answers a question of its own. */
  asked?: true;
  /** The daemon of a mount moves all its bytes, so that a medium shapes what it does. */
  shaped?: true;
  /** Mistakes of what it models that were published, by name, and what each is. They are left out unless a job wants them. */
  flaws?: Readonly<Record<string, string>>;
  /** Why it cannot do a job, where it runs otherwise. */
  cannot?(job: Job): string | undefined;
  prepare(job: Job): Promise<PreparedSystem>;
}

/**
 * How warps get at bytes, as statements of a kernel. `open` and `close` stand around all accesses of a warp. `start`, `access` and `release` are
 * the begin, the access and the end of one; they see `offset`, `bytes` and `mode`, `slot`, which tells apart what is under way at once, and
 * `index`, the place of the access in the lists. `access` sets `place`: where the bytes are, the same in all lanes, at a multiple of 16 where
 * offset is one. All lanes come to each of them, and all items of a group equally often: where groups have several warps, one that asks for
 * nothing comes as well, with `bytes` 0.
 */
export interface ShaderPart {
  /** At the scope of the file; `#include "baselines/name.h"` is possible. */
  prelude?: string;
  inputs?: InputTypes;
  outputs?: OutputTypes;
  open: string;
  /** For the access that comes `ahead` accesses later, whole. */
  start?: string;
  access: string;
  release: string;
  close: string;
  /** Accesses under way beside the one that is worked on; 0: none. */
  ahead?: number;
  /** An access is cut where a multiple of this lies. Default: it is not cut. Not for groups of several warps, whose pieces would be different in number. */
  pieceBytes?: number;
  groupWarps?: number;
  /** Warps beside those of the accesses, which begin before them. Each sees its number, `service_warp`, and ends when `*ended_items`, an atomic word, is `all_items`. */
  service?: { warps: number; text: string };
  /** The item is run again from the access that it was at: `access` may use the same bytes for each. Not with several repeats. */
  replayed?: true;
  shared?: Readonly<Record<string, string>>;
}
