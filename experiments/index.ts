// All experiments, by name.
import { randomRead } from './01_random_read/random_read.ts';
import type { Experiment } from './experiment.ts';

export const experiments: readonly Experiment[] = [randomRead];
