// GPUfs, pages mapped where they lie.
import { prepareBaseline } from '../baseline_system.ts';
import { gpufsBaseline, gpufsCannot, gpufsFlaws, gpufsShapeOf, mapPart } from '../gpufs_baseline.ts';
import type { System } from '../system.ts';

export const system: System = {
  name: 'gpufs_style',
  models: 'GPUfs, in place: each warp maps a page of a cache that never writes back before the end, and asks workers of the host through slots',
  shaped: true,
  flaws: gpufsFlaws,
  cannot: gpufsCannot,
  prepare: (job) => {
    const shape = gpufsShapeOf(job);
    return prepareBaseline('gpufs_style', job, gpufsBaseline(shape, mapPart(shape)));
  },
};
