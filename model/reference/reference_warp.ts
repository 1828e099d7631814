// One warp of one run: its opens, its steps in order, and the result of each.
import type { Operation, Program, StepResult } from '../../gpufs/program.ts';
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import type { ReferenceFile } from './reference_file.ts';

/** What fs.run gives for a step, but for the time that it took. An open that succeeded is 0: handles are the device's own. */
export type ReferenceResult = Omit<StepResult, 'nanoseconds'>;

export interface ReferenceFolder {
  readonly readOnly: boolean;
  readonly files: Map<string, ReferenceFile>;
  createFile(path: string): ReferenceFile;
}

interface Opened {
  file: ReferenceFile | undefined;
  writable: boolean;
  /** Why operations on it fail; undefined while it is open. */
  error: ErrnoName | undefined;
}

type Ranged = Extract<Operation, { offset: unknown }>;

const OFFSET_MAX = 2n ** 63n - 1n;

export class ReferenceWarp {
  readonly results: ReferenceResult[] = [];
  readonly #folder: ReferenceFolder;
  readonly #program: Program;
  readonly #opens: Opened[] = [];

  constructor(folder: ReferenceFolder, program: Program) {
    this.#folder = folder;
    this.#program = program;
  }

  /** Runs up to and including the next barrier, or to the end. */
  runToBarrier(): void {
    while (!this.ended) {
      if (this.runStep().op === 'barrier') return;
    }
  }

  /** Runs the next step alone, for whoever wants the warps to take turns, and says which it was. */
  runStep(): Operation {
    const operation = this.#program[this.results.length] as Operation;
    this.results.push(this.#step(operation));
    return operation;
  }

  get ended(): boolean {
    return this.results.length === this.#program.length;
  }

  #step(operation: Operation): ReferenceResult {
    if (operation.op === 'barrier' || operation.op === 'compute') return { result: 0 };
    if (operation.op === 'open') return { result: failure(this.#open(operation.path, operation.mode)) };
    if (operation.op === 'wait') return this.#wait(operation.ticket);
    const opened = this.#opens[operation.file] as Opened;
    const error = opened.error ?? ('offset' in operation ? this.#refused(operation, opened) : undefined);
    const reads = operation.op === 'read' || operation.op === 'read_async';
    if (error !== undefined) return { result: failure(error), ...(reads ? { data: new Uint8Array(0) } : {}) };
    return this.#onFile(operation, opened, opened.file as ReferenceFile);
  }

  #open(path: string, mode: 'r' | 'r+' | 'w+'): ErrnoName | undefined {
    const writable = mode !== 'r';
    let file = this.#folder.files.get(path);
    let error: ErrnoName | undefined;
    if (writable && this.#folder.readOnly) error = 'EROFS';
    else if (mode === 'w+') (file ??= this.#folder.createFile(path)).empty();
    else if (file === undefined) error = 'ENOENT';
    this.#opens.push({ file, writable, error });
    return error;
  }

  /** An asynchronous write says whether it may write only when it is waited for. */
  #refused(operation: Ranged, opened: Opened): ErrnoName | undefined {
    const length = 'data' in operation ? operation.data.length : operation.length;
    if (BigInt(operation.offset) + BigInt(length) > OFFSET_MAX) return 'EOVERFLOW';
    if (operation.op === 'write' && !opened.writable) return 'EBADF';
    return undefined;
  }

  #onFile(operation: Exclude<Operation, { op: 'open' | 'wait' | 'compute' | 'barrier' }>, opened: Opened, file: ReferenceFile): ReferenceResult {
    switch (operation.op) {
      case 'close':
        opened.error = 'EBADF';
        return { result: 0 };
      case 'read': {
        const data = file.read(Number(operation.offset), operation.length);
        return { result: data.length, data };
      }
      case 'write':
        return { result: file.write(Number(operation.offset), operation.data) };
      case 'prefetch':
        return { result: Math.max(0, Math.min(operation.length, file.size - Number(operation.offset))) };
      case 'stat':
        return { result: 0, sizeBytes: file.size };
      case 'read_async':
        return { result: 0, data: new Uint8Array(0) };
      case 'write_async':
      case 'fsync':
        return { result: 0 };
    }
  }

  /** Does what the ticket stands for; the bytes of a read belong to the ticket as well. */
  #wait(ticket: number): ReferenceResult {
    const operation = this.#program[ticket] as Extract<Operation, { op: 'read_async' | 'write_async' }>;
    const started = this.results[ticket] as ReferenceResult;
    if (started.result < 0) return { ...started };
    if (operation.op === 'write_async') return this.#step({ ...operation, op: 'write' });
    const done = this.#step({ ...operation, op: 'read' });
    if (done.result >= 0 && done.data !== undefined) started.data = done.data;
    return done;
  }
}

function failure(error: ErrnoName | undefined): number {
  return error === undefined ? 0 : -ERRNO[error].number;
}
