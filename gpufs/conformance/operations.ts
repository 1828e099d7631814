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
export const compute = (steps: number): Operation => ({ op: 'compute', steps });
export const barrier: Operation = { op: 'barrier' };

/** The result of a step that failed so. */
export function failed(name: ErrnoName): number {
  return -ERRNO[name].number;
}
