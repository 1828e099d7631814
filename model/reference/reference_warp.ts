// One warp of one run: its opens, its steps in order, and the result of each.
import type { OpenModeName, Operation, Program, StepResult } from '../../gpufs/program.ts';
import { ERRNO, type ErrnoName, MAPS_MAX } from '../../native/abi/abi.ts';
import type { ReferenceFile } from './reference_file.ts';
import type { ReferenceMount } from './reference_mount.ts';

/** What fs.run gives for a step, but for the time that it took. An open that succeeded is 0: handles are the device's own. */
export type ReferenceResult = Omit<StepResult, 'nanoseconds'>;

interface Opened {
  file: ReferenceFile | undefined;
  writable: boolean;
  /** Why operations on it fail; undefined while it is open. */
  error: ErrnoName | undefined;
}

/** What is mapped: a look at the file, and a write to it where it is given back or synced. */
interface Mapped {
  file: ReferenceFile;
  offset: number;
  length: number;
  writable: boolean;
  /** Of the file, when it was mapped. */
  shrinks: number;
  released: boolean;
}

type FileOperation = Extract<Operation, { file: number }>;

const OFFSET_MAX = 2n ** 63n - 1n;

export class ReferenceWarp {
  readonly results: ReferenceResult[] = [];
  readonly #mount: ReferenceMount;
  readonly #program: Program;
  readonly #opens: Opened[] = [];
  readonly #maps = new Map<number, Mapped>();

  constructor(mount: ReferenceMount, program: Program) {
    this.#mount = mount;
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
      case 'barrier': case 'compute': return { result: 0 };
      case 'open': return { result: resultOf(this.#open(operation.path, operation.mode)) };
      case 'unlink': return { result: resultOf(this.#mount.unlink(operation.path)) };
      case 'rename': return { result: resultOf(this.#mount.rename(operation.path, operation.to)) };
      case 'wait': return this.#wait(operation.ticket);
      case 'poll': return this.#poll(operation.ticket);
      case 'unmap': case 'map_sync': return { result: this.#onMap(operation) };
    }
    const opened = this.#opens[operation.file] as Opened;
    const error = opened.error ?? this.#refused(operation, opened);
    return error === undefined ? this.#onFile(operation, opened, opened.file as ReferenceFile) : failed(operation, error);
  }

  #open(path: string, mode: OpenModeName): ErrnoName | undefined {
    const writable = mode !== 'r';
    let file = this.#mount.files.get(path);
    let error: ErrnoName | undefined;
    if (writable && this.#mount.readOnly) error = 'EROFS';
    else if (mode === 'wx+' && file !== undefined) error = 'EEXIST';
    else if (mode !== 'r' && mode !== 'r+') file ??= this.#mount.createFile(path);
    else if (file === undefined) error = 'ENOENT';
    if (error === undefined && mode === 'w+') file?.truncate(0);
    this.#opens.push({ file, writable, error });
    return error;
  }

  /** An asynchronous write says whether it may write only when it is waited for. */
  #refused(operation: FileOperation, opened: Opened): ErrnoName | undefined {
    const { op } = operation;
    if ('offset' in operation) {
      const length = 'data' in operation ? operation.data.length : operation.length;
      if (BigInt(operation.offset) + BigInt(length) > OFFSET_MAX) return 'EOVERFLOW';
    }
    const writes = op === 'write' || op === 'truncate' || op === 'scatter' || op === 'add' || (op === 'map' && operation.mode === 'r+');
    if (writes && !opened.writable) return 'EBADF';
    if (op !== 'map') return undefined;
    if (operation.length === 0 || (Number(operation.offset) % this.#mount.lineBytes) + operation.length > this.#mount.lineBytes) return 'EINVAL';
    // Behind the end of a file nothing is mapped.
    const isFull = [...this.#maps.values()].filter(({ released, length }) => !released && length > 0).length >= MAPS_MAX;
    return isFull && Number(operation.offset) < (opened.file as ReferenceFile).size ? 'ENOMEM' : undefined;
  }

  #onFile(operation: FileOperation, opened: Opened, file: ReferenceFile): ReferenceResult {
    switch (operation.op) {
      case 'close':
        opened.error = 'EBADF';
        return { result: 0 };
      case 'map': case 'read': {
        const offset = Number(operation.offset);
        const data = file.read(offset, operation.length);
        const { shrinks } = file;
        if (operation.op === 'map') this.#maps.set(this.results.length, { file, offset, length: data.length, writable: operation.mode === 'r+', shrinks, released: false });
        return { result: data.length, data };
      }
      case 'write': return { result: file.write(Number(operation.offset), operation.data) };
      case 'truncate':
        file.truncate(Number(operation.length));
        return { result: 0 };
      case 'prefetch': return { result: Math.max(0, Math.min(operation.length, file.size - Number(operation.offset))) };
      case 'stat': return { result: 0, sizeBytes: file.size };
      case 'read_async': return { result: 0, data: new Uint8Array(0) };
      case 'write_async': case 'fsync': return { result: 0 };
      case 'gather': return onElements(operation, file, (old) => old);
      case 'scatter': return onElements(operation, file, (_, at) => operation.values[at] as number);
      case 'add': return onElements(operation, file, (old, at) => old + (operation.values[at] as number));
    }
  }

  /** A map that failed says why once more. It stays mapped where it is not used as it should be. */
  #onMap({ op, map, data }: Extract<Operation, { map: number }>): number {
    const mapped = this.#maps.get(map);
    if (mapped === undefined) return (this.results[map] as ReferenceResult).result;
    if (data !== undefined && !mapped.writable) return resultOf('EBADF');
    if (data !== undefined && data.length > mapped.length) return resultOf('EINVAL');
    if (mapped.length === 0) return 0;
    if (mapped.released) return resultOf('EBADF');
    mapped.released = op === 'unmap';
    if (!mapped.writable) return 0;
    if (mapped.shrinks !== mapped.file.shrinks) return resultOf('ESTALE');
    if (data !== undefined) mapped.file.write(mapped.offset, data);
    return 0;
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

/** All elements that lie in the file are done, also where others do not: those give 0. */
function onElements({ op, indices }: Extract<Operation, { indices: unknown }>, file: ReferenceFile, change: (old: number, at: number) => number): ReferenceResult {
  const olds = indices.map((index, at) => file.change(Number(index), (old) => change(old, at)));
  const result = olds.includes(undefined) ? resultOf('ERANGE') : indices.length;
  return { result, ...(op === 'scatter' ? {} : { values: Uint32Array.from(olds, (old) => old ?? 0) }) };
}

function failed({ op }: Operation, error: ErrnoName): ReferenceResult {
  const reads = op === 'read' || op === 'read_async' || op === 'map';
  return { result: resultOf(error), ...(reads ? { data: new Uint8Array(0) } : {}), ...(op === 'gather' || op === 'add' ? { values: new Uint32Array(0) } : {}) };
}

function resultOf(error: ErrnoName | undefined): number {
  return error === undefined ? 0 : -ERRNO[error].number;
}
