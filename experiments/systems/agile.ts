// AGILE: its cache, used in place by warps that wait for each access.
import { agileArray, agileBaseline, agileCannot, agileFlaws, agileShape } from '../agile_parts.ts';
import { prepareBaseline } from '../baseline_system.ts';
import type { System } from '../system.ts';

export const system: System = {
  name: 'agile',
  models: 'AGILE, by its array: warps work on lines where they lie, a resident service warp drains the completion queues, and the cache has a clock',
  shaped: true,
  flaws: agileFlaws,
  cannot: agileCannot,
  prepare: (job) => prepareBaseline('agile', job, agileBaseline(agileShape(job), agileArray, { flaws: job.flaws ?? [] })),
};
