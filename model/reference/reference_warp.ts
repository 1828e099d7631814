// One warp of one run: its opens, its steps in order, and the result of each.
import type { MapOperation, OpenModeName, Operation, Program, StepResult } from '../../gpufs/program.ts';
import { ERRNO, type ErrnoName, MAPS_MAX } from '../../native/abi/abi.ts';
import { ReferenceMap } from './reference_map.ts';
import type { ReferenceFile } from './reference_file.ts';

/** What fs.run gives for a step, but for the time that it took. An open that succeeded is 0: handles are the device's own. */
export type ReferenceResult = Omit<StepResult, 'nanoseconds'>;

export interface ReferenceFolder {
  readonly readOnly: boolean;
  readonly lineBytes: number;
  readonly files: ReadonlyMap<string, ReferenceFile>;
  createFile(path: string): ReferenceFile;
  unlink(path: string): ErrnoName | undefined;
  rename(path: string, to: string): ErrnoName | undefined;
}

interface Opened {
  file: ReferenceFile | undefined;
  writable: boolean;
  /** Why operations on it fail; undefined while it is open. */
  error: ErrnoName | undefined;
}

type FileOperation = Extract<Operation, { file: number }>;
type ElementOperation = Extract<Operation, { indices: unknown }>;
type MappedOperation = Extract<Operation, { map: number }>;

const OFFSET_MAX = 2n ** 63n - 1n;

export class ReferenceWarp {
  readonly results: ReferenceResult[] = [];
  readonly #folder: ReferenceFolder;
  readonly #program: Program;
  readonly #opens: Opened[] = [];
  readonly #maps = new Map<number, ReferenceMap>();

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
    switch (operation.op) {
      case 'barrier':
      case 'compute':
        return { result: 0 };
      case 'open':
        return { result: resultOf(this.#open(operation.path, operation.mode)) };
      case 'unlink':
        return { result: resultOf(this.#folder.unlink(operation.path)) };
      case 'rename':
        return { result: resultOf(this.#folder.rename(operation.path, operation.to)) };
      case 'wait':
        return this.#wait(operation.ticket);
      case 'poll':
        return this.#poll(operation.ticket);
      case 'unmap':
      case 'map_sync':
        return { result: this.#onMap(operation) };
      default: {
        const opened = this.#opens[operation.file] as Opened;
        const error = opened.error ?? this.#refused(operation, opened);
        if (error !== undefined) return failed(operation, error);
        return this.#onFile(operation, opened, opened.file as ReferenceFile);
      }
    }
  }

  #open(path: string, mode: OpenModeName): ErrnoName | undefined {
    const writable = mode !== 'r';
    let file = this.#folder.files.get(path);
    let error: ErrnoName | undefined;
    if (writable && this.#folder.readOnly) error = 'EROFS';
    else if (mode === 'wx+' && file !== undefined) error = 'EEXIST';
    else if (mode !== 'r' && mode !== 'r+') file ??= this.#folder.createFile(path);
    else if (file === undefined) error = 'ENOENT';
    if (error === undefined && mode === 'w+') file?.truncate(0);
    this.#opens.push({ file, writable, error });
    return error;
  }

  /** An asynchronous write says whether it may write only when it is waited for. */
  #refused(operation: FileOperation, opened: Opened): ErrnoName | undefined {
    const writes = operation.op === 'write' || operation.op === 'truncate' || operation.op === 'scatter' || operation.op === 'add';
    if (operation.op === 'map') return this.#mapRefused(operation, opened);
    if ('offset' in operation) {
      const length = 'data' in operation ? operation.data.length : operation.length;
      if (BigInt(operation.offset) + BigInt(length) > OFFSET_MAX) return 'EOVERFLOW';
    }
    return writes && !opened.writable ? 'EBADF' : undefined;
  }

  #mapRefused({ offset, length, mode }: MapOperation, { writable }: Opened): ErrnoName | undefined {
    if (mode === 'r+' && !writable) return 'EBADF';
    if (length === 0 || (Number(offset) % this.#folder.lineBytes) + length > this.#folder.lineBytes) return 'EINVAL';
    const held = [...this.#maps.values()].filter((map) => map.holdsLine).length;
    return held >= MAPS_MAX ? 'ENOMEM' : undefined;
  }

  #onFile(operation: FileOperation, opened: Opened, file: ReferenceFile): ReferenceResult {
    switch (operation.op) {
      case 'close':
        opened.error = 'EBADF';
        return { result: 0 };
      case 'map':
      case 'read': {
        const data = file.read(Number(operation.offset), operation.length);
        if (operation.op === 'map') this.#maps.set(this.results.length, new ReferenceMap(file, Number(operation.offset), data.length, operation.mode));
        return { result: data.length, data };
      }
      case 'write':
        return { result: file.write(Number(operation.offset), operation.data) };
      case 'truncate':
        file.truncate(Number(operation.length));
        return { result: 0 };
      case 'prefetch':
        return { result: Math.max(0, Math.min(operation.length, file.size - Number(operation.offset))) };
      case 'stat':
        return { result: 0, sizeBytes: file.size };
      case 'read_async':
        return { result: 0, data: new Uint8Array(0) };
      case 'write_async':
      case 'fsync':
        return { result: 0 };
      case 'gather':
      case 'scatter':
      case 'add':
        return this.#onElements(operation, file);
    }
  }

  /** All elements that lie in the file are done, also where others do not. */
  #onElements(operation: ElementOperation, file: ReferenceFile): ReferenceResult {
    const { op, indices } = operation;
    const olds = indices.map((index, at) => {
      const value = op === 'gather' ? 0 : (operation.values[at] as number);
      return file.element(Number(index), (old) => (op === 'gather' ? old : op === 'scatter' ? value : old + value));
    });
    if (olds.includes(undefined)) return failed(operation, 'ERANGE');
    return { result: indices.length, ...(op === 'scatter' ? {} : { values: Uint32Array.from(olds as number[]) }) };
  }

  /** A map that failed says why once more. */
  #onMap(operation: MappedOperation): number {
    const mapped = (this.results[operation.map] as ReferenceResult).result;
    return mapped < 0 ? mapped : resultOf((this.#maps.get(operation.map) as ReferenceMap).store(operation));
  }

  /** A device may also say 0: something is still on its way. */
  #poll(ticket: number): ReferenceResult {
    const { file } = this.#program[ticket] as FileOperation;
    const { result } = this.results[ticket] as ReferenceResult;
    return { result: result < 0 ? result : resultOf((this.#opens[file] as Opened).error) || 1 };
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

function failed({ op }: Operation, error: ErrnoName): ReferenceResult {
  const reads = op === 'read' || op === 'read_async' || op === 'map';
  const takes = op === 'gather' || op === 'add';
  return { result: resultOf(error), ...(reads ? { data: new Uint8Array(0) } : {}), ...(takes ? { values: new Uint32Array(0) } : {}) };
}

function resultOf(error: ErrnoName | undefined): number {
  return error === undefined ? 0 : -ERRNO[error].number;
}
