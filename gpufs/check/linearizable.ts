// The search of Wing, Gong and Lowe: is there one order of all operations that keeps what is known of their order, and in which each has a
// place that explains what it saw? States are small numbers; an operation is a transition. The file is taken apart into registers before:
// linearizability is local, so each can be judged by itself, and a search over few operations is short.

export interface RegisterOperation {
  /** Bit i: operation i of the list comes before this one. */
  before: number;
  /** It looks and changes nothing. */
  pure: boolean;
  /** It may as well not have happened. */
  optional: boolean;
}

/** The state after the operation, or -1 where it cannot happen in this state. */
export type Transition = (operation: number, state: number) => number;

/** 'undecided': more operations or states than are looked at. */
export type SearchResult = 'yes' | 'no' | 'undecided';

export const OPERATIONS_MAX = 31; // one bit each in a number that stays positive
const STATES_MAX = 4096;
const NODES_MAX = 200_000;

export function findOrder(operations: readonly RegisterOperation[], initial: number, apply: Transition, nodesMax: number = NODES_MAX): SearchResult {
  if (operations.length > OPERATIONS_MAX) return 'undecided';
  const all = 2 ** operations.length - 1;
  const seen = new Set<number>();
  let nodes = 0;

  /** Operations that look and are content come at once: that forbids nothing to the others. */
  function look(done: number, state: number): number {
    for (let found = true; found; ) {
      found = false;
      for (let i = 0; i < operations.length; i++) {
        const operation = operations[i] as RegisterOperation;
        if (!operation.pure || (done & (1 << i)) !== 0 || (operation.before & ~done) !== 0 || apply(i, state) < 0) continue;
        done |= 1 << i;
        found = true;
      }
    }
    return done;
  }

  function search(doneBefore: number, state: number): SearchResult {
    const done = look(doneBefore, state);
    if (done === all) return 'yes';
    if (state >= STATES_MAX || ++nodes > nodesMax) return 'undecided';
    const key = done * STATES_MAX + state;
    if (seen.has(key)) return 'no';
    seen.add(key);
    let verdict: SearchResult = 'no';
    for (let i = 0; i < operations.length; i++) {
      const operation = operations[i] as RegisterOperation;
      if (operation.pure || (done & (1 << i)) !== 0 || (operation.before & ~done) !== 0) continue;
      const next = apply(i, state);
      const states = operation.optional && next !== state ? [next, state] : [next];
      for (const after of states) {
        if (after < 0) continue;
        const found = search(done | (1 << i), after);
        if (found === 'yes') return 'yes';
        if (found === 'undecided') verdict = 'undecided';
      }
    }
    return verdict;
  }

  return search(0, initial);
}
