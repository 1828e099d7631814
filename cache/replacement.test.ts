import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clock } from './clock.ts';
import { fifo } from './fifo.ts';
import { cacheGeometry, type PageKey, setOfPage, waysOfSet } from './geometry.ts';
import { anyWay, type ReplacementPolicy } from './replacement.ts';
import { simulate } from './simulate.ts';

// The naive model: a list from oldest to newest with a bit for each page, as the textbook has it. It shares no code and no
// data structure with the policies: CLOCK as "second chance" moves a referenced page to the back of the list.
function naiveMisses(trace: PageKey[], lines: number, secondChance: boolean): number {
  const geometry = cacheGeometry(lines, 4096);
  const queues = Array.from({ length: geometry.setCount }, (): { tag: string; referenced: boolean }[] => []);
  let misses = 0;
  for (const key of trace) {
    const set = setOfPage(geometry, key);
    const queue = queues[set]!;
    const tag = `${key.fileId}/${key.page}`;
    const entry = queue.find((candidate) => candidate.tag === tag);
    if (entry !== undefined) {
      entry.referenced = true;
      continue;
    }
    misses++;
    while (queue.length >= waysOfSet(geometry, set)) {
      const oldest = queue.shift()!;
      if (secondChance && oldest.referenced) queue.push({ tag: oldest.tag, referenced: false });
    }
    queue.push({ tag, referenced: false });
  }
  return misses;
}

/** Pages of which few are asked for often: the square of a uniform number, from a fixed generator. */
function skewedTrace(length: number, pages: number, seed: number): PageKey[] {
  let state = seed >>> 0;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const uniform = state / 2 ** 32;
    return { fileId: 1, page: BigInt(Math.floor(uniform * uniform * pages)) };
  });
}

const policies: [string, ReplacementPolicy, boolean][] = [
  ['clock', clock, true],
  ['fifo', fifo, false],
];

test.each(policies)('%s misses exactly as often as the naive list', (_name, policy, secondChance) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.record({ fileId: fc.constantFrom(1, 2), page: fc.bigInt({ min: 0n, max: 150n }) }), { maxLength: 600 }),
      (lines, trace) => {
        const counts = simulate(cacheGeometry(lines, 4096), policy, trace);
        expect(counts.misses).toBe(naiveMisses(trace, lines, secondChance));
        expect(counts.hits + counts.misses).toBe(trace.length);
      },
    ),
  );
});

test.each(policies)('%s: golden miss counts', (name, policy, secondChance) => {
  const golden = { clock: [19145, 18422, 16168, 7721], fifo: [19225, 18611, 16617, 8302] };
  const trace = skewedTrace(20_000, 1000, 42);
  const sizes = [16, 32, 100, 500];
  expect(sizes.map((lines) => naiveMisses(trace, lines, secondChance))).toEqual(golden[name as keyof typeof golden]);
  expect(sizes.map((lines) => simulate(cacheGeometry(lines, 4096), policy, trace).misses)).toEqual(golden[name as keyof typeof golden]);
});

test('clock: a page that was hit survives one sweep, and the access that filled it gives no second chance', () => {
  const set = clock.createSet(3);
  for (const way of [0, 1, 2]) {
    expect(set.victim(anyWay)).toBe(way);
    set.fill(way);
  }
  set.hit(0);
  expect(set.victim(anyWay)).toBe(1); // the hand cleared the bit of 0 and went on
  set.fill(1);
  expect(set.victim(anyWay)).toBe(2);
  set.fill(2);
  expect(set.victim(anyWay)).toBe(0);
});

test.each(policies)('%s: pinned ways are passed by, all pinned gives -1, and the full width of a warp works', (_name, policy) => {
  const set = policy.createSet(32);
  for (let way = 0; way < 32; way++) set.fill(way);
  for (let way = 0; way < 32; way++) set.hit(way);
  expect(set.victim(() => false)).toBe(-1);
  expect(set.victim((way) => way === 31)).toBe(31);
  set.invalidate(5);
  expect(set.victim(() => false)).toBe(5);
});
