// C = A + B, all three in one file, one piece after another: two reads, then an overwrite of what they gave.
import type { Workload } from '../workload.ts';

export const ADD_BYTES = 4096;
const WORDS_PER_LANE = ADD_BYTES / 4 / 32;

/** Accesses come in threes: a piece of A, the same of B, the same of C. */
export const add: Workload = {
  name: 'add',
  writes: true,
  together: 3,
  begin: `uint kept[${WORDS_PER_LANE}];`,
  each: `
    for (uint i = 0; i < ${WORDS_PER_LANE}u; i++) {
      const uint at = (i * 32u + lane.index) * 4u;
      if (mode == ACCESS_OVERWRITE) {
        data_store4((WARPFS_DEVICE uint*)(place + at), kept[i]);
        total += kept[i] * (2u * (i * 32u + lane.index) + 1u);
      } else {
        const uint value = data_load4((const WARPFS_DEVICE uint*)(place + at));
        kept[i] = access % 3u == 0u ? value : kept[i] + value;
      }
    }`,
};
