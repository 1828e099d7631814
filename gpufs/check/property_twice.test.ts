// A schedule is a function of its seed: run twice it has one trace, in this process and in another one.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import { loadNativeBinding } from '../native_binding.ts';
import type { NativeExploration } from '../native_check.ts';
import { prepare, usualLimits } from './exploration.ts';
import { checkProperty, PROPERTY_MS_MAX } from './property_for_tests.ts';
import { randomScenario } from './random_scenario.ts';
import { scenarioArbitrary } from './scenario_arbitrary.ts';

const { missing } = nativePresence();
const SCENARIOS = 12;

/** Explores what is in the file, without anything of this process, and says how each exploration ended. */
const otherProcess = `
  const [addon, file] = process.argv.slice(1);
  const all = require('node:v8').deserialize(require('node:fs').readFileSync(file));
  const { explore } = require(addon);
  (async () => {
    const ends = [];
    for (const { config, scenario, limits } of all) {
      const { traceHash, steps, schedules, outcomes, finding } = await explore(config, scenario, limits);
      ends.push({ traceHash, steps, schedules, outcomes: outcomes.map(({ schedule, count }) => [schedule, count]), kind: finding?.kind ?? '' });
    }
    console.log(JSON.stringify(ends));
  })();`;

function endOf({ traceHash, steps, schedules, outcomes, finding }: NativeExploration): object {
  return { traceHash, steps, schedules, outcomes: outcomes.map(({ schedule, count }) => [schedule, count]), kind: finding?.kind ?? '' };
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'a schedule' : `SKIP ${missing}`, () => {
  test('has the same trace when it runs twice', { timeout: PROPERTY_MS_MAX }, async () => {
    await checkProperty({ scenarios: scenarioArbitrary(), limits: { twice: true } });
  });

  test('has another trace with another seed', async () => {
    const hashes = new Set<string>();
    const root = mkdtempSync(join(tmpdir(), 'warpfs-twice-'));
    try {
      for (let seed = 0; seed < 20; seed++) {
        const { traceHash } = await prepare(loadNativeBinding().binding, randomScenario(1, 3), { seed, scheduler: 'random' }, root).run({});
        hashes.add(traceHash);
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
    expect(hashes.size).toBeGreaterThan(10);
  });

  test('is the same in another process', { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'warpfs-twice-'));
    try {
      const { path, binding } = loadNativeBinding();
      const seeds = fc.sample(fc.integer({ min: 0, max: 2 ** 32 - 1 }), SCENARIOS);
      const prepared = seeds.map((seed, index) => {
        // Elsewhere it has other files: nothing of a folder may be part of a trace.
        for (const name of ['here', 'elsewhere']) mkdirSync(join(folder, name, `${index}`), { recursive: true });
        return prepare(binding, randomScenario(seed, index), { seed }, join(folder, 'here', `${index}`));
      });
      const limits = { ...usualLimits, schedules: 30 };
      const here: NativeExploration[] = [];
      for (const each of prepared) here.push(await each.run(limits));
      const file = join(folder, 'all');
      const all = prepared.map(({ config, encoded }, index) => ({ config: { ...config, root: join(folder, 'elsewhere', `${index}`) }, scenario: encoded.native, limits }));
      writeFileSync(file, serialize(all));
      const elsewhere = JSON.parse(execFileSync(process.execPath, ['-e', otherProcess, path, file], { encoding: 'utf8' })) as object[];
      expect(elsewhere).toEqual(here.map(endOf));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
