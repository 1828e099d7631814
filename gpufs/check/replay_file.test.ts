import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindingForTests } from '../binding_for_tests.ts';
import { WarpfsError } from '../errors.ts';
import type { NativeFinding } from '../native_check.ts';
import type { Scenario } from './campaign_scenario.ts';
import { prepare } from './exploration.ts';
import { makeReplay, parseReplay, readReplay, replayText, writeReplay } from './replay_file.ts';
import { runReplay } from './replay_run.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-replay-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const scenario: Scenario = {
  name: 'two writers',
  programs: [
    [
      { op: 'open', path: 'a/b', mode: 'r+' },
      { op: 'write', file: 0, offset: 1, data: Uint8Array.of(0, 255) },
      { op: 'prefetch', file: 0, offset: 2n ** 60n, length: 1 },
      { op: 'read', file: 0, offset: 5, length: 3 },
    ],
  ],
  files: [{ path: 'a/b', bytes: Uint8Array.of(1, 2) }],
  config: { wait: 'replay', cache: { lines: 2, lineBytes: 512 } },
  faults: { eio: 7 },
};
const finding: NativeFinding = {
  kind: 'dirty_lost', message: 'byte 3', schedule: 41, actors: [], decisions: Uint32Array.of(0, 3, 0, 1, 1, 9, 4, 2 ** 32 - 1), traceHash: '0123456789abcdef',
};

function stored() {
  const { config } = prepare(bindingForTests(), scenario, { seed: 9 }, '/machine/folder');
  return makeReplay(config, { kind: 'programs', scenario }, finding, 7);
}

test('a failure comes back as it was stored, without the machine that stored it', async () => {
  const path = join(folder, 'fine.json');
  await writeReplay(path, stored());
  const replay = await readReplay(path);
  expect(replay.scenario).toMatchObject({ kind: 'programs', scenario: { ...scenario, faults: { eio: 7, die: 0 } } });
  expect(replay.decisions).toEqual(finding.decisions);
  expect(replay.config).toMatchObject({ wait: 'replay', lineCount: 2, check: { seed: 9, faults: { eio: 7 }, module: '', mutant: 0 } });
  expect(replay.finding).toEqual({ kind: 'dirty_lost', message: 'byte 3', seed: 7, schedule: 41 });
  expect(JSON.parse(replayText(replay))).toEqual(JSON.parse(replayText(stored())));
  expect(replayText(replay)).not.toContain('/machine');
});

test('the same schedule is run again, and what it shows is said', async () => {
  const binding = bindingForTests();
  binding.explored = (_, { decisions }) => (decisions === undefined ? {} : { finding: { ...finding, decisions } });
  const again = await runReplay(binding, stored(), () => undefined, '/root', true);
  expect(again).toMatchObject({ finding: { kind: 'dirty_lost' }, sameTrace: true });
  expect(binding.explorations[0]).toMatchObject({ config: { root: '/root' }, limits: { schedules: 1, trace: true, shrink: false, decisions: finding.decisions } });
  const unsteady = { ...stored(), finding: { ...stored().finding, kind: 'nondeterminism' } };
  await runReplay(binding, unsteady, () => undefined, '/root', false);
  expect(binding.explorations.map(({ limits }) => limits.twice)).toEqual([false, true]);
  binding.explored = undefined;
  expect(await runReplay(binding, stored(), () => undefined, '/root', false)).toMatchObject({ finding: undefined, sameTrace: false });
  const judged = await runReplay(binding, stored(), () => ({ kind: 'wrong_file', message: 'byte 0' }), '/root', false);
  expect(judged.finding).toMatchObject({ kind: 'wrong_file', message: 'byte 0', decisions: new Uint32Array(0) });
});

test('a scenario of buffers keeps what is one buffer', async () => {
  const { encoded, config } = prepare(bindingForTests(), scenario, {}, '/r');
  const text = replayText(makeReplay(config, { kind: 'buffers', name: 'raw', native: encoded.native }, finding, 7));
  const replay = parseReplay(text, 'x');
  if (replay.scenario.kind !== 'buffers') throw new Error('not buffers');
  expect(replay.scenario.native).toEqual(encoded.native);
  const [opening, rest] = replay.scenario.native.dispatches;
  expect(opening?.buffers[2]).toBe(rest?.buffers[2]);
  expect(opening?.buffers[1]).not.toBe(rest?.buffers[1]);
  expect(text.length).toBeLessThan(4000);
  const binding = bindingForTests();
  await runReplay(binding, replay, () => undefined, '/r', false);
  expect(binding.explorations[0]?.scenario).toBe(replay.scenario.native);
});

