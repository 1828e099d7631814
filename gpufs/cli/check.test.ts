import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BindingForTests, bindingForTests } from '../binding_for_tests.ts';
import type { Scenario, ScenarioSource } from '../check/campaign_scenario.ts';
import type { Mutant } from '../check/mutant_run.ts';
import { readReplay } from '../check/replay_file.ts';
import type { NativeFinding } from '../native_check.ts';
import type { CheckTools } from './check.ts';
import { checkTools } from './check_tools.ts';
import { runCli } from './cli.ts';

let folder: string;
let binding: BindingForTests;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-check-test-'));
  binding = bindingForTests();
});
afterEach(() => rmSync(folder, { recursive: true }));

const finding: NativeFinding = {
  kind: 'race', message: 'two writes to byte 3', schedule: 17, traceHash: '0123456789abcdef', decisions: Uint32Array.of(0, 4, 0, 1),
  actors: [{ actor: 1, warp: 0, lane: 1, step: 17, pcs: ['/opt/warpfs.node+0x10'] }],
};

function scenarioAt(seed: number, index: number): Scenario {
  const programs = [[{ op: 'open', path: 'a', mode: 'r+' }, { op: 'write', file: 0, offset: 0, data: Uint8Array.of(seed) }]] as const;
  return { name: `scenario ${index}`, programs, files: [{ path: 'a', bytes: Uint8Array.of(0) }], config: { cache: { lines: 2 } }, faults: index === 1 ? { eio: 5 } : {} };
}

const right: ScenarioSource = { scenarioAt, judge: () => undefined };
const mutants: Mutant[] = [1, 2].map((number) => ({ name: `mutant-${number}`, summary: `wrong ${number}`, number, scenarios: [scenarioAt(0, 0), scenarioAt(0, 2)] }));

async function cli(words: readonly string[], tools: Partial<CheckTools> = {}): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const check: CheckTools = {
    binding: () => binding, source: right, mutants: () => mutants, buildMutants: async () => ({ module: '/m.so' }),
    symbolizer: async (pcs) => new Map(pcs.map((pc) => [pc, [{ function: 'line_unpin', file: 'cache_line.h', line: 53 }]])), ...tools,
  };
  const code = await runCli(['check', ...words], streams, { experiments: { experiments: [], systems: [] }, benchmarks: [], check });
  return { code, out, error };
}

test('a budget is used up without a finding', async () => {
  const { code, out } = await cli(['--seed', '3', '--schedules', '450']);
  expect(code).toBe(0);
  expect(binding.explorations.map(({ limits }) => limits.schedules)).toEqual([200, 200, 50]);
  expect(binding.explorations.map(({ config }) => config.check?.memory)).toEqual(['sc', 'relaxed', 'sc']);
  expect(binding.explorations.map(({ limits }) => limits.twice)).toEqual([true, false, false]);
  expect(new Set(binding.explorations.map(({ config }) => config.check?.seed)).size).toBe(3);
  expect(binding.explorations[0]?.config).toMatchObject({ lineCount: 2, check: { scheduler: 'portfolio', laneCount: 4, module: '' } });
  expect(existsSync(binding.explorations[0]?.config.root ?? '/')).toBe(false); // its folders are gone
  expect(out).toMatch(/scenarios +3\nof these with faults +1\n[^]*schedules +450\n[^]*schedules per second +1,000,000\nsteps per second +10,000,000\n\nno finding\n$/);
  const json = JSON.parse((await cli(['--seed', '3', '--schedules', '450', '--json'])).out) as object;
  expect(json).toMatchObject({ command: 'check', seed: 3, scenarios: 3, schedules: 450, outcomes: 3, faulty: 1, schedulesPerSecond: 1_000_000 });
  expect(json).not.toHaveProperty('finding');
});

