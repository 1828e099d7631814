// Reading: every word is added up.
import type { Workload } from '../workload.ts';

export const read: Workload = {
  name: 'read',
  writes: false,
  repeatable: true,
  each: 'total += words_sum(lane, place, bytes, word);',
};
