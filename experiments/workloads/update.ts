// Reads and updates: an update adds to every word what its index says.
import { sumOfWords, totalsOf } from '../lists.ts';
import { ACCESS, lengthOf, modeOf, type Round, type Workload } from '../workload.ts';

export const update: Workload = {
  name: 'update',
  writes: true,
  each: `
    total += words_sum(lane, place, bytes, word);
    warp_sync(lane);
    if (mode == ACCESS_UPDATE) {
      for (uint i = lane.index; i < bytes / 4u; i += lane.count) {
        WARPFS_DEVICE uint* at = (WARPFS_DEVICE uint*)place + i;
        data_store4(at, data_load4(at) + (uint)(offset / 4u) + i + 1u);
      }
    }`,
};

/** What a word becomes. */
export function updated(word: number, wordIndex: number): number {
  return (word + wordIndex + 1) >>> 0;
}

/** Does a round on the words of a file: gives the totals, and leaves what must be in it afterwards. */
export function changeFile(words: Uint32Array, round: Round): Uint32Array {
  const totals = totalsOf(round, (offset, bytes) => sumOfWords((word) => words[word] as number, offset, bytes));
  round.lengths.forEach((length, index) => {
    if (modeOf(length) === ACCESS.read) return;
    const first = Number(round.offsets[index]) / 4;
    for (let word = first; word < first + lengthOf(length) / 4; word++) words[word] = updated(words[word] as number, word);
  });
  return totals;
}