test('what is asked for goes before what a scenario says', async () => {
  const source = { ...right, scenarioAt: () => ({ ...scenarioAt(0, 0), check: { memory: 'sc', laneCount: 8, scheduler: 'pos' } as const }) };
  await cli(['--schedules', '1'], { source });
  await cli(['--schedules', '1', '--lanes', '2', '--memory', 'relaxed', '--scheduler', 'pct', '--depth', '2', '--progress', 'hsa_obe', '--preemptions', '3'], { source });
  await cli(['--schedules', '1', '--scheduler', 'exhaustive'], { source });
  const [said, asked, exhaustive] = binding.explorations.map(({ config }) => config.check);
  expect(said).toMatchObject({ memory: 'sc', laneCount: 8, scheduler: 'pos', depth: 3, progress: 'fair' });
  expect(asked).toMatchObject({ memory: 'relaxed', laneCount: 2, scheduler: 'pct', depth: 2, progress: 'hsa_obe', preemptions: 3 });
  expect(exhaustive).toMatchObject({ memory: 'sc', laneCount: 2, preemptions: 0xffffffff });
});

test('minutes alone leave the number of schedules open', async () => {
  let explored = 0;
  binding.explored = (_, { milliseconds }) => {
    expect(milliseconds).toBeLessThanOrEqual(60_000);
    return ++explored === 200 ? { finding } : {};
  };
  const { code } = await cli(['--minutes', '1', '--out', join(folder, 'f.json')]);
  expect(code).toBe(1);
  expect(explored).toBeGreaterThanOrEqual(200);
});

test('a finding is reported, stored, and shown again', async () => {
  // It needs the fault, and the write: nothing but bytes and settings can get smaller.
  binding.explored = ({ dispatches }, _, { check }) => (dispatches.length === 2 && check?.faults.eio === 5 ? { finding } : {});
  const file = join(folder, 'found it.json');
  const { code, out } = await cli(['--seed', '7', '--out', file]);
  expect(code).toBe(1);
  expect(out).toContain('race: two writes to byte 3\n  warp 0 lane 1, step 17: line_unpin cache_line.h:53\n  seed 7, schedule 17: 1 switch, trace 0123456789abcdef\n');
  expect(out).toContain(`  again: warpfs check --replay '${file}'\n  scenario 1: scenario 1, made small\n`);
  expect(out).toContain('  files: a (0 bytes)\n  mount: 1 line, 1 lane, memory sc\n  faults in 1000: eio 5\n  warp 0: f0 = open(a, r+)\n');
  expect(await readReplay(file)).toMatchObject({ decisions: finding.decisions, finding: { kind: 'race', seed: 7 }, scenario: { scenario: { name: 'scenario 1', faults: { eio: 5 } } } });
  const again = await cli(['--replay', file]);
  expect(again.code).toBe(1);
  expect(again.out).toContain('race: two writes to byte 3');
  expect(binding.explorations.at(-1)).toMatchObject({ limits: { decisions: finding.decisions, schedules: 1, shrink: false }, config: { lineCount: 1 } });
  const json = JSON.parse((await cli(['--replay', file, '--json'])).out) as object;
  expect(json).toMatchObject({ expected: 'race', sameTrace: true, finding: { kind: 'race', switches: 1, actors: [{ actor: 'warp 0 lane 1', stack: ['line_unpin cache_line.h:53'] }] } });
  const traces = [join(folder, 'a.perfetto-trace'), join(folder, 'b.perfetto-trace')] as const;
  await cli(['--seed', '7', '--out', file, '--trace', traces[0]]);
  await cli(['--replay', file, '--trace', traces[1]]);
  expect(readFileSync(traces[0])).toEqual(readFileSync(traces[1]));
  binding.explored = undefined;
  const gone = await cli(['--replay', file]);
  expect(gone).toMatchObject({ code: 0, out: `no finding: the schedule of ${file} (race) does no harm any more\n` });
});

