// The size of a file is one more register: writes make it larger, a truncation makes it what it says, gstat sees it, and the count of a read tells
// something about it. A map that is older than the last truncation to a smaller size is stale, and what is done to it says whether it is.
import { ERRNO } from '../../native/abi/abi.ts';
import { comesBefore, cutOf, ELEMENT_BYTES, type FileCase } from './covers.ts';
import { endsOf } from './growth.ts';
import type { Act } from './history.ts';
import { findOrder, OPERATIONS_MAX, type RegisterOperation } from './linearizable.ts';
import type { Judgement } from './observed.ts';
import { describeSizes, judgeUnfinishedDisk } from './size_messages.ts';

/** A look at the size: it was between two numbers. */
export interface Look {
  kind: 'look';
  /** Undefined: the look at the disk. */
  act: Act | undefined;
  least: number;
  most: number;
}

export interface Change {
  kind: 'grow' | 'set';
  act: Act;
  size: number;
  /** Not the end of the write: a line of it that was written back before. */
  early: boolean;
}

/** What was done to a map has said whether it is stale. */
export interface StaleLook {
  kind: 'stale_look';
  act: Act;
  stale: boolean;
}

export type SizeOperation = Look | Change | StaleLook;

const MAPS_JUDGED_MAX = 4;

export function judgeSizes(file: FileCase, lineBytes: number): Judgement | undefined {
  if (file.faults.has('replace') || file.faults.has('truncate') || file.faults.has('revive')) return undefined;
  const looks = file.history.acts.flatMap((act) => lookOf(file, act));
  const changes = file.history.acts.flatMap((act) => changesOf(file, act, lineBytes, looks));
  const { disk } = file;
  if (disk !== undefined && !disk.finished) {
    const wrong = judgeUnfinishedDisk(file, disk.bytes.length, lineBytes);
    if (wrong !== undefined) return { kind: 'wrong_file', message: wrong, warp: -1, step: -1 };
  }
  const atEnd: Look[] = disk?.finished === true ? [{ kind: 'look', act: undefined, least: disk.bytes.length, most: disk.bytes.length }] : [];
  const inside = [...changes, ...looks, ...file.history.acts.flatMap(staleLookOf)];
  if (search(file, [...inside, ...atEnd])) return undefined;
  const kind = atEnd.length > 0 && search(file, inside) ? 'wrong_file' : 'not_linearizable';
  const first = kind === 'wrong_file' ? undefined : inside.find((operation) => operation.kind !== 'grow' && operation.kind !== 'set')?.act?.step;
  return { kind, message: describeSizes(file, [...inside, ...atEnd]), warp: first?.warp ?? -1, step: first?.step ?? -1 };
}

function lookOf(file: FileCase, act: Act): Look[] {
  const { step, result } = act;
  if (!act.ended) return [];
  if (step.indices.length > 0) return elementLookOf(act);
  if (result < 0) return [];
  if (step.work === 'stat') return [{ kind: 'look', act, least: act.sizeBytes, most: act.sizeBytes }];
  if ((step.work !== 'read' && step.work !== 'prefetch' && step.work !== 'map') || step.length === 0) return [];
  const reached = step.offset + result;
  // A prefetch may do less than it could; so may a read in the middle of which the host failed.
  const maybeMore = step.work === 'prefetch' || result === step.length || file.faults.size > 0;
  if (maybeMore) return result === 0 ? [] : [{ kind: 'look', act, least: reached, most: Infinity }];
  return [{ kind: 'look', act, least: result === 0 ? 0 : reached, most: reached }];
}

/** All elements were in the file, each when it came up, or one was not. */
function elementLookOf(act: Act): Look[] {
  const ends = [...new Set(act.step.indices.map((index) => (index + 1) * ELEMENT_BYTES))];
  const end = Math.max(...ends);
  if (act.result >= 0) return ends.map((least) => ({ kind: 'look', act, least, most: Infinity }));
  return act.result === -ERRNO.ERANGE.number ? [{ kind: 'look', act, least: 0, most: end - 1 }] : [];
}

