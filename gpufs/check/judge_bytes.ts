// Every byte of a file is a register: WarpFS promises for each of them alone that reads and writes are linearizable; a call of many bytes is not
// atomic. Bytes that the same calls cover, and in which the same values are equal, are judged once. Elements that something was added to are
// judged as a whole (judge_elements.ts).
import { type Cover, coversOf, comesBefore, type FileCase, isOnDisk, type Range, valueAt, withoutStale } from './covers.ts';
import { growthSeen } from './growth.ts';
import { type Act, describeAct } from './history.ts';
import { addedElements, judgeElements } from './judge_elements.ts';
import { judgeRegister, type WrongByte } from './judge_register.ts';
import { OPERATIONS_MAX, type RegisterOperation } from './linearizable.ts';
import type { Judgement } from './observed.ts';

/** For a read: the calls whose bytes it must have seen, for what else it saw. */
export type Sources = ReadonlyMap<Act, ReadonlySet<Act>>;

export function judgeBytes(file: FileCase): Judgement | undefined {
  if (file.faults.has('replace')) return undefined; // somebody else's bytes
  const covers = withoutStale(file, coversOf(file));
  const added = addedElements(file.history.acts);
  const edges = new Set([file.history.initial?.length ?? 0]);
  for (const { from, to } of [...covers, ...added]) edges.add(from).add(to);
  const sorted = [...edges].filter((edge) => edge < Infinity).toSorted((a, b) => a - b);
  const sources = growthSeen(file);
  for (let i = 0; i + 1 < sorted.length; i++) {
    const from = sorted[i] as number;
    const to = sorted[i + 1] as number;
    const here = covers.filter((cover) => cover.from <= from && cover.to >= to);
    if (!here.some(({ kind }) => kind === 'read') || added.some((element) => element.from <= from && element.to >= to)) continue;
    const finding = judgeInterval(file, here, sources, from, to);
    if (finding !== undefined) return finding;
  }
  return judgeElements(file, covers, added, sources);
}

/** Neighbouring bytes that the same calls cover. */
function judgeInterval(file: FileCase, covers: readonly Cover[], sources: Sources, from: number, to: number): Judgement | undefined {
  const initial = file.history.initial ?? new Uint8Array(0);
  if (covers.every(({ kind }) => kind === 'read')) return judgeUnwritten(file, covers, initial, from, to);
  if (covers.length > OPERATIONS_MAX) {
    file.undecided.count++;
    return undefined;
  }
  const operations = registerOperations(file, covers, sources, { from, to });
  const judgePattern = (names: Uint8Array): WrongByte | undefined =>
    judgeRegister(file, covers, operations, { bytes: { from, to }, initial: names[0] ?? 0, zero: names[1] ?? 0, values: names.subarray(2) });
  const parts = partsOf(initial, covers, from, to);
  // Mostly all of these bytes have the same story. Where parts that differ agree in some byte, even more orders explain that byte.
  if (judgePattern(namesOf(parts)) === undefined) return undefined;

  const judged = new Set<string>();
  const names = new Uint8Array(parts.length);
  const nameOf = new Uint8Array(256);
  for (let i = 0; i < to - from; i++) {
    let known = 0;
    nameOf.fill(0);
    parts.forEach((part, index) => {
      const value = part[i] ?? 0;
      if (nameOf[value] === 0) nameOf[value] = ++known;
      names[index] = nameOf[value] ?? 0;
    });
    const key = names.join();
    if (judged.has(key)) continue;
    judged.add(key);
    const wrong = judgePattern(names);
    if (wrong !== undefined) return judgementAt(file, covers, sources, wrong, from + i);
  }
  return undefined;
}

/** What was there at the beginning, zeros (what is left of a file that others cut off), and what each call wrote or saw. */
function partsOf(initial: Uint8Array, covers: readonly Cover[], from: number, to: number): Uint8Array[] {
  const none = zeros(to - from);
  // The end of the file at the beginning is the end of an interval: these bytes are all inside or all beyond.
  const was = from < initial.length ? initial.subarray(from, to) : none;
  return [was, none, ...covers.map((cover) => cover.bytes?.subarray(from - cover.from, to - cover.from) ?? none)];
}

/** A number for each part, from 1 on; the same for equal parts. */
function namesOf(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts, (part) => 1 + parts.findIndex((other) => other === part || Buffer.compare(other, part) === 0));
}

/** Bytes that nobody ever wrote are what they were. */
function judgeUnwritten(file: FileCase, covers: readonly Cover[], initial: Uint8Array, from: number, to: number): Judgement | undefined {
  const [was, none, ...parts] = partsOf(initial, covers, from, to) as [Uint8Array, Uint8Array, ...Uint8Array[]];
  for (const [i, part] of parts.entries()) {
    if (Buffer.compare(was, part) === 0) continue;
    const at = part.findIndex((byte, index) => byte !== was[index] && !(file.faults.has('truncate') && byte === none[index]));
    const kind = covers[i]?.act === undefined ? 'wrong_file' : 'not_linearizable';
    if (at >= 0) return judgementAt(file, covers.slice(i, i + 1), new Map(), { kind, blamed: 0 }, from + at);
  }
  return undefined;
}

let zeroBytes = new Uint8Array(4096);

function zeros(length: number): Uint8Array {
  if (zeroBytes.length < length) zeroBytes = new Uint8Array(length);
  return zeroBytes.subarray(0, length);
}

function registerOperations(file: FileCase, covers: readonly Cover[], sources: Sources, bytes: Range): RegisterOperation[] {
  return covers.map(({ act, kind }) => {
    let before = 0;
    covers.forEach((other, i) => {
      if (other.act === undefined || other.act === act) return;
      const first =
        act === undefined
          ? other.kind !== 'read' && isOnDisk(file, other.act, bytes)
          : comesBefore(file, other.act, act) || (kind === 'read' && sources.get(act)?.has(other.act) === true);
      if (first) before |= 1 << i;
    });
    return { before, pure: kind === 'read', optional: act?.uncertain ?? false };
  });
}

function judgementAt(file: FileCase, covers: readonly Cover[], sources: Sources, wrong: WrongByte, at: number): Judgement {
  const { path, initial } = file.history;
  const seen = covers.map((cover) => {
    const value = valueAt(cover, at);
    if (cover.act === undefined) return `at the end the file has ${value}`;
    if (cover.kind !== 'read') return `${describeAct(cover.act)} ${cover.act.uncertain ? 'may have left' : 'left'} ${value}`;
    const needed = covers.find(({ act }) => act !== undefined && sources.get(cover.act as Act)?.has(act))?.act;
    return `${describeAct(cover.act)} saw ${value}${needed === undefined ? '' : `, and so many bytes that warp ${needed.step.warp} step ${needed.step.step} had written`}`;
  });
  const was = initial === undefined ? 'there was no file' : `it was ${at < initial.length ? initial[at] : 'beyond the end'}`;
  const reader = covers[wrong.blamed]?.act?.step;
  return { kind: wrong.kind, message: `no order explains byte ${at} of ${path}: ${[was, ...seen].join('; ')}`, warp: reader?.warp ?? -1, step: reader?.step ?? -1 };
}