test('an outcome that the judge refuses is a finding with a schedule that is 1-minimal', async () => {
  const needed = [1, 2, 0, 3].join();
  const recorded = Uint32Array.of(0, 1, 0, 1, 1, 2, 0, 3, 0, 9, 3, 1);
  binding.explored = (scenario, { decisions, first, schedules }) => {
    const kept = decisions ?? (schedules === 1 && first === 40 ? recorded : new Uint32Array(0));
    const isWrong = decisions === undefined || Array.from({ length: kept.length / 4 }, (_, at) => kept.subarray(at * 4, at * 4 + 4).join()).includes(needed);
    const buffers = scenario.dispatches.map((dispatch) => dispatch.buffers);
    return { outcomes: [{ schedule: 40, count: 1, buffers, order: new Uint32Array(0), files: [Uint8Array.of(isWrong ? 66 : 1)], failures: [], decisions: kept }], traceHash: '00000000000000bb' };
  };
  const source: ScenarioSource = {
    scenarioAt,
    judge: (_, { files }) => (files?.[0]?.bytes?.[0] === 66 ? { kind: 'wrong_file', message: 'byte 0 is 66, wanted 1' } : undefined),
  };
  const file = join(folder, 'f.json');
  const { code, out } = await cli(['--json', '--out', file], { source });
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ finding: { kind: 'wrong_file', message: 'byte 0 is 66, wanted 1', schedule: 40, switches: 1, traceHash: '00000000000000bb', actors: [] } });
  expect((await readReplay(file)).decisions).toEqual(Uint32Array.of(1, 2, 0, 3));
  expect((await cli(['--replay', file], { source })).code).toBe(1);
});

test('a schedule that does not show it again is not passed off as one that does', async () => {
  const source: ScenarioSource = { scenarioAt, judge: (_, { count }) => (count > 1 ? { kind: 'wrong_file', message: 'byte 0' } : undefined) };
  const { out } = await cli(['--out', join(folder, 'f.json')], { source });
  expect(out).toContain('wrong_file: byte 0 (its schedule, replayed, does not show it again)\n');
});

test('a trace is the same bytes every time', async () => {
  const [first, second] = [join(folder, 'a.perfetto-trace'), join(folder, 'b.perfetto-trace')];
  await cli(['--schedules', '300', '--trace', first]);
  await cli(['--schedules', '300', '--trace', second]);
  expect(readFileSync(first)).toEqual(readFileSync(second));
  expect(readFileSync(first, 'utf8')).toContain('scenario 0');
  expect(binding.explorations.at(-1)).toMatchObject({ limits: { trace: true, schedules: 1, first: 0 } });
});

test('an addon that runs nothing has not shown that all is well', async () => {
  binding.explored = () => ({ schedules: 0, outcomes: [] });
  for (const words of [[], ['--mutants']]) {
    const { code, error } = await cli(words);
    expect(code).toBe(1);
    expect(error).toContain('the addon ran no schedule');
  }
  expect(binding.explorations.every(({ limits }) => limits.milliseconds === 2 ** 31 - 1)).toBe(true);
});

test('mutants: which property killed each, and how soon', async () => {
  const late = { ...finding, schedule: 256 };
  binding.explored = (_, { first }, config) => (config.check?.mutant === 2 && first >= 250 ? { schedules: 7, finding: late } : {});
  const { code, out } = await cli(['--mutants', '--schedules', '1000']);
  expect(code).toBe(1);
  expect(out).toMatch(/mutant-1 +SURVIVED +1,000 +wrong 1\nmutant-2 +race +507 +wrong 2\n\n1 of 2 mutants survived\n$/);
  // First the protocol as it is, then each mutant in its scenarios in turn.
  expect(binding.explorations.map(({ config }) => config.check?.mutant).slice(0, 5)).toEqual([0, 0, 1, 1, 1]);
  expect(binding.explorations[2]).toMatchObject({ config: { check: { module: '/m.so', scheduler: 'portfolio' } }, limits: { schedules: 250, first: 0, shrink: false } });
  expect(binding.explorations.slice(2, 6).map(({ limits }) => limits.first)).toEqual([0, 0, 250, 250]);
  binding.explored = (_, __, config) => (config.check?.mutant === 0 ? {} : { schedules: 18, finding });
  const killed = await cli(['--mutants', '--json']);
  expect(killed.code).toBe(0);
  expect(JSON.parse(killed.out)).toMatchObject({
    killed: 2, survived: 0, control: [],
    mutants: [{ name: 'mutant-1', killed: true, killedBy: 'race', schedules: 18 }, { name: 'mutant-2', killed: true, killedBy: 'race', schedules: 18 }],
  });
});

