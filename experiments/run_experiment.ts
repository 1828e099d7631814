// Runs an experiment: for each point all systems are prepared, then measured in turn, run after run, so that whatever else the machine does
// meanwhile falls on all of them alike.
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { median, medianInterval } from '../gpufs/bench/statistics.ts';
import { type MediumName, RAW } from '../gpufs/media/media.ts';
import type { DeviceName } from '../gpufs/options.ts';
import type { Experiment, Measured, Point, Profile, Values } from './experiment.ts';
import { forgetFile } from './host_file.ts';
import { pointOf, RESULT_FORMAT, type Row } from './rows.ts';
import { FILE, SourceFiles } from './source_files.ts';
import { CannotDo, type Job, type PreparedSystem, type System } from './system.ts';

export interface RunSettings {
  values: Values;
  options: Record<string, number | readonly number[]>;
  profile: Profile;
  runs: number;
  /** Who has taken so long at a point is not run there again once it has RUNS_OF_SLOW runs. Default: SLOW_MS. */
  slowMs?: number;
  seed: number;
  device: DeviceName;
  /** What the storage is to be like. */
  medium: MediumName;
  systems: readonly System[];
  /** Somebody has named them. */
  chosen?: boolean;
  /** Of systems by name: those of their published mistakes that they are given. */
  flaws?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Files are made in a folder of their own here; default: that of the system for temporary files. */
  folder?: string | undefined;
  /** Of all rows. */
  origin: Pick<Row, 'time' | 'machine' | 'commit'>;
  progress: (done: number, total: number) => void;
  /** When it is aborted, what has been measured so far is kept, and nothing more is begun. */
  stop: AbortSignal;
  /** The rows of a point, as soon as they are known. */
  keep: (rows: readonly Row[]) => Promise<void>;
}

export interface LeftOut {
  /** A system, or a point. */
  what: string;
  reason: string;
}

const GPU_THREADS = 8;
/** A design that is a hundred times slower than another one would take all the time there is, and three runs show as much. */
export const SLOW_MS = 10_000;
export const RUNS_OF_SLOW = 3;
/** A file is cold with no more than this of it in memory. */
const SHARE_OF_COLD = 0.05;
/** Runs that are not counted. From its first kernel a mount on a GPU learns which parts of the file to register, and does so before the second. */
const warmUps = (device: DeviceName): number => (device === 'cpu' ? 1 : 2);
const NOT_SHAPED = 'it reads and writes the file past the daemon of a mount, so that no medium would shape it';

/** What a system did at a point so far. */
interface Entry {
  system: System;
  job: Job;
  prepared?: PreparedSystem;
  measured: Measured[];
  /** Milliseconds that all its runs took. */
  spent: number;
  failure?: string | undefined;
  cannot?: string;
  note?: string | undefined;
}

