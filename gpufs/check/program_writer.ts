// Writes the program of one warp: opens what is used before it is used, and waits for what was started.
import type { OpenOperation, Operation } from '../program.ts';
import { writtenBytes } from './written_bytes.ts';

export type Kind = 'read' | 'write' | 'stat' | 'prefetch' | 'fsync' | 'close' | 'read_async' | 'write_async' | 'open';

export interface Wish {
  kind: Kind;
  file: number;
  offset: number;
  length: number;
  /** Of an open. 'missing': of a file that is not there. */
  mode: OpenOperation['mode'] | 'missing';
  /** What it starts is waited for at the end, not at once; a file that it needs and that is closed is left closed. */
  late: boolean;
}

const MISSING = 'missing';

export class ProgramWriter {
  readonly program: Operation[] = [];
  readonly #warp: number;
  /** Of each file: the index of its open in this program, or -1. */
  readonly #opens: number[];
  #openCount = 0;
  #tickets: number[] = [];

  /** Files that are used before they are opened by a wish are opened first of all: so those opens need not be explored. */
  constructor(warp: number, files: number, used: ReadonlySet<number>) {
    this.#warp = warp;
    this.#opens = Array.from({ length: files }, (_, file) => (used.has(file) ? this.#open(fileName(file), 'r+') : -1));
  }

  add({ kind, file, offset, length, mode, late }: Wish): void {
    if (kind === 'open') {
      if (mode === 'missing') this.#open(MISSING, 'r');
      else this.#opens[file] = this.#open(fileName(file), mode);
      return;
    }
    let open = this.#opens[file] ?? -1;
    if (open < 0) open = this.#opens[file] = this.#open(fileName(file), 'r+');
    this.#addTo(open, { kind, file, offset, length, mode, late });
    // What comes next opens it again, or finds it closed.
    if (kind === 'close' && !late) this.#opens[file] = -1;
  }

  barrier(): void {
    this.program.push({ op: 'barrier' });
  }

  end(): void {
    for (const ticket of this.#tickets) this.program.push({ op: 'wait', ticket });
    this.#tickets = [];
  }

  #open(path: string, mode: OpenOperation['mode']): number {
    this.program.push({ op: 'open', path, mode });
    return this.#openCount++;
  }

  #addTo(file: number, { kind, offset, length, late }: Wish): void {
    const step = this.program.length;
    const data = (): Uint8Array => writtenBytes({ warp: this.#warp, step }, offset, length);
    if (kind === 'read' || kind === 'prefetch') this.program.push({ op: kind, file, offset, length });
    else if (kind === 'write') this.program.push({ op: 'write', file, offset, data: data() });
    else if (kind === 'read_async') this.program.push({ op: 'read_async', file, offset, length });
    else if (kind === 'write_async') this.program.push({ op: 'write_async', file, offset, data: data() });
    else if (kind === 'fsync' || kind === 'stat' || kind === 'close') this.program.push({ op: kind, file });
    if (kind !== 'read_async' && kind !== 'write_async') return;
    if (late) this.#tickets.push(step);
    else this.program.push({ op: 'wait', ticket: step });
  }
}

export function fileName(index: number): string {
  return `file${index}`;
}
