// A failing schedule, made so small that no decision can be taken out of it.
import { DECISION_WORDS } from '../native_check.ts';

const REPLAYS_MAX = 5000;

/**
 * `fails` replays a schedule and says whether it still fails in the same way. Takes out halves, then quarters, and at last single decisions
 * until none can go. A schedule that does not fail when it is replayed is given back as it was.
 */
export async function shrinkDecisions(words: Uint32Array, fails: (words: Uint32Array) => Promise<boolean>): Promise<Uint32Array> {
  let replays = 0;
  const stillFails = async (candidate: number[][]): Promise<boolean> => replays++ < REPLAYS_MAX && fails(Uint32Array.from(candidate.flat()));
  let decisions = split(words);
  if (!(await stillFails(decisions))) return words;
  for (let size = Math.max(1, decisions.length >> 1); ; size = Math.max(1, size >> 1)) {
    const before = decisions.length;
    // From the end: what came late depends on what came before, not the other way round.
    for (let end = decisions.length; end > 0; end -= size) {
      const without = [...decisions.slice(0, Math.max(0, end - size)), ...decisions.slice(end)];
      if (await stillFails(without)) decisions = without;
    }
    if (size === 1 && decisions.length === before) break;
  }
  return Uint32Array.from(decisions.flat());
}

function split(words: Uint32Array): number[][] {
  return Array.from({ length: Math.floor(words.length / DECISION_WORDS) }, (_, index) => [...words.subarray(index * DECISION_WORDS, (index + 1) * DECISION_WORDS)]);
}
