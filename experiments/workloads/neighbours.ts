// One step of an algorithm on a graph: each access is a list of neighbours, or a part of one.
import type { Workload } from '../workload.ts';

/** Output `found`: not 0 for each vertex that is a neighbour of one whose list was read. */
export const visit: Workload = {
  name: 'visit',
  writes: false,
  outputs: { found: 'u32[]' },
  each: `
    for (uint i = lane.index; i < bytes / 4u; i += lane.count) {
      const uint to = data_load4((const WARPFS_DEVICE uint*)place + i);
      total += to;
      atomic_store(&found[to], 1u);
    }`,
};

/** Output `least`: of each access the complement of the least label among its neighbours; those of an item side by side, `width` apart. */
export const lowest: Workload = {
  name: 'lowest',
  writes: false,
  inputs: { labels: 'u32[]', width: 'u32' },
  outputs: { least: 'u32[]' },
  each: `
    uint best = 0u;
    for (uint i = lane.index; i < bytes / 4u; i += lane.count) {
      const uint to = data_load4((const WARPFS_DEVICE uint*)place + i);
      total += to;
      const uint label = ~labels[to];
      if (label > best) best = label;
    }
    WARPFS_DEVICE uint* kept = &least[item * width + access];
    uint seen = atomic_load(kept);
    while (best > seen && !atomic_cas(kept, seen, best)) {
    }`,
};
