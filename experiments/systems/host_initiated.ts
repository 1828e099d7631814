// The host decides and moves: read, kernel, write, in turn.
import { prepareStagedSystem } from '../staged_system.ts';
import type { System } from '../system.ts';

export const system: System = {
  name: 'host_initiated',
  models: 'GDS-style: the CPU reads what the next kernel needs into one buffer, launches it, and writes what it left',
  prepare: (job) => prepareStagedSystem('host_initiated', job, 1),
};
