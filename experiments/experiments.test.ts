// Every experiment on every system that this machine has, with tiny sizes: what is not run rots.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machine } from '../gpufs/bench/machine.ts';
import { testDevice } from '../gpufs/conformance/test_device.ts';
import { optionValues } from '../gpufs/cli/run_options.ts';
import { type ExperimentCatalogue, experimentCatalogue } from './catalogue.ts';
import type { MediumName } from '../gpufs/media/media.ts';
import type { Experiment } from './experiment.ts';
import type { Row } from './rows.ts';
import { type LeftOut, RUNS_OF_SLOW, runExperiment, type RunSettings } from './run_experiment.ts';
import type { Job, System } from './system.ts';

const TMPFS = '/dev/shm';
const catalogue: ExperimentCatalogue = await experimentCatalogue();
const folder = mkdtempSync(join(tmpdir(), 'warpfs-experiments-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runTiny(experiment: Experiment, systems: readonly System[] = catalogue.systems, seed = 3, medium: MediumName = 'raw', more: Partial<RunSettings> = {}): Promise<{ rows: Row[]; leftOut: LeftOut[] }> {
  const { values, options } = optionValues(experiment, {}, 'tiny', testDevice);
  const rows: Row[] = [];
  const leftOut = await runExperiment(experiment, {
    values, options, profile: 'tiny', runs: 1, seed, device: testDevice, medium, systems, folder,
    origin: { time: new Date().toISOString(), machine: machine(), commit: undefined },
    progress: () => undefined, stop: new AbortController().signal, keep: async (kept) => void rows.push(...kept), ...more,
  });
  return { rows, leftOut };
}

function named(name: string): { experiment: Experiment; system: (name: string) => System } {
  const experiment = catalogue.experiments.find((candidate) => candidate.name === name) as Experiment;
  return { experiment, system: (wanted) => catalogue.systems.find((candidate) => candidate.name === wanted) as System };
}

test('there are experiments and systems, found without a list', () => {
  expect(catalogue.experiments.map(({ name }) => name)).toEqual(expect.arrayContaining(['random_read', 'hit_path', 'overlap', 'vector_add', 'granularity', 'host_paths', 'mixed_pressure']));
  expect(catalogue.systems.map(({ name }) => name)).toEqual(expect.arrayContaining(['warpfs', 'warpfs_async', 'warpfs_map', 'host_initiated', 'mapped', 'triple_buffer']));
});

describe.each(catalogue.experiments)('$name', (experiment) => {
  let rows: Row[] = [];
  let late: string[] = [];
  beforeAll(async () => {
    const { rows: kept, leftOut } = await runTiny(experiment);
    rows = kept;
    late = leftOut.map(({ what }) => what);
  }, 180_000);

  test('every answer of every system is right', () => {
    expect(rows.filter(({ verified }) => !verified).map(({ system, parameters, failure }) => [system, parameters, failure])).toEqual([]);
    expect(rows.every(({ value }) => value !== null && Number.isFinite(value))).toBe(true);
  });

  test('every system that can do it was measured', () => {
    const expected = catalogue.systems.filter((system) => system.asked !== true).map(({ name }) => name);
    const measured = [...new Set(rows.map(({ system }) => system))];
    const wanted = experiment.points(optionValues(experiment, {}, 'tiny', testDevice).values, 3, testDevice).flatMap((point) => {
      if (point.onlyOn !== undefined && point.onlyOn.device !== testDevice) return [];
      const able = catalogue.systems.filter((system) => system.cannot?.({ threads: 1, ...point.job, device: testDevice, medium: 'raw', root: folder, file: 'none' }) === undefined).map(({ name }) => name);
      return (point.systems ?? expected).filter((name) => able.includes(name));
    });
    // Some find out when they are prepared, for a GPU is too large for them; each of these was left out with a reason.
    if (testDevice === 'cpu') expect(wanted.filter((name) => late.includes(name))).toEqual([]);
    expect(measured.toSorted()).toEqual([...new Set(wanted)].filter((name) => !late.includes(name)).toSorted());
  });

  test('it predicts something, with a number and a reason, and names what its figures show', () => {
    expect(experiment.predictions.length).toBeGreaterThan(0);
    for (const { atLeast, atMost, because } of experiment.predictions) {
      expect(atLeast ?? atMost).toBeTypeOf('number');
      expect(because.length).toBeGreaterThan(20);
    }
    for (const { metric, x } of experiment.figures) {
      expect(Object.keys(experiment.metrics)).toContain(metric);
      if (rows[0] !== undefined) expect(rows[0].parameters).toHaveProperty(x.parameter); // all of it may be for another device
    }
    for (const { source, on } of experiment.papers) expect(source.length * on.length).toBeGreaterThan(0);
  });
});

/** A system whose file is wrong, behind its back. */
function spoiled(system: System, when: 'before' | 'settled'): System {
  const spoil = async ({ root, file, fileBytes }: Job): Promise<void> => {
    const handle = await open(join(root, file), 'r+');
    await handle.write(Buffer.alloc(fileBytes, 0x5a), 0, fileBytes, 0);
    await handle.close();
  };
  return {
    ...system,
    async prepare(job) {
      if (when === 'before') await spoil(job);
      const prepared = await system.prepare(job);
      return when === 'before' ? prepared : { ...prepared, settle: async () => prepared.settle().then(() => spoil(job)) };
    },
  };
}

test.each(['warpfs', 'host_initiated', 'mapped'])('%s that reads wrong bytes has no number, and says what is wrong', async (name) => {
  const { experiment, system } = named('random_read');
  const { rows } = await runTiny(experiment, [spoiled(system(name), 'before')]);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).toMatchObject({ verified: false, value: null, failure: expect.stringMatching(/what warp \d+ read adds up to \d+, and the CPU finds \d+/) });
}, 60_000);

