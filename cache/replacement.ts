// The contract of a replacement policy. A policy decides for one set; it sees ways, never pages or bytes.
//
// The caller promises:
//  - `hit` is called once for an access of one warp that found its page, never for the access that filled it;
//  - `fill` is called when a page was put into a way, after `invalidate` or after `victim` named that way;
//  - a way that `mayEvict` refuses (pinned, busy) is asked about again later.
// The policy promises:
//  - `victim` names an empty way while there is one, and otherwise a way that `mayEvict` allows, or -1 if there is none;
//  - it asks about each way at most twice for one victim, so a sweep is bounded;
//  - it moves nothing that `mayEvict` refuses: not its reference bit, not its place.

export type MayEvict = (way: number) => boolean;

export interface SetReplacement {
  hit(way: number): void;
  fill(way: number): void;
  invalidate(way: number): void;
  victim(mayEvict: MayEvict): number;
}

export interface ReplacementPolicy {
  readonly name: string;
  /** State for one set of `ways` (1 to 32) empty ways. */
  createSet(ways: number): SetReplacement;
}

export const anyWay: MayEvict = () => true;

/** The lowest way whose bit is clear, or -1: empty ways are filled from 0 on. */
export function lowestClear(bits: number, ways: number): number {
  for (let way = 0; way < ways; way++) {
    if (((bits >>> way) & 1) === 0) return way;
  }
  return -1;
}
