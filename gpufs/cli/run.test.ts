// `warpfs run` with an experiment about sheep: no device is needed to see what is measured, written, refused and stopped.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Row } from '../../experiments/rows.ts';
import { runCli } from './cli.ts';
import { checkTools } from './check_tools.ts';
import { sheepCatalogue, type SheepSettings } from './sheep_for_tests.ts';

const folder = mkdtempSync(join(tmpdir(), 'warpfs-run-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(line: string, settings: SheepSettings = {}): Promise<{ code: number; out: string; error: string }> {
  let [out, error] = ['', ''];
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const code = await runCli(line.split(' '), streams, { experiments: sheepCatalogue(settings), benchmarks: [], check: checkTools });
  return { code, out, error };
}

function rowsIn(text: string): Row[] {
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as Row);
}

test('each system is measured at each point, and the run that warms up does not count', async () => {
  const out = join(folder, 'all');
  const { code, out: text } = await run(`run count_sheep --device cpu --runs 3 --seed 9 --out ${out} --json`);
  expect(code).toBe(0);
  const rows = rowsIn(text);
  expect(rows.map(({ system, parameters }) => [system, parameters])).toEqual([['fast', { size: 5 }], ['wool', { size: 5 }], ['fast', { size: 7 }], ['wool', { size: 7 }]]);
  expect(rows[0]).toMatchObject({ format: 1, experiment: 'count_sheep', device: 'cpu', metric: 'rate', unit: 'sheep/s', values: [1, 2, 3], value: 2, low: 1, high: 3, verified: true, seed: 9, profile: 'usual' });
  expect(rows[0]?.machine.node).toBe(process.version);
  expect(rowsIn(readFileSync(join(out, 'count_sheep.jsonl'), 'utf8'))).toEqual(rows);
});

test('the table has the prediction beside the result', async () => {
  const usual = await run(`run count_sheep --device cpu --runs 3 --out ${join(folder, 'table')}`);
  expect(usual.out).toMatch(/size +system +rate \(sheep\/s\)\n/);
  expect(usual.out).toMatch(/fast beside wool +1 to 2 +2 +x +as predicted/);
  expect(usual.out).toContain('every answer was right in 3 runs of each');
  const other = await run(`run count_sheep --device cpu --runs 3 --out ${join(folder, 'table')}`, { measure: () => ({ values: { rate: 5 } }) });
  expect(other.out).toMatch(/fast beside wool +1 to 2 +5 +x +otherwise/);
  const tiny = await run(`run count_sheep --device cpu --sheep-size 5 --tiny --out ${join(folder, 'table')}`);
  expect(tiny.out).toMatch(/fast beside wool +1 to 2 +1 +x +tiny sizes say nothing/);
});

test('a wrong answer has no number, does not stop the others, and is the exit code', async () => {
  const measure = (system: string, round: number) => ({ values: { rate: 1 }, failure: system === 'wool' && round === 2 ? 'byte 7 came out wrong' : undefined });
  const { code, out } = await run(`run count_sheep --device cpu --runs 3 --sheep-size 5 --json --out ${join(folder, 'wrong')}`, { measure });
  expect(code).toBe(1);
  expect(rowsIn(out)).toMatchObject([{ system: 'fast', value: 1, verified: true }, { system: 'wool', value: null, values: [], verified: false, failure: 'byte 7 came out wrong' }]);
  const shown = await run(`run all --device cpu --runs 3 --out ${join(folder, 'wrong')}`, { measure });
  expect(shown.code).toBe(1);
  expect(shown.out).toContain('FAILED wool, size 5: byte 7 came out wrong');
  expect(shown.out).toContain('NOT every answer was right');
});

test('systems are chosen, and one that cannot do its job says why', async () => {
  const chosen = await run(`run count_sheep --device cpu --tiny --systems wool --json --out ${join(folder, 'chosen')}`);
  expect(rowsIn(chosen.out).map(({ system }) => system)).toEqual(['wool']);
  const { out, code } = await run(`run count_sheep --device cpu --tiny --out ${join(folder, 'chosen')}`, { cannot: 'wool is too warm' });
  expect(code).toBe(0);
  expect(out).toContain('left out wool: wool is too warm');
  expect((await run(`run count_sheep --device cpu --tiny --json --out ${join(folder, 'chosen')}`, { cannot: 'wool is too warm' })).error).toBe('left out wool: wool is too warm\n');
});

test('a system with flaws is given them, and has a name of its own wherever it is shown', async () => {
  const out = join(folder, 'flaws');
  const given: unknown[] = [];
  const measure = (system: string, _: number, flaws?: readonly string[]) => {
    given.push([system, flaws]);
    return { values: { rate: 1 } };
  };
  const json = await run(`run count_sheep --device cpu --tiny --flaws wool.shrunk,wool.moth_eaten --json --out ${out}`, { measure });
  expect(given.slice(0, 2)).toEqual([['fast', undefined], ['wool', ['moth_eaten', 'shrunk']]]);
  expect(rowsIn(json.out).map((row) => [row.system, row.flaws])).toEqual([['fast', undefined], ['wool', ['moth_eaten', 'shrunk']]]);
  const shown = await run(`run count_sheep --device cpu --tiny --flaws wool.shrunk --out ${out}`, { measure: () => ({ values: {}, failure: 'a wolf came' }) });
  expect(shown.out).toContain('FAILED wool+shrunk, size 2: a wolf came');
  expect(shown.out).toMatch(/2 +wool\+shrunk +FAILED/);
});

test.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s keeps what was measured so far', async (signal, exit) => {
  const listeners = process.listenerCount(signal);
  const measure = (system: string, round: number) => {
    if (system === 'wool' && round === 2) process.emit(signal, signal);
    return { values: { rate: round } };
  };
  const out = join(folder, signal);
  const { code, error } = await run(`run count_sheep --device cpu --runs 50 --out ${out}`, { measure });
  expect(code).toBe(exit);
  expect(process.listenerCount(signal)).toBe(listeners);
  expect(error).toContain(`what was measured so far is in ${out}`);
  const rows = rowsIn(readFileSync(join(out, 'count_sheep.jsonl'), 'utf8'));
  expect(rows.map(({ system }) => system)).toEqual(['fast', 'wool']);
  for (const { values } of rows) expect(values.length).toBeLessThan(3);
  expect(rows[1]?.values).toEqual([1, 2]);
});

test('an output folder that cannot be written is said before anything is measured', async () => {
  const blocked = join(folder, 'file');
  writeFileSync(blocked, '');
  let measured = 0;
  const measure = () => ({ values: { rate: ++measured } });
  const { code, error, out } = await run(`run count_sheep --device cpu --json --out ${join(blocked, 'below')}`, { measure });
  expect(code).toBe(1);
  expect(error).toContain('option out: results cannot be written to');
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'ERR_FAILED' } });
  if (process.getuid?.() !== 0) {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    expect((await run(`run count_sheep --device cpu --out ${closed}`, { measure })).error).toContain('EACCES');
  }
  expect(measured).toBe(0);
});

test('a device that is absent is said before anything is measured', async () => {
  let measured = 0;
  const { code, error } = await run(`run count_sheep --device metal --out ${join(folder, 'metal')}`, { measure: () => ({ values: { rate: ++measured } }) });
  expect(code).toBe(1);
  expect(error).toContain('option device: "metal" is not available');
  expect(measured).toBe(0);
});