test.each(['vector_add', 'mixed_pressure'])('%s finds bytes of the file that are wrong at the end', async (name) => {
  const { experiment, system } = named(name);
  const { rows } = await runTiny(experiment, [spoiled(system('host_initiated'), 'settled')]);
  for (const row of rows) expect(row).toMatchObject({ verified: false, value: null, failure: expect.stringContaining('the CPU finds') });
}, 60_000);

test('a medium shapes what a mount moves, and says how well', async () => {
  const { experiment } = named('random_read');
  const { rows, leftOut } = await runTiny(experiment, catalogue.systems, 3, 'samsung_990_pro');
  const shaped = catalogue.systems.filter((system) => system.shaped === true && system.asked !== true).map(({ name }) => name);
  expect(shaped).toEqual(expect.arrayContaining(['warpfs', 'warpfs_async', 'warpfs_map']));
  expect(new Set(rows.map(({ system }) => system))).toEqual(new Set(shaped));
  for (const row of rows) expect(row).toMatchObject({ medium: 'samsung_990_pro', verified: true, note: expect.stringMatching(/medium (samsung_990_pro|was late)/) as string });
  expect(leftOut.find(({ what }) => what === 'mapped')?.reason).toContain('no medium would shape it');
});

const noTmpfs = existsSync(TMPFS) ? '' : `SKIP no ${TMPFS}: `;
test.skipIf(noTmpfs !== '')(`${noTmpfs}what stays in memory is not called cold`, async () => {
  const { experiment, system } = named('host_paths');
  const { rows, leftOut } = await runTiny(experiment, [system('host_initiated')], 3, 'raw', { folder: TMPFS });
  expect([...new Set(rows.map(({ parameters }) => parameters['cold']))]).toEqual([0]);
  expect(leftOut).toContainEqual({ what: 'host_initiated, cold', reason: expect.stringMatching(/^100 % of the file stay in the memory of the host/) });
});

test('who takes long at a point has fewer runs there', async () => {
  const { experiment, system } = named('random_read');
  const lengths = async (slowMs: number): Promise<Set<number>> => {
    const { rows } = await runTiny(experiment, [system('mapped')], 3, 'raw', { runs: RUNS_OF_SLOW + 1, slowMs });
    return new Set(rows.map(({ values }) => values.length));
  };
  expect(await lengths(0)).toEqual(new Set([RUNS_OF_SLOW]));
  expect(await lengths(1e9)).toEqual(new Set([RUNS_OF_SLOW + 1]));
}, 60_000);

test('a system that cannot be prepared fails alone', async () => {
  const { experiment, system } = named('random_read');
  const broken: System = { name: 'broken', models: 'nothing', prepare: () => Promise.reject(new Error('no luck')) };
  const { rows } = await runTiny(experiment, [broken, system('mapped')]);
  expect(rows.filter((row) => row.system === 'broken').every((row) => row.failure === 'no luck' && !row.verified)).toBe(true);
  expect(rows.some((row) => row.system === 'mapped' && row.verified)).toBe(true);
}, 60_000);
