// FIFO: the hand goes around and takes the next way that may go; hits change nothing.
import { lowestClear, type MayEvict, type ReplacementPolicy, type SetReplacement } from './replacement.ts';

class FifoSet implements SetReplacement {
  readonly #ways: number;
  #filled = 0;
  #hand = 0;

  constructor(ways: number) {
    this.#ways = ways;
  }

  hit(): void {
    // The order of arrival is all that counts.
  }

  fill(way: number): void {
    this.#filled |= 1 << way;
  }

  invalidate(way: number): void {
    this.#filled &= ~(1 << way);
  }

  victim(mayEvict: MayEvict): number {
    const empty = lowestClear(this.#filled, this.#ways);
    if (empty >= 0) return empty;
    for (let step = 0; step < this.#ways; step++) {
      const way = this.#hand;
      this.#hand = (way + 1) % this.#ways;
      if (mayEvict(way)) return way;
    }
    return -1;
  }
}

export const fifo: ReplacementPolicy = { name: 'fifo', createSet: (ways) => new FifoSet(ways) };
