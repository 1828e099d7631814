// A schedule as tests see it: a seed, and once a run of it has failed, the decisions that it consisted of. What is simpler than a schedule has
// fewer decisions, or smaller numbers in them.
import { DECISION_WORDS } from '../native_check.ts';

export interface Schedule {
  seed: number;
  /** Absent: the seed decides. */
  decisions?: Uint32Array;
}

/** Whoever saw it fail says what it was made of: from now on it can be replayed without its seed, and shrunk. */
export function attach(schedule: Schedule, decisions: Uint32Array): void {
  schedule.decisions = Uint32Array.from(decisions);
}

/** The first and most daring one has no decisions at all; then parts are left out, at last single ones; then numbers are lowered. */
export function* simplerDecisions(decisions: Uint32Array): IterableIterator<Uint32Array> {
  const count = Math.floor(decisions.length / DECISION_WORDS);
  for (let size = count; size >= 1; size >>= 1) {
    // From the end: what came late depends on what came before, not the other way round.
    for (let end = count; end >= size; end -= size) yield without(decisions, end - size, end);
  }
  for (let at = 0; at < count * DECISION_WORDS; at++) {
    const [actor, step, kind] = [0, 1, 2];
    const word = at % DECISION_WORDS;
    if (word === kind) continue; // another kind is another thing, not a simpler one
    const least = word === step ? 1 : actor; // the scheduling points of an actor are counted from 1
    for (const lower of lowerNumbers(decisions[at] ?? 0, least)) yield decisions.with(at, lower);
  }
}

function without(decisions: Uint32Array, from: number, to: number): Uint32Array {
  const rest = new Uint32Array(decisions.length - (to - from) * DECISION_WORDS);
  rest.set(decisions.subarray(0, from * DECISION_WORDS));
  rest.set(decisions.subarray(to * DECISION_WORDS), from * DECISION_WORDS);
  return rest;
}

function lowerNumbers(value: number, least: number): number[] {
  return [...new Set([least, Math.floor((least + value) / 2), value - 1])].filter((lower) => lower >= least && lower < value);
}
