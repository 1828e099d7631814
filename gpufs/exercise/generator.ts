// Random sessions, as a function of a seed. What is drawn depends on what the files are like by then, never on what the device answers.
import type { OpenModeName } from '../program.ts';
import { Random } from '../random.ts';
import { type Action, type ActionKind, actionKinds, type Geometry, type Round, type Segment, type SegmentKind } from './action.ts';
import { FILE_BYTES_MAX } from './model_file.ts';
import { RoundWriter } from './round.ts';
import type { WarpState } from './round_writer.ts';
import { FILE_NAMES } from './world.ts';
import type { World } from './world.ts';

const WRITE_BYTES_MAX = 64 * 1024;
const LINES_MAX = 64;
const WARPS_MAX = 8;
const SEGMENTS_MAX = 8;
const ACTIONS_OF_SEGMENT_MAX = 40;
const ELEMENTS_MAX = 24;

/** How often each kind is drawn, beside the others. */
const weights: Record<ActionKind, number> = {
  open: 8, close: 5, read: 22, write: 22, fsync: 2, stat: 4, prefetch: 2, read_async: 3, write_async: 3, wait: 9, poll: 2, truncate: 6, unlink: 1, rename: 1,
  map: 6, unmap: 8, map_sync: 1, gather: 3, scatter: 3, add: 3,
};
/** What all warps may do with one file at the same time. */
const stripedKinds: ReadonlySet<ActionKind> = new Set([
  'read', 'write', 'fsync', 'prefetch', 'read_async', 'write_async', 'wait', 'poll', 'gather', 'scatter', 'add',
]);
const modes: readonly OpenModeName[] = ['r', 'r+', 'r+', 'c+', 'c+', 'c+', 'w+', 'wx+'];

export interface GeneratorSettings {
  seed: number;
  replay: boolean;
  /** Kinds that are never drawn. */
  without: ReadonlySet<ActionKind>;
}

/** Bytes of one file that belong to the warps in turn. */
interface Stripes {
  grain: number;
  warps: number;
}

export class Generator {
  readonly #random: Random;
  readonly #settings: GeneratorSettings;
  readonly #kinds: ActionKind[];
  #number = 0;

  constructor(settings: GeneratorSettings) {
    this.#settings = settings;
    this.#random = new Random(settings.seed);
    this.#kinds = actionKinds.flatMap((kind) => (settings.without.has(kind) ? [] : Array.from({ length: weights[kind] }, () => kind)));
  }

  get operations(): number {
    return this.#number;
  }

  geometry(): Geometry {
    const random = this.#random;
    const lines = 1 + random.below(random.below(3) === 0 ? LINES_MAX : 8);
    return {
      lines,
      lineBytes: 512 << random.below(8),
      ring: { count: 1 + random.below(4), slots: 1 << random.below(5) },
      threads: 1 + random.below(3),
      workers: 1 + random.below(2),
      dirtyLines: random.below(3) === 0 ? 1 + random.below(lines) : undefined,
    };
  }

