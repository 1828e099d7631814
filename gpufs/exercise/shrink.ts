// A session that fails made smaller: first whole rounds are taken away, then operations, as long as it goes on failing.
import type { Round, Session } from './action.ts';

export interface Shrunk {
  session: Session;
  /** False where the session did not fail a second time: then it is as it was. */
  again: boolean;
}

const TRIES_OF_FIRST = 3;

/** `fails` runs a session; `goesOn` says whether there is time for more. */
export async function shrinkSession(session: Session, fails: (session: Session) => Promise<boolean>, goesOn: () => boolean): Promise<Shrunk> {
  let again = false;
  for (let i = 0; i < TRIES_OF_FIRST && !again; i++) again = await fails(session);
  if (!again) return { session, again };
  const rounds = await smallest(session.rounds, (kept) => fails({ ...session, rounds: kept }), goesOn);
  // Operations as places, so that what is left stays in its round and its segment.
  const places = rounds.flatMap((round, at) => round.segments.flatMap((segment, of) => segment.actions.map((_, index) => ({ at, of, index }))));
  const rebuilt = (kept: readonly Place[]) => withOnly(rounds, kept);
  const kept = await smallest(places, (some) => fails({ ...session, rounds: rebuilt(some) }), goesOn);
  return { session: { ...session, rounds: rebuilt(kept) }, again };
}

interface Place {
  at: number;
  of: number;
  index: number;
}

function withOnly(rounds: readonly Round[], places: readonly Place[]): Round[] {
  const kept = new Set(places.map(({ at, of, index }) => `${at} ${of} ${index}`));
  return rounds
    .map((round, at) => ({
      ...round,
      segments: round.segments
        .map((segment, of) => ({ ...segment, actions: segment.actions.filter((_, index) => kept.has(`${at} ${of} ${index}`)) }))
        .filter(({ actions }) => actions.length > 0),
    }))
    .filter(({ segments, syncs }) => segments.length > 0 || syncs);
}

/** Takes away ever smaller parts, from the end: what comes late rarely matters. */
async function smallest<Item>(items: readonly Item[], fails: (kept: Item[]) => Promise<boolean>, goesOn: () => boolean): Promise<Item[]> {
  let kept = [...items];
  for (let part = Math.ceil(kept.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    for (let end = kept.length; end > 0 && goesOn(); end -= part) {
      const without = [...kept.slice(0, Math.max(0, end - part)), ...kept.slice(end)];
      if (await fails(without)) kept = without;
    }
  }
  return kept;
}
