// Which rows of many result files a report shows: of each point, system and metric the last one, of the largest sizes that were run.
import { RAW } from '../../gpufs/media/media.ts';
import type { Experiment, Profile } from '../experiment.ts';
import { pointOf, type Row, systemOf } from '../rows.ts';

export interface Part {
  experiment: Experiment;
  device: string;
  medium: string;
  rows: Row[];
}

const sizes: Record<Profile, number> = { tiny: 0, usual: 1, full: 2 };

/** One part for each experiment, device and medium, in the order of the experiments. Throws for rows of an experiment that is not known. */
export function partsOf(rows: readonly Row[], experiments: readonly Experiment[]): Part[] {
  const unknown = rows.find((row) => !experiments.some(({ name }) => name === row.experiment));
  if (unknown !== undefined) {
    throw new Error(`[warpfs] there are results of an experiment '${unknown.experiment}', which is not known here. Known: ${experiments.map(({ name }) => name).join(', ')}`);
  }
  return experiments.flatMap((experiment) => {
    const own = rows.filter((row) => row.experiment === experiment.name);
    const places = new Map(own.map(({ device, medium }) => [`${device} ${medium}`, { device, medium }]));
    return [...places.values()].map(({ device, medium }) => ({ experiment, device, medium, rows: chosen(own.filter((row) => row.device === device && row.medium === medium)) }));
  });
}

/** As a file or a place in a page is called. */
export function nameOf({ experiment, device, medium }: Part): string {
  return [experiment.name, device, ...(medium === RAW ? [] : [medium])].join('_');
}

export function titleOf({ experiment, device, medium }: Part): string {
  return [experiment.title, `${device} device`, ...(medium === RAW ? [] : [`medium ${medium}`])].join(', ');
}

/** The points of one run are not mixed with those of other sizes: they would lie on one line and not belong together. */
function chosen(rows: readonly Row[]): Row[] {
  const most = Math.max(...rows.map(({ profile }) => sizes[profile]));
  const last = new Map<string, Row>();
  for (const row of rows) {
    if (sizes[row.profile] !== most) continue;
    const key = `${pointOf(row.parameters)} ${systemOf(row)} ${row.metric}`;
    const before = last.get(key);
    if (before === undefined || before.time <= row.time) last.set(key, row);
  }
  return [...last.values()];
}

/** What a reader has to know of the runs: each machine, commit and seed once. */
export function originsOf(rows: readonly Row[]): string[] {
  const origins = rows.map(({ machine, commit, seed, profile, time }) => {
    const gpu = machine.gpu === undefined ? '' : `${machine.gpu.name}${machine.gpu.driver === undefined ? '' : `, driver ${machine.gpu.driver}`}; `;
    return `${gpu}${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB; ${machine.platform} ${machine.release}; WarpFS ${machine.warpfs}, commit ${commit?.slice(0, 12) ?? 'unknown'}; seed ${seed}; ${profile} sizes; ${time}`;
  });
  return [...new Set(origins)];
}
