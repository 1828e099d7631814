// An experiment about sheep, and two systems that count them without any device.
import type { ExperimentCatalogue } from '../../experiments/catalogue.ts';
import type { Experiment, Measured } from '../../experiments/experiment.ts';
import type { System } from '../../experiments/system.ts';
import { read } from '../../experiments/workloads/read.ts';

export interface SheepSettings {
  /** What a run of a system gives. */
  measure?: (system: string, run: number, flaws?: readonly string[]) => Measured;
  /** Why wool cannot do any job. */
  cannot?: string;
}

export function sheepCatalogue({ measure = (_, run) => ({ values: { rate: run } }), cannot }: SheepSettings = {}): ExperimentCatalogue {
  const system = (name: string): System => ({
    name,
    models: 'a shepherd',
    ...(name === 'fast' ? { shaped: true as const } : { flaws: { moth_eaten: 'its holes are counted as sheep', shrunk: 'it was washed too hot' } }),
    ...(cannot === undefined || name !== 'wool' ? {} : { cannot: () => cannot }),
    prepare: async () => ({ run: () => Promise.reject(new Error('sheep do not run')), settle: async () => undefined, close: async () => undefined, note: () => name }),
  });
  const experiment: Experiment = {
    name: 'count_sheep',
    title: 'Sheep',
    question: 'How many?',
    metrics: { rate: 'sheep/s' },
    options: [
      { name: 'sheep-size', what: 'size', min: 1, max: 9, usual: [5, 7], tiny: 2, full: [1, 2, 3], sweep: true },
      { name: 'flocks', what: 'of sheep', min: 1, max: 9, usual: 1, tiny: 1 },
      { name: 'twins', what: 'born at once', min: 1, max: 9, powerOfTwo: true, usual: 1, tiny: 1 },
    ],
    predictions: [{ what: 'fast beside wool', unit: 'x', atLeast: 1, atMost: 2, because: 'wool is heavy', measured: (find) => find('rate', 'fast', { size: 5 }) }],
    papers: [{ system: 'Dolly', what: 'sheep', value: 1, unit: 'sheep/s', on: 'a farm', source: 'Nature', ours: (find) => find('rate', 'wool') }],
    figures: [{ title: 'Sheep <b>', metric: 'rate', x: { parameter: 'size', title: 'size', log: true }, y: { title: 'sheep a second', log: true }, marks: [{ x: 6, label: 'Dolly' }] }],
    points: (values) =>
      values.all('sheep-size').map((size) => ({
        parameters: { size },
        job: { workload: read, fileBytes: 4096, cacheBytes: 4096, lineBytes: 4096, items: values.one('flocks'), accessBytes: 4096, threads: 1, io: 'auto', advice: 'normal' },
        task: (run) => ({ measure: async ({ note }, { flaws }) => measure(note?.() as string, run, flaws) }),
      })),
  };
  return { experiments: [experiment], systems: [system('fast'), system('wool')] };
}
