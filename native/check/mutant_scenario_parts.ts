// What the scenarios of the mutants are made of: files, operations, and the mount.
import type { NativeFaults } from '../../gpufs/native_check.ts';
import type { MountOptions } from '../../gpufs/options.ts';
import type { OpenModeName, Operation, Program } from '../../gpufs/program.ts';

export interface MutantScenario {
  name: string;
  programs: readonly Program[];
  files: readonly { path: string; bytes: Uint8Array }[];
  config: Pick<MountOptions, 'wait' | 'cache' | 'ring' | 'residentWarps' | 'maxOpenFiles' | 'maxDirtyBytes'>;
  faults: Partial<NativeFaults>;
  check: { laneCount: number; memory: 'sc' | 'relaxed'; cuda: boolean };
  /** false: what the programs themselves synced is all that has to be in the files. */
  finish?: boolean;
  /**
   * What the single warp of the scenario counts, whatever the schedule. Hits and misses: the policy as the simulator of the cache knows it.
   * Write-backs are those before the end, so they say whether a limit of dirty bytes is kept.
   */
  counters?: Partial<Record<'hits' | 'misses' | 'writeBacks', number>>;
}

export const LINE_BYTES = 512;

/** Never zero, and different in each page, so that bytes from anywhere else are seen. */
export function content(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => ((at * 7 + seed) % 251) + 1);
}

export const a = { path: 'a', bytes: content(3 * LINE_BYTES, 11) };
export const b = { path: 'b', bytes: content(2 * LINE_BYTES, 97) };
/** The last element lies in it in part. */
export const odd = { path: 'odd', bytes: content(10, 29) };
/** More than one request can fill. */
export const long = { path: 'long', bytes: content(9 * LINE_BYTES, 53) };

export const open = (path: string, mode: OpenModeName = 'r'): Operation => ({ op: 'open', path, mode });
export const read = (offset: number, length = 16, file = 0): Operation => ({ op: 'read', file, offset, length });
export const peek = (offset: number, length = 16): Operation => ({ op: 'read', file: 0, offset, length, peek: true });
export const write = (offset: number, length = 16, file = 0): Operation => ({ op: 'write', file, offset, data: content(length, offset + 200) });
export const fsync = (file = 0): Operation => ({ op: 'fsync', file });
export const close = (file = 0): Operation => ({ op: 'close', file });
export const barrier: Operation = { op: 'barrier' };
export const truncate = (length: number): Operation => ({ op: 'truncate', file: 0, length });
export const map = (offset: number, length: number, mode: 'r' | 'r+' = 'r+'): Operation => ({ op: 'map', file: 0, offset, length, mode });
/** With bytes for the whole of it. */
export const unmap = (index: number, length: number): Operation => ({ op: 'unmap', map: index, data: content(length, index + 300) });
/** Of a map to read. */
export const release = (index: number): Operation => ({ op: 'unmap', map: index });
export const gather = (...indices: number[]): Operation => ({ op: 'gather', file: 0, indices });
export const scatter = (indices: number[], file = 0): Operation => ({ op: 'scatter', file, indices, values: indices.map((index, at) => 0x1010101 * (at + 1) + index) });
export const add = (...indices: number[]): Operation => ({ op: 'add', file: 0, indices, values: indices.map((_, at) => at + 5) });

interface Shape {
  lines: number;
  lanes?: number;
  memory?: 'sc' | 'relaxed';
  wait?: 'spin' | 'replay';
  ringSlots?: number;
  faults?: Partial<NativeFaults>;
  files?: MutantScenario['files'];
  counters?: MutantScenario['counters'];
  finish?: false;
  maxDirtyBytes?: number;
  cuda?: true;
}

export function scenario(programs: readonly Program[], shape: Shape): Omit<MutantScenario, 'name'> {
  const { lines, lanes = 1, memory = 'sc', wait = 'spin', ringSlots = 8, faults = {}, files = [a], counters, finish, maxDirtyBytes, cuda = false } = shape;
  return {
    programs,
    files,
    config: {
      wait,
      cache: { lines, lineBytes: LINE_BYTES, policy: 'clock' },
      ring: { count: 1, slots: ringSlots },
      residentWarps: programs.length,
      maxOpenFiles: 4,
      ...(maxDirtyBytes === undefined ? {} : { maxDirtyBytes }),
    },
    faults,
    check: { laneCount: lanes, memory, cuda },
    ...(counters === undefined ? {} : { counters }),
    ...(finish === undefined ? {} : { finish }),
  };
}

export const page = (index: number): number => index * LINE_BYTES;
/** Beyond 32 bits as an offset, and as a page. */
export const FAR = 2 ** 32 * LINE_BYTES;
export const STRADDLE = LINE_BYTES - 8;