type Change = (json: Record<string, any>) => void; // oxlint-disable-line typescript/no-explicit-any

test.each<[string, Change, string]>([
  ['another version', (json) => (json['version'] = 2), 'version: 2 is not 1, the version of replay files that this version of WarpFS reads'],
  ['another layout', (json) => (json['abiHash'] = '0x00000001'), 'abiHash: "0x00000001" is not "0x'],
  ['another WarpFS', (json) => (json['warpfs'] = '9.9.9'), 'warpfs: "9.9.9" is not "'],
  ['a missing field', (json) => delete json['config'].lineBytes, 'config.lineBytes: undefined is not a power of two from 512 to 65536'],
  ['a wrong type', (json) => (json['config'].check.seed = 'abc'), 'config.check.seed: "abc" is not a whole number from 0 to 4294967295'],
  ['an unknown field', (json) => (json['config'].check.sede = 1), 'config.check.sede does not exist'],
  ['a module', (json) => (json['config'].check.module = '/bin/sh'), 'config.check.module does not exist'],
  ['an unknown scheduler', (json) => (json['config'].check.scheduler = 'dfs'), 'config.check.scheduler: "dfs" is not one of random'],
  ['half a decision', (json) => json['decisions'].push([1, 2]), 'decisions.2: [1,2] is not a decision: actor, step, kind, value'],
  ['a decision of words', (json) => (json['decisions'][1][3] = 2 ** 32), 'decisions.1.3: 4294967296 is not a whole number from 0 to 4294967295'],
  ['a file outside', (json) => (json['scenario'].files[0].path = '../../x'), 'scenario.files.0.path: "../../x" is not a path below the root'],
  ['an absolute file', (json) => (json['scenario'].files[0].path = '/etc/x'), 'scenario.files.0.path: "/etc/x" is not a path below the root'],
  ['broken bytes', (json) => (json['scenario'].files[0].bytes = 'a'), 'scenario.files.0.bytes: "a" is not bytes in base64'],
  ['another kind', (json) => (json['scenario'].kind = 'x'), 'scenario.kind: "x" is not "programs" or "buffers"'],
  ['a wrong step', (json) => (json['scenario'].programs[0][2].file = 3), 'program[0][2].file: 3 is not the index of an open'],
  ['an unknown step', (json) => (json['scenario'].programs[0][2] = 5), 'scenario.programs.0.2: 5 is not an operation'],
  ['a wrong option', (json) => (json['scenario'].config.wiat = 1), 'option wiat does not exist; did you mean wait?'],
  ['a wrong hash', (json) => (json['traceHash'] = 'zz'), 'traceHash: "zz" is not 16 hex digits'],
])('%s is refused with the file, the value and the rule', (_, change, message) => {
  const json = JSON.parse(replayText(stored())) as Record<string, unknown>;
  change(json);
  expect(() => parseReplay(JSON.stringify(json), 'f.json')).toThrow(expect.objectContaining({ code: 'ERR_WARPFS_OPTION' }) as Error);
  expect(() => parseReplay(JSON.stringify(json), 'f.json')).toThrow(`[warpfs] replay file f.json: ${message}`);
});

test('what is no replay file at all', async () => {
  const path = join(folder, 'broken.json');
  writeFileSync(path, '{"version": 1,');
  await expect(readReplay(path)).rejects.toThrow(`replay file ${path}: not JSON: `);
  await expect(readReplay(join(folder, 'none'))).rejects.toThrow('no such file');
  await expect(readReplay(folder)).rejects.toThrow('not a file');
  for (const text of ['null', '[]', '5', '"x"', '{}']) {
    expect(() => parseReplay(text, 'x')).toThrow(WarpfsError);
  }
  expect(() => parseReplay('[]', 'x')).toThrow('replay file x: [] is not an object');
});
