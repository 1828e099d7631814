// What a cache of this geometry and policy does with a trace of page accesses, one after the other: the numbers that
// the real cache gives when a single warp makes the same accesses.
import { type CacheGeometry, type PageKey, setOfPage, waysOfSet } from './geometry.ts';
import { anyWay, type ReplacementPolicy, type SetReplacement } from './replacement.ts';

export interface SimulatedCounts {
  hits: number;
  misses: number;
  evictions: number;
}

interface SimulatedSet {
  replacement: SetReplacement;
  tags: (string | undefined)[];
  wayOfTag: Map<string, number>;
}

export function simulate(geometry: CacheGeometry, policy: ReplacementPolicy, trace: Iterable<PageKey>): SimulatedCounts {
  const counts: SimulatedCounts = { hits: 0, misses: 0, evictions: 0 };
  const sets: SimulatedSet[] = Array.from({ length: geometry.setCount }, (_, set) => {
    const ways = waysOfSet(geometry, set);
    return { replacement: policy.createSet(ways), tags: Array<string | undefined>(ways).fill(undefined), wayOfTag: new Map() };
  });
  for (const key of trace) access(sets[setOfPage(geometry, key)] as SimulatedSet, `${key.fileId}:${key.page}`, counts);
  return counts;
}

function access(set: SimulatedSet, tag: string, counts: SimulatedCounts): void {
  const found = set.wayOfTag.get(tag);
  if (found !== undefined) {
    counts.hits++;
    set.replacement.hit(found);
    return;
  }
  counts.misses++;
  const way = set.replacement.victim(anyWay);
  const old = set.tags[way];
  if (old !== undefined) {
    counts.evictions++;
    set.wayOfTag.delete(old);
  }
  set.tags[way] = tag;
  set.wayOfTag.set(tag, way);
  set.replacement.fill(way);
}
