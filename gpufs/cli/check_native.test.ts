// The command on the addon itself: what it finds, stores, replays and traces.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildMutantModule } from '../check/mutant_module.ts';
import { plantedNumber, plantedSources } from '../check/planted_for_tests.ts';
import { readReplay } from '../check/replay_file.ts';
import { nativePresence } from '../conformance/native_device.ts';
import { loadNativeBinding, type NativeBinding } from '../native_binding.ts';
import type { CheckTools } from './check.ts';
import { checkTools } from './check_tools.ts';
import { runCli } from './cli.ts';

const { missing } = nativePresence();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-check-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function cli(words: readonly string[], tools: Partial<CheckTools> = {}): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const code = await runCli(['check', ...words], streams, { experiments: { experiments: [], systems: [] }, benchmarks: [], check: { ...checkTools, ...tools } });
  return { code, out, error };
}

/** The addon, with kernels in which something is wrong. */
function broken(module: string, mutant: number): NativeBinding {
  const { binding } = loadNativeBinding();
  const withMutant: NativeBinding['explore'] = (config, scenario, limits) => {
    if (config.check === undefined) throw new Error('not under check');
    return binding.explore({ ...config, check: { ...config.check, module, mutant } }, scenario, limits);
  };
  return new Proxy(binding, { get: (target, name) => (name === 'explore' ? withMutant : Reflect.get(target, name)) });
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'warpfs check' : `SKIP ${missing}`, () => {
  test('finds nothing in the protocol as it is, and the same seed gives the same counts', async () => {
    const counts = async () => {
      const { code, out } = await cli(['--seed', '5', '--schedules', '400', '--json']);
      expect(code).toBe(0);
      const { nanoseconds: _, schedulesPerSecond: __, stepsPerSecond: ___, ...rest } = JSON.parse(out) as Record<string, unknown>;
      return rest;
    };
    const first = await counts();
    expect(first).toMatchObject({ command: 'check', seed: 5, scenarios: 2, schedules: 400 });
    expect(await counts()).toEqual(first);
  });

  test('writes the same trace every time', async () => {
    const traces = [join(folder, 'a'), join(folder, 'b'), join(folder, 'c')];
    for (const trace of traces.slice(0, 2)) await cli(['--seed', '9', '--schedules', '10', '--trace', trace]);
    await cli(['--seed', '10', '--schedules', '10', '--trace', traces[2] as string]);
    const [first, second, other] = traces.map((trace) => readFileSync(trace));
    expect(first?.length).toBeGreaterThan(1000);
    expect(second).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test('a finding ends with 1, as a small program that the replay file shows again', { timeout: 120_000 }, async () => {
    const { module } = await buildMutantModule(plantedSources);
    const tools = { binding: () => broken(module, plantedNumber('claim-ignores-pins')) };
    const file = join(folder, 'found.json');
    const { code, out } = await cli(['--seed', '2', '--out', file, '--scheduler', 'random'], tools);
    expect(code, out).toBe(1);
    expect(out).toMatch(/^evicted_while_pinned: line \d was taken .* pins on it\n {2}warp \d lane 0, step \d+: \w+ \w+\.h:\d+[^]*\n {2}seed 2, schedule \d+: \d+ switch/);
    expect(out).toMatch(/\n {2}scenario \d+: random \d+, made small\n {2}files: file\d .*\n {2}mount: wait \w+, \d lines?, of 512 bytes, [^]*\n {2}warp 0: f0 = open\(/);
    const { decisions, traceHash, scenario } = await readReplay(file);
    expect(decisions.length).toBeGreaterThan(0);
    if (scenario.kind !== 'programs') throw new Error('it has no programs');
    expect(scenario.scenario.programs.flat().length).toBeLessThanOrEqual(10);

    const again = await cli(['--replay', file, '--json'], tools);
    expect(again.code).toBe(1);
    expect(JSON.parse(again.out)).toMatchObject({ expected: 'evicted_while_pinned', sameTrace: true, traceHash, finding: { kind: 'evicted_while_pinned', traceHash } });
    const shown = await cli(['--replay', file], tools);
    expect(shown.out).toMatch(/\n {2}files: file\d [^]*\n {2}warp 0: /);
    expect(shown.out).not.toContain('something else than the schedule has changed');
    const traces = [join(folder, 'a'), join(folder, 'b')] as const;
    for (const trace of traces) await cli(['--replay', file, '--trace', trace], tools);
    expect(readFileSync(traces[0])).toEqual(readFileSync(traces[1]));

    // In the protocol as it is the same schedule does no harm.
    expect(await cli(['--replay', file])).toMatchObject({ code: 0, out: `no finding: the schedule of ${file} (evicted_while_pinned) does no harm any more\n` });
    writeFileSync(file, readFileSync(file, 'utf8').replace('"version":1', '"version":2'));
    const other = await cli(['--replay', file], tools);
    expect(other).toMatchObject({ code: 2, error: `[warpfs] replay file ${file}: version: 2 is not 1, the version of replay files that this version of WarpFS reads\n` });
  });

  test.each([
    [['--seed', 'abc'], "argument 'abc' is invalid"],
    [['--schedules', '0'], "argument '0' is invalid"],
    [['--minutes', '0'], "argument '0' is invalid"],
    [['--scheduler', 'dfs'], 'Allowed choices are random, pct, pos, portfolio, exhaustive.'],
    [['--progress', 'none'], 'Allowed choices are fair, obe'],
    [['--replay', 'nowhere.json'], 'no such file'],
  ])('%s ends with 2', async (words, message) => {
    const { code, error } = await cli(words);
    expect(code).toBe(2);
    expect(error).toContain(message);
  });
});
