// A part of a file that a warp has mapped: it looks at the map, and writes when it gives it back or syncs it.
import type { Operation } from '../../gpufs/program.ts';
import type { ErrnoName } from '../../native/abi/abi.ts';
import type { ReferenceFile } from './reference_file.ts';

export class ReferenceMap {
  readonly #file: ReferenceFile;
  readonly #offset: number;
  readonly #length: number;
  readonly #mode: 'r' | 'r+';
  readonly #shrinks: number;
  #released = false;

  constructor(file: ReferenceFile, offset: number, length: number, mode: 'r' | 'r+') {
    this.#file = file;
    this.#offset = offset;
    this.#length = length;
    this.#mode = mode;
    this.#shrinks = file.shrinks;
  }

  /** Behind the end of a file nothing is mapped. */
  get holdsLine(): boolean {
    return !this.#released && this.#length > 0;
  }

  store({ op, data }: Extract<Operation, { map: number }>): ErrnoName | undefined {
    // It stays mapped where it is not used as it should be.
    if (data !== undefined && this.#mode === 'r') return 'EBADF';
    if (data !== undefined && data.length > this.#length) return 'EINVAL';
    if (this.#length === 0) return undefined;
    if (this.#released) return 'EBADF';
    if (op === 'unmap') this.#released = true;
    if (this.#mode === 'r') return undefined;
    if (this.#shrinks !== this.#file.shrinks) return 'ESTALE';
    if (data !== undefined) this.#file.write(this.#offset, data);
    return undefined;
  }
}
