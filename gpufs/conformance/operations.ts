// Operations in a few letters, so that a test reads as the program that it runs.
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import type { Offset, OpenOperation, Operation } from '../program.ts';

export const open = (path: string, mode: OpenOperation['mode'] = 'r'): Operation => ({ op: 'open', path, mode });
export const close = (file = 0): Operation => ({ op: 'close', file });
export const read = (offset: Offset, length: number, file = 0): Operation => ({ op: 'read', file, offset, length });
export const write = (offset: Offset, data: Uint8Array, file = 0): Operation => ({ op: 'write', file, offset, data });
export const fsync = (file = 0): Operation => ({ op: 'fsync', file });
export const stat = (file = 0): Operation => ({ op: 'stat', file });
export const prefetch = (offset: Offset, length: number, file = 0): Operation => ({ op: 'prefetch', file, offset, length });
export const readAsync = (offset: Offset, length: number, file = 0): Operation => ({ op: 'read_async', file, offset, length });
export const writeAsync = (offset: Offset, data: Uint8Array, file = 0): Operation => ({ op: 'write_async', file, offset, data });
export const wait = (ticket: number): Operation => ({ op: 'wait', ticket });
export const poll = (ticket: number): Operation => ({ op: 'poll', ticket });
export const truncate = (length: Offset, file = 0): Operation => ({ op: 'truncate', file, length });
export const unlink = (path: string): Operation => ({ op: 'unlink', path });
export const rename = (path: string, to: string): Operation => ({ op: 'rename', path, to });
export const map = (offset: Offset, length: number, mode: 'r' | 'r+' = 'r+', file = 0): Operation => ({ op: 'map', file, offset, length, mode });
/** `of`: the step of the map. */
export const unmap = (of: number, data?: Uint8Array): Operation => ({ op: 'unmap', map: of, ...(data === undefined ? {} : { data }) });
export const mapSync = (of: number, data?: Uint8Array): Operation => ({ op: 'map_sync', map: of, ...(data === undefined ? {} : { data }) });
export const gather = (indices: readonly Offset[], file = 0): Operation => ({ op: 'gather', file, indices });
export const scatter = (indices: readonly Offset[], values: readonly number[], file = 0): Operation => ({ op: 'scatter', file, indices, values });
export const add = (indices: readonly Offset[], values: readonly number[], file = 0): Operation => ({ op: 'add', file, indices, values });
export const compute = (steps: number): Operation => ({ op: 'compute', steps });
export const barrier: Operation = { op: 'barrier' };

/** The result of a step that failed so. */
export function failed(name: ErrnoName): number {
  return -ERRNO[name].number;
}
