import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clock } from '../../cache/clock.ts';
import { cacheGeometry } from '../../cache/geometry.ts';
import { simulate } from '../../cache/simulate.ts';
import { shadersRoot } from '../../gpufs/package_root.ts';
import { checkPrograms } from '../../gpufs/program_check.ts';
import { LINE_BYTES } from './mutant_scenario_parts.ts';
import { mutantScenarios } from './mutant_scenarios.ts';
import { type Mutant, mutantNumber, mutants } from './mutants.ts';
import { mutatedHeader, writeMutatedShaders } from './mutate.ts';

const headers = new Map(readdirSync(shadersRoot).filter((name) => name.endsWith('.h')).map((name) => [name, readFileSync(join(shadersRoot, name), 'utf8')]));
const places = [...new Map(mutants.map((mutant) => [`${mutant.file} ${mutant.original}`, mutant])).values()];
const textOf = (file: string): string => headers.get(file) ?? '';
const countOf = (text: string, part: string): number => text.split(part).length - 1;

test('there are enough of them, each with a name of its own', () => {
  expect(mutants.length).toBeGreaterThanOrEqual(180);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(mutants.filter(({ name }) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name))).toEqual([]);
  expect(mutants.filter(({ note }) => !/^\w.*\.$/.test(note))).toEqual([]);
});

test('each changes a text that its header has exactly once', () => {
  expect(mutants.filter(({ file, original }) => countOf(textOf(file), original) !== 1).map(({ name }) => name)).toEqual([]);
  const same = (text: string): string => text.replaceAll(/\s+/g, '');
  expect(mutants.filter(({ original, mutated }) => same(original) === same(mutated)).map(({ name }) => name)).toEqual([]);
});

test('no two do the same to one place', () => {
  const changes = mutants.map(({ file, original, mutated }) => `${file} ${original} ${mutated}`);
  expect(new Set(changes).size).toBe(changes.length);
});

test('originals are whole: brackets match, and nothing behind them is swallowed', () => {
  for (const { name, form, original, mutated } of mutants) {
    for (const [opening, closing] of [['(', ')'], ['{', '}'], ['[', ']']] as const) {
      expect(countOf(original, opening), name).toBe(countOf(original, closing));
      expect(countOf(mutated, opening), name).toBe(countOf(mutated, closing));
    }
    expect(original.split('\n').at(-1), name).not.toContain('//');
    expect(`${original}${mutated}`, name).not.toMatch(/^\s*#/m);
    if (form === 'statement') expect(original, name).toMatch(/[;}]$/);
    else expect(`${original}${mutated}`, name).not.toMatch(/[;{}]/);
  }
});

test('headers without mutants stay as they are', () => {
  for (const [file, text] of headers) expect(mutatedHeader(file, text, [], mutantNumber)).toBe(text);
  const elsewhere = mutants.filter(({ file }) => file === 'ring.h');
  expect(mutatedHeader('cache.h', textOf('cache.h'), elsewhere, mutantNumber)).toBe(textOf('cache.h'));
});

test('line numbers stay as they are', () => {
  for (const [file, text] of headers) {
    const before = text.split('\n');
    const after = mutatedHeader(file, text, mutants, mutantNumber).split('\n');
    expect(after.length, file).toBe(before.length);
    const changed = before.filter((line, index) => !after[index]?.includes(line.trim()));
    // What differs are first and last lines of originals, which the choice is written around.
    expect(changed.filter((line) => !places.some((place) => place.file === file && line.includes(place.original.split('\n')[0] as string)))).toEqual([]);
  }
});

test('every mutant can be chosen, by its number, in the file that it is about', () => {
  const woven = [...headers].map(([file, text]) => mutatedHeader(file, text, mutants, mutantNumber)).join('');
  const chosen = [...woven.matchAll(/::warpfs_mutant == (\d+)u/g)].map((match) => Number(match[1])).toSorted((x, y) => x - y);
  expect(chosen).toEqual(mutants.map((_, index) => index + 1));
  expect(countOf(woven, 'extern "C" unsigned warpfs_mutant;')).toBe(1);
});

