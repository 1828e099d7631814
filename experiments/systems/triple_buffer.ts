// The host decides and moves, beside the kernel: what a good programmer writes for work whose accesses are known beforehand.
import { prepareStagedSystem } from '../staged_system.ts';
import type { System } from '../system.ts';

export const system: System = {
  name: 'triple_buffer',
  models: 'streaming: three buffers, so that the CPU reads the next piece and writes the last one while a kernel works on another',
  prepare: (job) => prepareStagedSystem('triple_buffer', job, 3),
};