/** Gives what was left out, and why. */
export async function runExperiment(experiment: Experiment, settings: RunSettings): Promise<LeftOut[]> {
  const points = experiment.points(settings.values, settings.seed, settings.device);
  const leftOut = new Map<string, string>();
  const allRuns = settings.runs + warmUps(settings.device);
  const total = points.length * allRuns;
  const folder = await mkdtemp(join(settings.folder ?? tmpdir(), 'warpfs-experiment-'));
  const sources = new SourceFiles(folder, settings.seed);
  let done = 0;
  try {
    for (const point of points) {
      if (settings.stop.aborted) break;
      const cannot = point.cannot ?? (point.onlyOn !== undefined && point.onlyOn.device !== settings.device ? point.onlyOn.because : undefined);
      if (cannot !== undefined) {
        leftOut.set(pointOf(point.parameters), cannot);
        continue;
      }
      const root = await mkdtemp(join(folder, 'point-'));
      const entries = await entriesOf(point, settings, { root, source: await sources.of(point) }, leftOut);
      try {
        await prepare(entries);
        for (let run = 0; run < allRuns && !settings.stop.aborted; run++) {
          await oneRun(point, entries, run, settings);
          settings.progress(++done, total);
        }
      } finally {
        // The last first: a C library takes thread-local memory of modules back in that order alone, and has little of it.
        for (const entry of entries.toReversed()) {
          entry.note = entry.prepared?.note?.();
          if (entry.cannot !== undefined) leftOut.set(entry.job.cold === true ? `${entry.system.name}, cold` : entry.system.name, entry.cannot);
          await entry.prepared?.close();
        }
        await rm(root, { recursive: true, force: true });
      }
      const rows = entries.flatMap((entry) => rowsOf(experiment, point, entry, settings));
      if (rows.length > 0) await settings.keep(rows);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return [...leftOut].map(([what, reason]) => ({ what, reason }));
}

/** Who writes has a file of its own, in a folder of `root`; who reads has the source. */
async function entriesOf(point: Point, settings: RunSettings, { root, source }: { root: string; source: string }, leftOut: Map<string, string>): Promise<Entry[]> {
  const { device, medium } = settings;
  const entries: Entry[] = [];
  for (const system of settings.systems) {
    if (point.systems !== undefined && !point.systems.includes(system.name)) continue;
    if (point.systems === undefined && system.asked === true) {
      if (settings.chosen === true) leftOut.set(system.name, 'only experiments that name it ask for it, as host_paths does');
      continue;
    }
    const flaws = settings.flaws?.[system.name] ?? [];
    const job: Job = { threads: device === 'cpu' ? 1 : GPU_THREADS, ...point.job, device, medium, root: dirname(source), file: FILE, ...(flaws.length === 0 ? {} : { flaws }) };
    const reason = medium === RAW || system.shaped === true ? system.cannot?.(job) : NOT_SHAPED;
    if (reason !== undefined) {
      leftOut.set(system.name, reason);
      continue;
    }
    if (job.workload.writes) {
      job.root = join(root, system.name);
      await mkdir(job.root);
      await copyFile(source, join(job.root, FILE));
    }
    entries.push({ system, job, measured: [], spent: 0 });
  }
  return entries;
}

/** Kernels are compiled here, by as many compilers as there are systems. */
async function prepare(entries: Entry[]): Promise<void> {
  await Promise.all(
    entries.map(async (entry) => {
      try {
        entry.prepared = await entry.system.prepare(entry.job);
      } catch (error) {
        failed(entry, error);
      }
    }),
  );
}

async function oneRun(point: Point, entries: Entry[], run: number, { device, stop, slowMs = SLOW_MS }: RunSettings): Promise<void> {
  const task = point.task(run);
  // Each system is the first one in its turn.
  const turned = entries.map((_, index) => entries[(index + run) % entries.length] as Entry);
  for (const entry of turned) {
    if (entry.prepared === undefined || entry.failure !== undefined || entry.cannot !== undefined || stop.aborted) continue;
    if (entry.measured.length >= RUNS_OF_SLOW && entry.spent >= slowMs) continue;
    const since = performance.now();
    try {
      if (entry.job.cold === true) await forget(entry);
      const measured = await task.measure(entry.prepared, entry.job);
      entry.failure = measured.failure;
      if (run >= warmUps(device)) entry.measured.push(measured);
    } catch (error) {
      failed(entry, error);
    }
    entry.spent += performance.now() - since;
  }
}

function failed(entry: Entry, error: unknown): void {
  if (error instanceof CannotDo) entry.cannot = error.message;
  else entry.failure = (error as Error).message;
}

/** What is called cold is cold. */
async function forget({ job, prepared }: Entry): Promise<void> {
  await prepared?.letGo?.();
  const stays = await forgetFile(join(job.root, job.file));
  if (stays > SHARE_OF_COLD) {
    throw new CannotDo(`${(stays * 100).toFixed(0)} % of the file stay in the memory of the host, which was asked to forget them (all of a file in tmpfs does: --folder names another place)`);
  }
}

/** A row that failed has no value: a number that was measured while the answer was wrong means nothing. */
function rowsOf(experiment: Experiment, point: Point, entry: Entry, settings: RunSettings): Row[] {
  // Stopped before its first run; a compiler that Ctrl-C ended as well is no failure of the system.
  if (entry.measured.length === 0 && (entry.failure === undefined || settings.stop.aborted)) return [];
  const { device, medium, seed, profile, options, origin } = settings;
  const { note, job: { flaws } } = entry;
  return Object.entries(experiment.metrics).flatMap(([metric, unit]) => {
    const values = entry.failure === undefined ? entry.measured.map((measured) => measured.values[metric] ?? Number.NaN).filter(Number.isFinite) : [];
    const { low, high } = medianInterval(values, 0.95, seed);
    const none = values.length === 0;
    if (none && entry.failure === undefined) return []; // not every system has every metric
    return {
      format: RESULT_FORMAT, experiment: experiment.name, system: entry.system.name, device, medium, parameters: point.parameters, ...(flaws === undefined ? {} : { flaws }), metric, unit,
      value: none ? null : median(values), low: none ? null : low, high: none ? null : high, values,
      verified: entry.failure === undefined, ...(entry.failure === undefined ? {} : { failure: entry.failure }),
      profile, seed, options, ...origin, ...(note === undefined ? {} : { note }),
    };
  });
}
