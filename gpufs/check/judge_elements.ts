// Elements that something was added to: an addition is one step, and it says what the element was before. So each of them is one register of
// four bytes. A gwrite or a gread goes over it byte by byte, a scatter or a gather at once.
import { type Cover, comesBefore, cutOf, ELEMENT_BYTES, type FileCase, isOnDisk, isStaleStore, type Range, valueAt } from './covers.ts';
import { type Act, describeAct } from './history.ts';
import type { Sources } from './judge_bytes.ts';
import { findOrder, OPERATIONS_MAX, type RegisterOperation } from './linearizable.ts';
import type { Judgement } from './observed.ts';

/** What is done to an element, or to one of its bytes. */
interface Change {
  /** Undefined: the look at the disk. */
  act: Act | undefined;
  kind: 'write' | 'cut' | 'read' | 'add';
  /** The bytes that it is about, as a mask, and their value; of an addition what the element was before, where that is known. */
  mask: number;
  value: number | undefined;
  /** What is added. */
  sum: number;
}

/** Each once, in the order of the file. */
export function addedElements(acts: readonly Act[]): Range[] {
  const indices = new Set(acts.flatMap(({ step }) => (step.work === 'add' ? step.indices : [])));
  return [...indices].toSorted((a, b) => a - b).map((index) => ({ from: index * ELEMENT_BYTES, to: (index + 1) * ELEMENT_BYTES }));
}

export function judgeElements(file: FileCase, covers: readonly Cover[], elements: readonly Range[], sources: Sources): Judgement | undefined {
  if (file.faults.has('truncate') || file.faults.has('revive')) return undefined; // bytes may have got lost
  for (const element of elements) {
    // An addition beside bytes that may be gone again makes them stay.
    if (covers.some(({ act, from, to }) => act !== undefined && isStaleStore(act) && from < element.to && element.from < to)) continue;
    const changes = [...covers.flatMap((cover) => changesOf(cover, element)), ...file.history.acts.flatMap((act) => additionsOf(act, element))];
    if (explains(file, changes, element, sources)) continue;
    const onlyDisk = changes.some(({ act }) => act === undefined) && explains(file, changes.filter(({ act }) => act !== undefined), element, sources);
    const step = onlyDisk ? undefined : changes.find(({ kind }) => kind === 'add')?.act?.step;
    return { kind: onlyDisk ? 'wrong_file' : 'not_linearizable', message: describe(file, changes, element), warp: step?.warp ?? -1, step: step?.step ?? -1 };
  }
  return undefined;
}

/** Also true where there is too much to look at. */
function explains(file: FileCase, changes: readonly Change[], element: Range, sources: Sources): boolean {
  if (changes.length > OPERATIONS_MAX) {
    file.undecided.count++;
    return true;
  }
  const operations = changes.map((change): RegisterOperation => {
    let before = 0;
    changes.forEach((other, i) => {
      if (other !== change && orders(file, other, change, element, sources)) before |= 1 << i;
    });
    return { before, pure: change.kind === 'read', optional: change.act?.uncertain === true && (change.kind !== 'add' || !isSurelyAdded(change)) };
  });
  // States are numbers of values, in the order in which they come up.
  const known: number[] = [];
  const stateOf = (value: number): number => {
    const at = known.indexOf(value);
    return at >= 0 ? at : known.push(value) - 1;
  };
  const initial = file.history.initial ?? new Uint8Array(0);
  const verdict = findOrder(operations, stateOf(elementIn(initial, element)), (i, state) => {
    const { kind, mask, value, sum } = changes[i] as Change;
    const old = known[state] as number;
    if (kind === 'read') return ((old ^ (value ?? 0)) & mask) === 0 ? state : -1;
    if (kind === 'add') return value === undefined || value === old ? stateOf((old + sum) >>> 0) : -1;
    return stateOf(((old & ~mask) | ((value ?? 0) & mask)) >>> 0);
  });
  if (verdict === 'undecided') file.undecided.count++;
  return verdict !== 'no';
}

/** Where other elements of the call lay beyond the end: it says what it found, and zero stands for nothing. */
function isSurelyAdded({ value }: Change): boolean {
  return value !== undefined && value !== 0;
}

function orders(file: FileCase, a: Change, b: Change, element: Range, sources: Sources): boolean {
  if (a.act === undefined || a.act === b.act) return false;
  // Each byte of the disk is looked at apart: what a truncation cut off behind it says nothing about it.
  if (b.act === undefined) return a.kind !== 'read' && (a.mask & b.mask) !== 0 && isOnDisk(file, a.act, element);
  return comesBefore(file, a.act, b.act) || (b.kind === 'read' && sources.get(b.act)?.has(a.act) === true);
}

/** A gwrite and a gread are one change for each byte. */
function changesOf(cover: Cover, element: Range): Change[] {
  const { act, kind } = cover;
  const at = [0, 1, 2, 3].filter((byte) => cover.from <= element.from + byte && element.from + byte < cover.to);
  const single = at.map((byte) => ({ act, kind, mask: (0xff << (byte * 8)) >>> 0, value: (valueAt(cover, element.from + byte) << (byte * 8)) >>> 0, sum: 0 }));
  if (single.length === 0 || !(cover.element || kind === 'cut')) return single;
  const joined = single.reduce((sum, { mask, value }) => ({ mask: (sum.mask | mask) >>> 0, value: (sum.value | value) >>> 0 }), { mask: 0, value: 0 });
  return [{ act, kind, sum: 0, ...joined }];
}

function additionsOf(act: Act, element: Range): Change[] {
  const { step, values } = act;
  if (step.work !== 'add') return [];
  return step.indices.flatMap((index, at) =>
    index * ELEMENT_BYTES === element.from ? [{ act, kind: 'add' as const, mask: 0xffffffff, value: values[at], sum: step.values[at] ?? 0 }] : [],
  );
}

function elementIn(bytes: Uint8Array, { from }: Range): number {
  return [3, 2, 1, 0].reduce((value, byte) => value * 256 + (bytes[from + byte] ?? 0), 0);
}

function describe({ history }: FileCase, changes: readonly Change[], element: Range): string {
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const told = changes.map(({ act, kind, mask, value, sum }) => {
    const where = act === undefined ? 'at the end' : describeAct(act);
    const part = mask === 0xffffffff ? '' : ` of ${hex(mask)}`;
    if (kind === 'add') return `${where} ${act?.uncertain === true ? 'may have added' : 'added'} ${sum}${value === undefined ? '' : ` to ${hex(value)}`}`;
    if (act !== undefined && cutOf(act) !== undefined) return `${where} left zeros${part}`;
    return `${where} ${kind === 'read' ? 'saw' : 'left'} ${hex(value ?? 0)}${part}`;
  });
  return `no order explains element ${element.from / ELEMENT_BYTES} of ${history.path}: ${[`it was ${hex(elementIn(history.initial ?? new Uint8Array(0), element))}`, ...told].join('; ')}`;
}
