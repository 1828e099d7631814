// Writes the program of one warp: opens what is used before it is used, waits for what was started, gives back what was mapped.
import type { OpenModeName, Operation } from '../program.ts';
import { ELEMENT_BYTES } from './covers.ts';
import { writtenBytes } from './written_bytes.ts';

export type Kind = Exclude<Operation['op'], 'wait' | 'unmap' | 'map_sync' | 'compute' | 'barrier'>;

export interface Wish {
  kind: Kind;
  file: number;
  offset: number;
  length: number;
  /** Of an open. 'missing': of a file that is not there. */
  mode: OpenModeName | 'missing';
  /** What it starts is waited for at the end, not at once; a file that it needs and that is closed is left closed; a map is held meanwhile. */
  late: boolean;
  /** What else there is to choose. */
  extra: number;
}

export interface WriterSettings {
  files: number;
  lineBytes: number;
  /** There are lines enough for every warp to hold one while the others go on. */
  mayHold: boolean;
}

const MISSING = 'missing';
/** A name that no file has at the beginning. */
const OTHER = 'other';
const ELEMENTS_MAX = 4;

export class ProgramWriter {
  readonly program: Operation[] = [];
  readonly #warp: number;
  readonly #settings: WriterSettings;
  /** Of each file: the index of its open in this program, or -1. */
  readonly #opens: number[];
  #openCount = 0;
  #tickets: number[] = [];
  /** What gives a map back, behind the next operation. */
  #held: Operation[] = [];

  /** Files that are used before they are opened by a wish are opened first of all: so those opens need not be explored. */
  constructor(warp: number, settings: WriterSettings, used: ReadonlySet<number>) {
    this.#warp = warp;
    this.#settings = settings;
    this.#opens = Array.from({ length: settings.files }, (_, file) => (used.has(file) ? this.#open(fileName(file), 'r+') : -1));
  }

  add(wish: Wish): void {
    const held = this.#held;
    // A map does not outlive its file here.
    if (wish.kind === 'close' || wish.kind === 'map') this.#giveBack();
    this.#add(wish);
    if (this.#held === held) this.#giveBack();
  }

  barrier(): void {
    this.program.push({ op: 'barrier' });
  }

  end(): void {
    this.#giveBack();
    for (const ticket of this.#tickets) this.program.push({ op: 'wait', ticket });
    this.#tickets = [];
  }

  #add(wish: Wish): void {
    const { kind, file, mode, late, extra } = wish;
    const path = fileName(file);
    if (kind === 'unlink') this.program.push({ op: kind, path });
    else if (kind === 'rename') this.program.push({ op: kind, path, to: extra % 2 === 0 ? fileName((file + 1) % this.#settings.files) : OTHER });
    else if (kind === 'open' && mode === 'missing') this.#open(MISSING, 'r');
    else if (kind === 'open') this.#opens[file] = this.#open(path, mode as OpenModeName);
    else {
      let open = this.#opens[file] ?? -1;
      if (open < 0) open = this.#opens[file] = this.#open(path, 'r+');
      this.#addTo(open, wish);
      // What comes next opens it again, or finds it closed.
      if (kind === 'close' && !late) this.#opens[file] = -1;
    }
  }

  #open(path: string, mode: OpenModeName): number {
    this.program.push({ op: 'open', path, mode });
    return this.#openCount++;
  }

  #addTo(file: number, { kind, offset, length, late, extra }: Wish): void {
    switch (kind) {
      case 'read':
        return void this.program.push({ op: kind, file, offset, length, ...(extra % 3 === 1 ? { peek: true } : {}) });
      case 'prefetch':
        return void this.program.push({ op: kind, file, offset, length });
      case 'write':
        return void this.program.push({ op: kind, file, offset, data: this.#bytes(offset, length) });
      case 'read_async':
        return this.#start({ op: kind, file, offset, length }, late);
      case 'write_async':
        return this.#start({ op: kind, file, offset, data: this.#bytes(offset, length) }, late);
      case 'poll':
        if (this.#tickets.length === 0) this.#start({ op: 'read_async', file, offset, length }, true);
        return void this.program.push({ op: kind, ticket: this.#tickets.at(-1) as number });
      case 'fsync':
      case 'stat':
      case 'close':
        return void this.program.push({ op: kind, file });
      case 'truncate':
        return void this.program.push({ op: kind, file, length: offset });
      case 'map':
        return this.#map(file, offset, length, extra, late);
      case 'gather':
        return void this.program.push({ op: kind, file, indices: this.#indices(offset, extra) });
      case 'scatter':
      case 'add': {
        const indices = this.#indices(offset, extra);
        const from = (this.#warp * 16 + this.program.length) * ELEMENTS_MAX + 1; // other numbers than those of other steps
        return void this.program.push({ op: kind, file, indices, values: indices.map((_, at) => (kind === 'add' ? 1 : 0x01010101) * (from + at)) });
      }
      default:
        throw new Error(`${kind} is not about an open file`);
    }
  }

  #start(operation: Operation, late: boolean): void {
    const ticket = this.program.push(operation) - 1;
    if (late) this.#tickets.push(ticket);
    else this.program.push({ op: 'wait', ticket });
  }

  /** It has to lie in one line. Bytes are stored when it is given back, or when it is synced before. */
  #map(file: number, offset: number, length: number, extra: number, late: boolean): void {
    const { lineBytes, mayHold } = this.#settings;
    const fits = Math.max(1, Math.min(length, lineBytes - (offset % lineBytes)));
    const writes = extra % 3 !== 1;
    const map = this.program.push({ op: 'map', file, offset, length: fits, mode: writes ? 'r+' : 'r' }) - 1;
    const data = this.#bytes(offset, fits);
    if (extra % 3 === 2) this.program.push({ op: 'map_sync', map, data });
    // Where the file ends before the data does that is refused, and the map stays until it is given back without.
    this.#held = [...(writes && extra !== 2 ? [{ op: 'unmap' as const, map, data }] : []), { op: 'unmap', map }];
    if (!late || !mayHold) this.#giveBack();
  }

  #giveBack(): void {
    this.program.push(...this.#held);
    this.#held = [];
  }

  /** Up to four: neighbours, one in the next line, and one that comes twice. */
  #indices(offset: number, extra: number): number[] {
    const first = Math.floor(offset / ELEMENT_BYTES);
    return [first, first + 1, first + this.#settings.lineBytes / ELEMENT_BYTES, first].slice(0, 1 + (extra % ELEMENTS_MAX));
  }

  #bytes(offset: number, length: number): Uint8Array {
    return writtenBytes({ warp: this.#warp, step: this.program.length }, offset, length);
  }
}

export function fileName(index: number): string {
  return `file${index}`;
}