test('a net that catches the protocol as it is proves nothing', async () => {
  binding.explored = () => ({ schedules: 18, finding });
  const { code, out } = await cli(['--mutants']);
  expect(code).toBe(1);
  expect(out).toContain('all 2 mutants were killed\nFAILED without a mutant, so kills prove nothing: scenario 0: race: two writes to byte 3 (schedule 18)\n');
});

test('a mutant of the policy is seen by what it counts', async () => {
  const scenario = { ...scenarioAt(0, 0), counters: { hits: 0, misses: 1 } }; // the binding for tests counts so
  const counted = async (counters: Scenario['counters'] & object) => {
    const mutant: Mutant = { name: 'policy', summary: '', number: 5, scenarios: [{ ...scenario, counters }] };
    return JSON.parse((await cli(['--mutants', '--json', '--schedules', '10'], { mutants: () => [mutant] })).out) as object;
  };
  expect(await counted({ hits: 0, misses: 1 })).toMatchObject({ mutants: [{ killed: false, schedules: 10 }] });
  expect(await counted({ hits: 4, misses: 1 })).toMatchObject({ mutants: [{ killedBy: 'wrong_result', schedules: 1 }] });
  expect(binding.configs.at(-1)).toMatchObject({ check: { module: '/m.so', mutant: 5 } });
});

test.each([
  [['--seed', 'abc'], "option '--seed <number>' argument 'abc' is invalid. It is not a whole number from 0 to 4294967295."],
  [['--seed', '-1'], "argument '-1' is invalid"],
  [['--schedules', '0'], "option '--schedules <count>' argument '0' is invalid. It is not a whole number from 1 to 2147483647."],
  [['--minutes', '0'], "argument '0' is invalid"],
  [['--scheduler', 'dfs'], "argument 'dfs' is invalid. Allowed choices are random, pct, pos, portfolio, exhaustive."],
  [['--memory', 'tso'], 'Allowed choices are sc, relaxed.'],
  [['--lanes', '33'], 'It is not a whole number from 1 to 32.'],
  [['--replay', '/nowhere/x.json'], 'replay file /nowhere/x.json: no such file'],
  [['--replay', 'x.json', '--mutants'], "option '--mutants' does not go with '--replay'"],
  [['--replay', 'x.json', '--seed', '5'], "option '--seed' does not go with '--replay'"],
  [['--mutants', '--memory', 'sc'], "option '--memory' does not go with '--mutants'"],
  [['--scheduler', 'exhaustive', '--memory', 'relaxed'], "option '--scheduler exhaustive' goes with '--memory sc' alone"],
])('bad usage: %s', async (words, message) => {
  const { code, out, error } = await cli(words);
  expect(code).toBe(2);
  expect(error).toContain(message);
  expect(out).toBe('');
  expect(binding.explorations).toEqual([]);
  expect(JSON.parse((await cli([...words, '--json'])).out)).toHaveProperty('error');
});

test('a replay file of another version ends with 2', async () => {
  const file = join(folder, 'old.json');
  writeFileSync(file, '{"version":0}');
  const { code, error } = await cli(['--replay', file]);
  expect(code).toBe(2);
  expect(error).toBe(`[warpfs] replay file ${file}: version: 0 is not 1, the version of replay files that this version of WarpFS reads\n`);
});

test('what the addon throws is said, and no folder stays behind', async () => {
  binding.explored = () => {
    throw Object.assign(new Error('no memory for that'), { code: 'ENOMEM' });
  };
  const { code, error } = await cli([]);
  expect(code).toBe(1);
  expect(error).toBe('[warpfs] check scenario 0: ENOMEM no memory for that\n');
  expect(existsSync(dirname(binding.explorations[0]?.config.root ?? '/'))).toBe(false);
});

test('the command as it is has mutants, each with programs that show it', () => {
  const real = checkTools.mutants();
  expect(real.length).toBeGreaterThanOrEqual(40);
  expect(real.every(({ number, scenarios }, index) => number === index + 1 && scenarios.length > 0)).toBe(true);
});
