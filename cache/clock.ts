// CLOCK with one reference bit: a hit sets the bit; the hand clears bits until it finds one that is clear.
// A filled line starts without its bit, so a page that is read once leaves before a page that is read twice.
import { lowestClear, type MayEvict, type ReplacementPolicy, type SetReplacement } from './replacement.ts';

class ClockSet implements SetReplacement {
  readonly #ways: number;
  #filled = 0;
  #referenced = 0;
  #hand = 0;

  constructor(ways: number) {
    this.#ways = ways;
  }

  hit(way: number): void {
    this.#referenced |= 1 << way;
  }

  fill(way: number): void {
    this.#filled |= 1 << way;
    this.#referenced &= ~(1 << way);
  }

  invalidate(way: number): void {
    this.#filled &= ~(1 << way);
    this.#referenced &= ~(1 << way);
  }

  victim(mayEvict: MayEvict): number {
    const empty = lowestClear(this.#filled, this.#ways);
    if (empty >= 0) return empty;
    // Two turns are enough: the first clears every bit that it may clear, the second meets it clear.
    for (let step = 0; step < 2 * this.#ways; step++) {
      const way = this.#hand;
      this.#hand = (way + 1) % this.#ways;
      if (!mayEvict(way)) continue;
      if (((this.#referenced >>> way) & 1) === 0) return way;
      this.#referenced &= ~(1 << way);
    }
    return -1;
  }
}

export const clock: ReplacementPolicy = { name: 'clock', createSet: (ways) => new ClockSet(ways) };