  /** Writes one round; what comes back says it again without the writer. */
  round(world: World, geometry: Geometry): { round: Round; writer: RoundWriter } {
    const random = this.#random;
    const warps = random.below(3) === 0 ? 1 : 2 + random.below(WARPS_MAX - 1);
    const writer = new RoundWriter(world, { warps, geometry, replay: this.#settings.replay });
    const segments: Segment[] = [];
    const count = 1 + random.below(SEGMENTS_MAX);
    for (let i = 0; i < count; i++) segments.push(this.#segment(writer, this.#kindOf(warps), geometry));
    segments.push(...this.#endings(writer));
    return { round: { warps, segments, syncs: random.below(4) === 0 }, writer };
  }

  #kindOf(warps: number): SegmentKind {
    if (warps === 1) return 'alone';
    return (['alone', 'alone', 'apart', 'striped'] as const)[this.#random.below(4)] ?? 'alone';
  }

  #segment(writer: RoundWriter, kind: SegmentKind, geometry: Geometry): Segment {
    const random = this.#random;
    writer.begin(kind);
    const segment: Segment = { kind, actions: [] };
    const add = (warp: number, draft: Draft) => this.#add(writer, segment, warp, draft);
    const warps = writer.warps.length;
    const count = 1 + random.below(ACTIONS_OF_SEGMENT_MAX);
    if (kind === 'striped') {
      this.#striped(writer, add, count, geometry);
    } else {
      const alone = random.below(warps);
      for (let i = 0; i < count; i++) {
        const warp = kind === 'alone' ? alone : random.below(warps);
        const draft = this.#draft(writer.warps[warp] as WarpState, warp, writer, geometry);
        if (draft !== undefined) add(warp, draft);
      }
    }
    return segment;
  }

  #striped(writer: RoundWriter, add: (warp: number, draft: Draft) => boolean, count: number, geometry: Geometry): void {
    const random = this.#random;
    const name = this.#pick([...writer.world.names.keys()]);
    if (name === undefined) return;
    const warps = writer.warps.length;
    const stripes = { grain: 1 + random.below(random.below(2) === 0 ? 64 : geometry.lineBytes * 2), warps };
    const handles = writer.warps.map((_, warp) => (add(warp, { kind: 'open', name, mode: 'r+' }) ? this.#number : 0));
    for (let i = 0; i < count; i++) {
      const warp = random.below(warps);
      const of = handles[warp] ?? 0;
      const kind = this.#pick(this.#kinds.filter((candidate) => stripedKinds.has(candidate)));
      if (kind === undefined || of === 0) continue;
      const state = writer.warps[warp] as WarpState;
      const draft = kind === 'wait' || kind === 'poll' ? this.#onTicket(kind, state, of) : this.#inStripe(kind, of, warp, stripes);
      if (draft !== undefined) add(warp, draft);
    }
    // A transfer that starts here must end here: later its bytes may belong to somebody else.
    writer.warps.forEach((state, warp) => {
      for (const [ticket, { live, handle }] of state.tickets) if (live && handle === state.handles.get(handles[warp] ?? 0)) add(warp, { kind: 'wait', of: ticket });
    });
  }

  #inStripe(kind: ActionKind, of: number, warp: number, { grain, warps }: Stripes): Draft | undefined {
    const random = this.#random;
    const rows = Math.max(1, Math.floor(FILE_BYTES_MAX / 4 / (grain * warps)));
    const start = (random.below(rows) * warps + warp) * grain;
    const within = random.below(grain);
    const offset = start + within;
    const length = 1 + random.below(grain - within);
    if (kind === 'fsync') return { kind, of };
    if (kind === 'read' || kind === 'write' || kind === 'prefetch' || kind === 'read_async' || kind === 'write_async') return { kind, of, offset, length };
    const first = Math.ceil(offset / 4);
    const elements = Math.floor((offset + length) / 4) - first;
    if (elements <= 0 || (kind !== 'gather' && kind !== 'scatter' && kind !== 'add')) return undefined;
    return { kind, of, indices: this.#indices(first, elements) };
  }

  /** What is left to do is done: transfers and maps one warp after the other, then most handles are closed. */
  #endings(writer: RoundWriter): Segment[] {
    const segments: Segment[] = [];
    const begin = () => {
      const segment: Segment = { kind: 'alone', actions: [] };
      writer.begin('alone');
      segments.push(segment);
      return (warp: number, draft: Draft) => this.#add(writer, segment, warp, draft);
    };
    writer.warps.forEach((state, warp) => {
      const maps = [...state.maps].filter(([, { live }]) => live);
      const tickets = [...state.tickets].filter(([, { live }]) => live);
      if (maps.length + tickets.length === 0) return;
      const add = begin();
      for (const [map] of maps) add(warp, { kind: 'unmap', of: map, length: 0 });
      for (const [ticket] of tickets) add(warp, { kind: 'wait', of: ticket });
    });
    if (this.#random.below(16) === 0) return segments;
    const add = begin();
    writer.warps.forEach((state, warp) => {
      for (const [handle, { error }] of state.handles) if (error === undefined) add(warp, { kind: 'close', of: handle });
    });
    return segments;
  }

  #add(writer: RoundWriter, segment: Segment, warp: number, draft: Draft): boolean {
    const action = { number: this.#number + 1, ...draft } as Action;
    if (!writer.add(warp, action)) return false;
    this.#number++;
    segment.actions.push({ warp, action });
    return true;
  }

  #draft(state: WarpState, warp: number, writer: RoundWriter, geometry: Geometry): Draft | undefined {
    const random = this.#random;
    const kind = this.#pick(this.#kinds) ?? 'open';
    if (kind === 'open') return { kind, name: this.#name(warp, writer), mode: this.#pick(modes) ?? 'c+' };
    if (kind === 'unlink') return { kind, name: this.#name(warp, writer) };
    if (kind === 'rename') return { kind, name: this.#name(warp, writer), to: this.#name(warp, writer) };
    if (kind === 'wait' || kind === 'poll') return this.#onTicket(kind, state, undefined);
    if (kind === 'unmap' || kind === 'map_sync') {
      const map = this.#pick([...state.maps].filter(([, { live }]) => live));
      return map === undefined ? undefined : { kind, of: map[0], length: random.below(3) === 0 ? 0 : this.#size(map[1].length + 1) };
    }
    const handle = this.#handle(state);
    if (handle === undefined) return { kind: 'open', name: this.#name(warp, writer), mode: 'c+' };
    const [of, { file }] = handle;
    const size = file?.size ?? 0;
    if (kind === 'close' || kind === 'fsync' || kind === 'stat') return { kind, of };
    if (kind === 'truncate') return { kind, of, length: this.#truncated(size, geometry) };
    const offset = this.#offset(size, geometry);
    if (kind === 'map') {
      const room = geometry.lineBytes - (offset % geometry.lineBytes);
      return { kind, of, offset, length: random.below(50) === 0 ? room + 1 : 1 + random.below(room), mode: random.below(3) === 0 ? 'r' : 'r+' };
    }
    if (kind === 'gather' || kind === 'scatter' || kind === 'add') return { kind, of, indices: this.#indicesOf(size, geometry) };
    return { kind, of, offset, length: Math.min(this.#size(WRITE_BYTES_MAX), FILE_BYTES_MAX - offset) };
  }

  #onTicket(kind: 'wait' | 'poll', state: WarpState, handle: number | undefined): Draft | undefined {
    const wanted = handle === undefined ? undefined : state.handles.get(handle);
    const live = [...state.tickets].filter(([, ticket]) => ticket.live && (wanted === undefined || ticket.handle === wanted));
    const ticket = this.#pick(live);
    return ticket === undefined ? undefined : { kind, of: ticket[0] };
  }

  /** Mostly one that is open. */
  #handle(state: WarpState) {
    const handles = [...state.handles];
    const open = handles.filter(([, { error }]) => error === undefined);
    return this.#random.below(40) === 0 ? this.#pick(handles) : this.#pick(open);
  }

  #name(warp: number, { warps }: RoundWriter): string {
    const own = FILE_NAMES.filter((_, index) => index % warps.length === warp % FILE_NAMES.length);
    return this.#pick(own.length > 0 && this.#random.below(2) === 0 ? own : FILE_NAMES) ?? FILE_NAMES[0];
  }

  /** Biased to small ones, to whole lines, and now and then none at all. */
  #size(max: number): number {
    const random = this.#random;
    if (random.below(30) === 0) return 0;
    return this.#whole(Math.min(max, random.below(1 << random.below(18))));
  }

  /** In words, in pieces of 16 bytes or neither: each of them is read and written in a way of its own. */
  #whole(value: number): number {
    const unit = [1, 1, 4, 16][this.#random.below(4)] as number;
    return value - (value % unit);
  }

  #offset(size: number, { lineBytes }: Geometry): number {
    const random = this.#random;
    const about = [() => random.below(size + 1), () => random.below(FILE_BYTES_MAX), () => size, () => random.below(size / lineBytes + 1) * lineBytes];
    const at = (this.#pick(about) ?? about[0])?.() ?? 0;
    const shift = random.below(3) === 0 ? random.below(9) - 4 : 0;
    return this.#whole(Math.floor(Math.min(FILE_BYTES_MAX - 1, Math.max(0, at + shift))));
  }

  #truncated(size: number, geometry: Geometry): number {
    const random = this.#random;
    return random.below(3) === 0 ? random.below(Math.min(FILE_BYTES_MAX, size * 2) + 1) : this.#offset(size, geometry);
  }

  #indicesOf(size: number, geometry: Geometry): number[] {
    const first = Math.floor(this.#offset(size, geometry) / 4);
    const elements = Math.floor(size / 4);
    const past = this.#random.below(20) === 0;
    if (past || elements === 0) return this.#indices(first, FILE_BYTES_MAX / 4 - first);
    return this.#random.below(2) === 0 ? this.#indices(0, elements) : this.#indices(Math.min(first, elements - 1), Math.min(64, elements - Math.min(first, elements - 1)));
  }

  /** Each once: of two values for one element either may stay. */
  #indices(first: number, count: number): number[] {
    const wanted = 1 + this.#random.below(Math.min(ELEMENTS_MAX, count));
    return [...new Set(Array.from({ length: wanted }, () => first + this.#random.below(count)))];
  }

  #pick<Value>(values: readonly Value[]): Value | undefined {
    return values[this.#random.below(values.length)];
  }
}

/** An action without its number. */
type Draft = Action extends infer Kind ? (Kind extends { number: number } ? Omit<Kind, 'number'> : never) : never;
