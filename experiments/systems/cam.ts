// CAM: batches for the CPU, and no cache.
import { prepareBaseline } from '../baseline_system.ts';
import { camBaseline, camCannot, camFlaws, camShapeOf } from '../cam_baseline.ts';
import type { System } from '../system.ts';

export const system: System = {
  name: 'cam',
  models: 'CAM: groups of warps hand the CPU whole batches of what they want next, one under way while the last one is worked on; nothing is cached',
  shaped: true,
  flaws: camFlaws,
  cannot: camCannot,
  prepare: (job) => prepareBaseline('cam', job, camBaseline(camShapeOf(job))),
};