function staleLookOf(act: Act): StaleLook[] {
  const isStale = act.result === -ERRNO.ESTALE.number;
  if ((act.step.work !== 'unmap' && act.step.work !== 'map_sync') || !act.ended || (act.result < 0 && !isStale)) return [];
  return [{ kind: 'stale_look', act, stale: isStale }];
}

function changesOf(file: FileCase, act: Act, lineBytes: number, looks: readonly Look[]): Change[] {
  const cut = cutOf(act);
  if (cut !== undefined) return [{ kind: 'set', act, size: cut, early: false }];
  if (act.step.work !== 'write') return [];
  const ends = endsOf(act, lineBytes);
  // What only was for a moment matters only to those who looked at that moment.
  const watched = looks.some((look) => look.act !== undefined && !comesBefore(file, act, look.act) && !comesBefore(file, look.act, act));
  return ends.filter((_, i) => i === ends.length - 1 || watched || act.uncertain).map((size, i, kept) => ({ kind: 'grow', act, size, early: i < kept.length - 1 }));
}

/** Also true where the search has found no end. A state is the number of a size and a bit for each map: that it is stale. */
function search(file: FileCase, all: readonly SizeOperation[]): boolean {
  const maps = mapsOf(file, all);
  if (all.length + maps.length > OPERATIONS_MAX || maps.length > MAPS_JUDGED_MAX) {
    file.undecided.count++;
    return true;
  }
  const initial = file.history.initial?.length ?? 0;
  const sizes = [...new Set([0, initial, ...all.flatMap((operation) => ('size' in operation ? [operation.size] : []))])].toSorted((a, b) => a - b);
  const operations = all.map((operation): RegisterOperation => {
    let before = 0;
    all.forEach((other, i) => {
      if (other !== operation && orders(file, other, operation)) before |= 1 << i;
    });
    const changes = operation.kind === 'grow' || operation.kind === 'set';
    const optional = changes && (operation.early || operation.act.uncertain);
    const begins = operation.kind === 'look' && operation.act !== undefined && maps.includes(operation.act);
    return { before, pure: !changes && !begins, optional };
  });
  const verdict = findOrder(operations, sizes.indexOf(initial), (i, state) => applied(all[i] as SizeOperation, state, sizes, maps));
  if (verdict === 'undecided') file.undecided.count++;
  return verdict !== 'no';
}

function applied(operation: SizeOperation, state: number, sizes: readonly number[], maps: readonly Act[]): number {
  const rank = state % sizes.length;
  const stale = Math.floor(state / sizes.length);
  const next = (newRank: number, newStale: number): number => newStale * sizes.length + newRank;
  switch (operation.kind) {
    case 'look': {
      const size = sizes[rank] as number;
      if (size < operation.least || size > operation.most) return -1;
      const map = operation.act === undefined ? -1 : maps.indexOf(operation.act);
      return map < 0 ? state : next(rank, stale & ~(1 << map));
    }
    case 'stale_look': {
      const map = maps.findIndex((begun) => isMapOf(begun, operation.act));
      return map < 0 || ((stale >> map) & 1) === Number(operation.stale) ? state : -1;
    }
    case 'grow':
      return next(Math.max(rank, sizes.indexOf(operation.size)), stale);
    case 'set': {
      const newRank = sizes.indexOf(operation.size);
      return next(newRank, newRank < rank ? (1 << maps.length) - 1 : stale);
    }
  }
}

/** The maps of which somebody says whether they are stale. */
function mapsOf(file: FileCase, all: readonly SizeOperation[]): Act[] {
  return file.history.acts.filter((act) => act.step.work === 'map' && all.some((operation) => operation.kind === 'stale_look' && isMapOf(act, operation.act)));
}

function isMapOf({ step }: Act, used: Act): boolean {
  return step.warp === used.step.warp && step.step === used.step.started;
}

function orders(file: FileCase, a: SizeOperation, b: SizeOperation): boolean {
  if (b.act === undefined) return true; // the end
  if (a.act === undefined) return false;
  if (a.act === b.act) return a.kind === 'grow' && b.kind === 'grow' && a.size < b.size;
  // The host may still let a file grow after the write that asked for it has given up.
  if (a.kind === 'grow' && a.act.uncertain) return false;
  return comesBefore(file, a.act, b.act);
}
