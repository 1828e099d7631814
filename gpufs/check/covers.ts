// The calls that cover a byte of a file, what is known of their order, and the look at the disk at the end, which is one more read.
import { ERRNO } from '../../native/abi/abi.ts';
import { type Act, type FileHistory, type Precedes, syncs } from './history.ts';
import type { FaultName } from './observed.ts';

/** What the host finds at the end. */
export interface Disk {
  bytes: Uint8Array;
  /** Everything was written back and synced before. */
  finished: boolean;
}

export interface FileCase {
  history: FileHistory;
  /** Undefined: nobody looked. */
  disk: Disk | undefined;
  precedes: Precedes;
  /** What of it is known for sure, where the rest is supposed; absent: all of it. */
  surelyPrecedes?: Precedes;
  faults: ReadonlySet<FaultName>;
  /** Searches that were given up: nothing is said about what they were about. */
  undecided: { count: number };
}

/** The part of a file that one call covers, or one element of a call for many. */
export interface Cover {
  /** Undefined: the look at the disk. */
  act: Act | undefined;
  /** 'cut': the bytes from here on are gone, so what is there later begins as zeros. */
  kind: 'write' | 'cut' | 'read';
  from: number;
  to: number;
  bytes: Uint8Array | undefined;
  /** It is done to all of its bytes at once. */
  element: boolean;
}

/** Bytes of one element. */
export const ELEMENT_BYTES = 4;

/** Additions are not among them: they are about the value of a whole element. */
export function coversOf(file: FileCase): Cover[] {
  const { history, disk } = file;
  const covers: Cover[] = [];
  for (const act of history.acts) {
    const { step, result, data } = act;
    const cut = cutOf(act);
    if (cut !== undefined) covers.push({ act, kind: 'cut', from: cut, to: Infinity, bytes: undefined, element: false });
    const written = writtenBy(file, act);
    if (written > 0) covers.push({ act, kind: 'write', from: step.offset, to: step.offset + written, bytes: step.data, element: false });
    // The bytes of a wait that was followed by another one for the same call are gone.
    if ((step.work === 'read' || step.work === 'map') && data.length > 0 && !step.waitedAgain) {
      covers.push({ act, kind: 'read', from: step.offset, to: step.offset + data.length, bytes: data, element: false });
    }
    if (step.work === 'scatter') covers.push(...elementsOf(act, 'write', step.values));
    // Zero may also stand for an element that was not there.
    if (step.work === 'gather') covers.push(...elementsOf(act, 'read', act.values).filter((_, at) => result >= 0 || (act.values[at] ?? 0) !== 0));
  }
  if (disk !== undefined) covers.push({ act: undefined, kind: 'read', from: 0, to: disk.bytes.length, bytes: disk.bytes, element: false });
  return covers;
}

/** How many bytes it wrote at its offset, or may have written. */
function writtenBy(file: FileCase, act: Act): number {
  const { step, result, uncertain } = act;
  if (step.work === 'write') return uncertain ? step.length : result;
  if (step.work !== 'unmap' && step.work !== 'map_sync') return 0;
  // What was stored into a stale map is gone, unless the truncation came behind it: then it may have gone to the file with older bytes.
  const lost = result === -ERRNO.ESTALE.number && file.history.acts.every((cut) => cutOf(cut) === undefined || comesBefore(file, cut, act));
  return lost ? 0 : step.length;
}

/**
 * What was stored into a map that was found stale may have been seen before the truncation, and is gone behind it. So a look beside it that saw
 * such bytes says nothing about them: those that are left of it. It may even have been stored when the truncation was over: who began to look
 * before that still looks at the lines of the file as it was, which the map stores into.
 */
export function withoutStale(file: FileCase, covers: readonly Cover[]): Cover[] {
  const { history, faults, precedes, surelyPrecedes = precedes } = file;
  const stale = history.acts.filter(isStaleStore);
  if (stale.length === 0) return [...covers];
  const cuts = history.acts.filter((act) => cutOf(act) !== undefined);
  const byOthers = faults.has('truncate') || faults.has('revive');
  return covers.flatMap((cover) => {
    const { act, kind, bytes } = cover;
    if (kind !== 'read' || act === undefined || bytes === undefined) return [cover];
    if (!byOthers && cuts.every((cut) => comesBefore(file, cut, act))) return [cover];
    const beside = stale.filter((store) => !surelyPrecedes(act, store) && !surelyPrecedes(store, act));
    const says = (at: number): boolean => !beside.some(({ step }) => step.offset <= at && step.data?.[at - step.offset] === valueAt(cover, at));
    const left = Array.from(bytes, (_, i) => cover.from + i).filter(says);
    if (left.length === bytes.length) return [cover];
    return left.map((at) => ({ ...cover, from: at, to: at + 1, bytes: bytes.subarray(at - cover.from, at - cover.from + 1), element: false }));
  });
}

export function isStaleStore({ step, result }: Act): boolean {
  return (step.work === 'unmap' || step.work === 'map_sync') && result === -ERRNO.ESTALE.number;
}

function elementsOf(act: Act, kind: 'write' | 'read', values: ArrayLike<number>): Cover[] {
  return act.step.indices.map((index, at) => {
    const bytes = new Uint8Array(Uint32Array.of(values[at] ?? 0).buffer);
    return { act, kind, from: index * ELEMENT_BYTES, to: (index + 1) * ELEMENT_BYTES, bytes, element: true };
  });
}

/** The size that it gives to the file whatever it was before; undefined: none. An open with w+ opens, and then makes the file empty. */
export function cutOf({ step }: Act): number | undefined {
  if (step.work === 'truncate') return step.size;
  return step.work === 'open' && step.opened?.mode === 'w+' ? 0 : undefined;
}

export function valueAt({ kind, from, bytes }: Cover, at: number): number {
  return kind === 'cut' ? 0 : (bytes?.[at - from] ?? 0);
}

/** What failed at the host may still be carried out there, at any time. */
export function comesBefore({ precedes }: FileCase, a: Act, b: Act): boolean {
  return !(a.uncertain && cutOf(a) !== undefined) && !(a.uncertain && a.step.work === 'open') && precedes(a, b);
}

export interface Range {
  from: number;
  to: number;
}

/** Whether the disk surely has what this call did to these bytes, or what came over it later. */
export function isOnDisk(file: FileCase, act: Act, bytes: Range): boolean {
  const { disk, faults } = file;
  const lives = faults.has('revive'); // a host that came back knows nothing of the lines of the one before
  if (disk?.finished === true && !lives) return true;
  if (cutOf(act) !== undefined) return !act.uncertain; // that is done at once
  return isSynced(file, act, bytes);
}

/** Somebody has synced it; a map_sync syncs what it stores itself. */
export function isSynced(file: FileCase, act: Act, bytes?: Range): boolean {
  const { history, precedes, faults } = file;
  return history.acts.some((sync) => syncs(sync, bytes) && (sync === act || precedes(act, sync)) && (!faults.has('revive') || inOneLife(file, act, sync)));
}

/** The file was opened for the sync before the write began, and that host still answered when it was synced. */
function inOneLife({ history, precedes }: FileCase, write: Act, sync: Act): boolean {
  const { warp, opened } = sync.step;
  return history.acts.some((act) => act.step.warp === warp && act.step.step === opened?.step && precedes(act, write));
}
