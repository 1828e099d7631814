// GPUfs, its calls of a whole block.
import { prepareBaseline } from '../baseline_system.ts';
import { gpufsBaseline, gpufsCannot, gpufsFlaws, gpufsShapeOf, groupPart } from '../gpufs_baseline.ts';
import type { Job, System } from '../system.ts';

const groupOf = ({ items }: Job): number => Math.min(4, items);

export const system: System = {
  name: 'gpufs_gread',
  models: 'GPUfs, its gread and gwrite: four warps make each call together, one after the other for what each of them wants, and copy',
  shaped: true,
  flaws: gpufsFlaws,
  cannot: gpufsCannot,
  prepare: (job) => {
    const group = groupOf(job);
    const buffer = Math.ceil(job.accessBytes / 16) * 16;
    const buffers = Math.ceil(job.items / group) * group * buffer;
    return prepareBaseline('gpufs_gread', job, gpufsBaseline(gpufsShapeOf(job), groupPart(buffer, group), { buffers: { bytes: buffers, place: 'device' } }));
  },
};