test('numbers depend on the list alone', () => {
  expect(mutants.map(({ name }) => mutantNumber(name))).toEqual(mutants.map((_, index) => index + 1));
  expect(() => mutantNumber('no-such-mutant')).toThrow('no-such-mutant');
  const numbersIn = (list: readonly Mutant[]): string[] => [...mutatedHeader('cache_set.h', textOf('cache_set.h'), list, mutantNumber).matchAll(/warpfs_mutant == (\d+)u/g)].map((match) => match[1] as string);
  expect(numbersIn(mutants.toReversed()).toSorted()).toEqual(numbersIn(mutants).toSorted());
});

test('statements and expressions become choices, several of one place a chain', () => {
  const mutant = (name: string, form: Mutant['form'], original: string, mutated: string): Mutant => ({ name, file: 'x.h', form, original, mutated, note: '', scenario: 'same-page' });
  const text = 'if (left == right)\n  call(1,\n       2);\n';
  const chain = [mutant('first', 'statement', 'call(1,\n       2);', 'call(2,\n     // not 3\n     1);'), mutant('second', 'statement', 'call(1,\n       2);', '')];
  const compare = mutant('third', 'expression', 'left == right', 'true');
  const woven = mutatedHeader('x.h', text, [...chain, compare], (name) => ['first', 'second', 'third'].indexOf(name) + 1);
  expect(woven).toBe(
    'if ((::warpfs_mutant == 3u ? (true) : (left == right)))\n' +
      '  { if (::warpfs_mutant == 1u) { call(2, 1); } else if (::warpfs_mutant == 2u) {  } else { call(1,\n       2); } }\n',
  );
});

test('what cannot be woven is an error', () => {
  const of = (original: string): Mutant => ({ ...(mutants[0] as Mutant), file: 'x.h', form: 'statement', original });
  const weave = (text: string, ...originals: string[]) => () => mutatedHeader('x.h', text, originals.map(of), () => 1);
  expect(weave('b;', 'a;')).toThrow('does not have "a;"');
  expect(weave('a; a;', 'a;')).toThrow('more than once');
  expect(weave('a; b; c;', 'a; b;', 'b; c;')).toThrow('overlap');
});

test('the tree that is written is complete', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'warpfs-mutants-'));
  try {
    writeMutatedShaders(folder);
    for (const [file, text] of headers) expect(readFileSync(join(folder, 'shaders', file), 'utf8')).toBe(mutatedHeader(file, text, mutants, mutantNumber));
    for (const file of ['abi/abi.h', 'host/cpu/builtin.h', 'shaders/builtin_cpu.cpp', 'shaders/dialect/cpu.h', 'shaders/entry/cpu.h']) {
      expect(readFileSync(join(folder, file), 'utf8')).toBe(readFileSync(join(shadersRoot, '..', file), 'utf8'));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('scenarios are small, valid, and each is needed', () => {
  for (const { name, programs, config } of Object.values(mutantScenarios)) {
    expect(() => checkPrograms(programs), name).not.toThrow();
    expect(programs.length, name).toBeLessThanOrEqual(3);
    expect(config.cache?.lines, name).toBeLessThanOrEqual(3);
  }
  expect(new Set(mutants.map(({ scenario }) => scenario))).toEqual(new Set(Object.keys(mutantScenarios)));
});

test('the counters of a scenario are those of the simulator', () => {
  for (const { name, programs, config, counters } of Object.values(mutantScenarios)) {
    if (counters === undefined || !('hits' in counters)) continue;
    const pages = (programs[0] ?? []).flatMap((step) => (step.op === 'read' ? [{ fileId: 1, page: BigInt(step.offset) / BigInt(LINE_BYTES) }] : []));
    const { hits, misses } = simulate(cacheGeometry(config.cache?.lines ?? 0, LINE_BYTES), clock, pages);
    expect({ hits, misses }, name).toEqual(counters);
  }
});
