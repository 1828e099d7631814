// What the exerciser asks for, in words that outlive the round that they were made in: handles, tickets and maps are named by the
// operation that made them, so a list from which operations were taken away still says what the rest of them mean.
import type { OpenModeName } from '../program.ts';

/** One type for each kind, also where several have the same fields. */
type Kinds<Kind extends string, Fields> = Kind extends string ? { readonly number: number; kind: Kind } & Fields : never;

/** `of` is the operation that opened the file, started the transfer or made the map. */
export type Action =
  | Kinds<'open', { name: string; mode: OpenModeName }>
  | Kinds<'close' | 'fsync' | 'stat' | 'wait' | 'poll', { of: number }>
  | Kinds<'read' | 'write' | 'prefetch' | 'read_async' | 'write_async', { of: number; offset: number; length: number }>
  | Kinds<'truncate', { of: number; length: number }>
  | Kinds<'unlink', { name: string }>
  | Kinds<'rename', { name: string; to: string }>
  | Kinds<'map', { of: number; offset: number; length: number; mode: 'r' | 'r+' }>
  /** `length` bytes are stored before; 0: none. */
  | Kinds<'unmap' | 'map_sync', { of: number; length: number }>
  | Kinds<'gather' | 'scatter' | 'add', { of: number; indices: readonly number[] }>;

export type ActionKind = Action['kind'];

export const actionKinds = [
  'open', 'close', 'read', 'write', 'fsync', 'stat', 'prefetch', 'read_async', 'write_async', 'wait', 'poll', 'truncate', 'unlink', 'rename', 'map', 'unmap',
  'map_sync', 'gather', 'scatter', 'add',
] as const satisfies readonly ActionKind[];

/** Who may touch what between two barriers. */
export type SegmentKind =
  /** One warp does something, the others wait. */
  | 'alone'
  /** Each name belongs to one warp, which does with it what it likes. */
  | 'apart'
  /** All warps use one file, and each touches bytes of its own alone. */
  | 'striped';

export interface Segment {
  kind: SegmentKind;
  actions: { warp: number; action: Action }[];
}

/** One `fs.run`. */
export interface Round {
  warps: number;
  segments: Segment[];
  /** `fs.sync()` comes after it, and the files of the host are compared. */
  syncs: boolean;
}

export interface Geometry {
  lines: number;
  lineBytes: number;
  ring: { count: number; slots: number };
  threads: number;
  workers: number;
  /** Modified lines above which a call writes through; undefined: as many as there are. */
  dirtyLines: number | undefined;
}

/** Everything from one mount to its unmount, after which the files of the host are compared. */
export interface Session {
  geometry: Geometry;
  rounds: Round[];
}

export function countActions(rounds: readonly Round[]): number {
  return rounds.reduce((total, round) => total + round.segments.reduce((sum, segment) => sum + segment.actions.length, 0), 0);
}

/** `812 write #800 4000..5000` */
export function showAction(action: Action): string {
  const { number, kind } = action;
  const head = `${number} ${kind}`;
  switch (kind) {
    case 'open':
      return `${head} ${action.name} ${action.mode}`;
    case 'unlink':
      return `${head} ${action.name}`;
    case 'rename':
      return `${head} ${action.name} to ${action.to}`;
    case 'truncate':
      return `${head} #${action.of} to ${action.length}`;
    case 'read':
    case 'write':
    case 'prefetch':
    case 'read_async':
    case 'write_async':
      return `${head} #${action.of} ${action.offset}..${action.offset + action.length}`;
    case 'map':
      return `${head} #${action.of} ${action.offset}..${action.offset + action.length} ${action.mode}`;
    case 'unmap':
    case 'map_sync':
      return action.length === 0 ? `${head} #${action.of}` : `${head} #${action.of} storing ${action.length} bytes`;
    case 'gather':
    case 'scatter':
    case 'add':
      return `${head} #${action.of} [${action.indices.join(', ')}]`;
    default:
      return `${head} #${action.of}`;
  }
}
