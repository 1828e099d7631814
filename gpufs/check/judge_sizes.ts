// The size of a file is one more register: writes make it larger, an open with w+ makes it zero, gstat sees it, and the count of a read tells
// something about it.
import { comesBefore, empties, type FileCase, isOnDisk } from './covers.ts';
import { endsOf } from './growth.ts';
import { type Act, describeAct } from './history.ts';
import { findOrder, OPERATIONS_MAX, type RegisterOperation } from './linearizable.ts';
import type { Judgement } from './observed.ts';

/** A look at the size: it was between two numbers. */
interface Look {
  kind: 'look';
  /** Undefined: the look at the disk. */
  act: Act | undefined;
  least: number;
  most: number;
}

interface Change {
  kind: 'grow' | 'empty';
  act: Act;
  size: number;
  /** Not the end of the write: a line of it that was written back before. */
  early: boolean;
}

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
  if (search(file, changes, [...looks, ...atEnd])) return undefined;
  const kind = atEnd.length > 0 && search(file, changes, looks) ? 'wrong_file' : 'not_linearizable';
  const first = kind === 'wrong_file' ? undefined : looks[0]?.act?.step;
  return { kind, message: describe(file, changes, [...looks, ...atEnd]), warp: first?.warp ?? -1, step: first?.step ?? -1 };
}

function lookOf(file: FileCase, act: Act): Look[] {
  const { step, result } = act;
  if (!act.ended || result < 0) return [];
  if (step.work === 'stat') return [{ kind: 'look', act, least: act.sizeBytes, most: act.sizeBytes }];
  if ((step.work !== 'read' && step.work !== 'prefetch') || step.length === 0) return [];
  const reached = step.offset + result;
  // A prefetch may do less than it could; so may a read in the middle of which the host failed.
  const maybeMore = step.work === 'prefetch' || result === step.length || file.faults.size > 0;
  if (maybeMore) return result === 0 ? [] : [{ kind: 'look', act, least: reached, most: Infinity }];
  return [{ kind: 'look', act, least: result === 0 ? 0 : reached, most: reached }];
}

function changesOf(file: FileCase, act: Act, lineBytes: number, looks: readonly Look[]): Change[] {
  if (empties(act)) return [{ kind: 'empty', act, size: 0, early: false }];
  if (act.step.work !== 'write') return [];
  const ends = endsOf(act, lineBytes);
  // What only was for a moment matters only to those who looked at that moment.
  const watched = looks.some((look) => look.act !== undefined && !comesBefore(file, act, look.act) && !comesBefore(file, look.act, act));
  return ends.filter((_, i) => i === ends.length - 1 || watched || act.uncertain).map((size, i, kept) => ({ kind: 'grow', act, size, early: i < kept.length - 1 }));
}

/** Also true where the search has found no end. */
function search(file: FileCase, changes: readonly Change[], looks: readonly Look[]): boolean {
  const all = [...changes, ...looks];
  if (all.length > OPERATIONS_MAX) {
    file.undecided.count++;
    return true;
  }
  const initial = file.history.initial?.length ?? 0;
  const sizes = [...new Set([0, initial, ...changes.map(({ size }) => size)])].toSorted((a, b) => a - b);
  const operations = all.map((operation): RegisterOperation => {
    let before = 0;
    all.forEach((other, i) => {
      if (other !== operation && orders(file, other, operation)) before |= 1 << i;
    });
    const optional = operation.kind !== 'look' && (operation.early || operation.act.uncertain);
    return { before, pure: operation.kind === 'look', optional };
  });
  const ranks = changes.map(({ size }) => sizes.indexOf(size));
  const verdict = findOrder(operations, sizes.indexOf(initial), (i, state) => {
    const operation = all[i] as Change | Look;
    if (operation.kind !== 'look') return operation.kind === 'empty' ? 0 : Math.max(state, ranks[i] as number);
    const size = sizes[state] as number;
    return operation.least <= size && size <= operation.most ? state : -1;
  });
  if (verdict === 'undecided') file.undecided.count++;
  return verdict !== 'no';
}

function orders(file: FileCase, a: Change | Look, b: Change | Look): boolean {
  if (b.act === undefined) return true; // the end
  if (a.act === undefined) return false;
  if (a.act === b.act) return a.kind === 'grow' && b.kind === 'grow' && a.size < b.size;
  // The host may still let a file grow after the write that asked for it has given up.
  if (a.kind === 'grow' && a.act.uncertain) return false;
  return comesBefore(file, a.act, b.act);
}

/** The disk may be behind, but not behind what was synced, and it ends where something that was written ends. */
function judgeUnfinishedDisk(file: FileCase, size: number, lineBytes: number): string | undefined {
  const { history } = file;
  const emptied = history.acts.filter(empties);
  const writes = history.acts.filter(({ step }) => step.work === 'write');
  const initial = history.initial?.length ?? 0;
  const possible = new Set([initial, ...(emptied.length > 0 ? [0] : []), ...writes.flatMap((act) => endsOf(act, lineBytes))]);
  // A transfer that failed may have moved a part.
  const torn = file.faults.size > 0 && writes.some(({ step }) => step.offset < size && size < step.offset + step.length);
  if (!possible.has(size) && !torn) return `${history.path} has ${size} bytes at the end; it can have ${[...possible].join(', ')}`;
  // Once it may have been emptied, only what surely came later counts.
  const kept = writes.filter((act) => !act.uncertain && isOnDisk(file, act) && emptied.every((empty) => comesBefore(file, empty, act)));
  const least = Math.max(emptied.length > 0 ? 0 : initial, ...kept.flatMap((act) => endsOf(act, lineBytes)));
  if (size >= least) return undefined;
  return `${history.path} has ${size} bytes at the end; ${least} were there when it was synced`;
}

function describe({ history }: FileCase, changes: readonly Change[], looks: readonly Look[]): string {
  const parts = [
    `it was ${history.initial?.length ?? 0}`,
    ...changes.map(({ act, size, early }) => `${describeAct(act)} ${early || act.uncertain ? 'may have made' : 'made'} it at least ${size}`),
    ...looks.map(({ act, least, most }) => {
      const seen = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `at most ${most}`;
      return act === undefined ? `at the end it is ${seen}` : `${describeAct(act)} saw ${seen}`;
    }),
  ];
  return `no order explains the size of ${history.path}: ${parts.join('; ')}`;
}
