// Reads and updates: an update adds to every word what its index says.
import type { Workload } from '../workload.ts';

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
