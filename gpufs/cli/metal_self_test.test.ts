// The command and its file, with a GPU that a test plays. The probes themselves: native/metal_fake/probes_test.mm.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BindingForTests, bindingForTests } from '../binding_for_tests.ts';
import type { MetalVerdict, NativeMetalProbe } from '../native_metal.ts';
import { runMetalSelfTest, type SelfTestFile } from './metal_self_test.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-self-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const probe = (name: string, verdict: NativeMetalProbe['verdict']): NativeMetalProbe => ({
  name, question: `${name}?`, method: 'by playing', numbers: verdict === 'running' ? {} : { rounds: 3 }, verdict, text: verdict === 'running' ? '' : `what ${name} says`, seconds: 0.25,
});

interface Played {
  binding: BindingForTests;
  /** What was in the file whenever a probe began. */
  seen: SelfTestFile[];
  texts: string[];
}

/** A Mac whose probes end like this. */
function mac(file: string, verdicts: readonly MetalVerdict[]): Played {
  const binding = bindingForTests();
  const played: Played = { binding, seen: [], texts: [] };
  binding.metalSight = () => ({ obstacle: '', name: 'Apple M2', memoryBytes: 2 ** 34 });
  binding.metalMachine = () => ({ gpu: 'Apple M2', system: '15.1.0', memoryBytes: 2 ** 34, bufferBytesMax: 2 ** 33, appleFamily: 8, paravirtual: false, fake: false });
  binding.metalSelfTest = async ({ texts }, told) => {
    played.texts = [texts, ...readdirSync(texts)];
    for (const [index, verdict] of verdicts.entries()) {
      told(probe(`probe_${index}`, 'running'));
      played.seen.push(readFile(file));
      await Promise.resolve();
      told(probe(`probe_${index}`, verdict));
    }
  };
  return played;
}

const readFile = (file: string): SelfTestFile => JSON.parse(readFileSync(file, 'utf8')) as SelfTestFile;

async function selfTest(file: string, binding: BindingForTests, json = false): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const code = await runMetalSelfTest(streams, { file, json }, { binding: () => binding });
  return { code, out, error };
}

test('answers are shown as they come, and written where it says', async () => {
  const file = join(folder, 'fine.json');
  const { binding } = mac(file, ['as expected', 'as expected']);
  const { code, out, error } = await selfTest(file, binding);
  expect(code).toBe(0);
  expect(error.split('\n').slice(1)).toEqual(['probe_0: as expected: what probe_0 says', 'probe_1: as expected: what probe_1 says', '']);
  expect(out).toContain('Apple M2, macOS 15.1.0\n');
  expect(out).toMatch(/^probe_1 +as expected +0\.3$/m);
  expect(out).toContain(`\nwritten: ${file}\n`);
  const report = readFile(file);
  expect(report).toMatchObject({ command: 'doctor', format: 1, complete: true, machine: { gpu: 'Apple M2', system: '15.1.0', appleFamily: 8, paravirtual: false, fake: false } });
  expect(report).not.toHaveProperty('note');
  expect(report).not.toHaveProperty('running');
  expect(report.probes).toEqual([probe('probe_0', 'as expected'), probe('probe_1', 'as expected')]);
  expect(new Date(report.date).getTime()).toBeGreaterThan(0);
  expect((await selfTest(file, binding)).out).toContain(`\nwritten over what was there: ${file}\n`);
});

test('kernels are given as texts in a folder that goes', async () => {
  const file = join(folder, 'texts.json');
  const played = mac(file, []);
  await selfTest(file, played.binding);
  const [texts, ...names] = played.texts;
  expect(names).toContain('stores_system.metal');
  expect(existsSync(texts as string)).toBe(false);
});

test('whoever finds the file of a machine that stopped knows which probe it was', async () => {
  const file = join(folder, 'stopped.json');
  const { binding, seen } = mac(file, ['as expected', 'not as expected', 'failed']);
  expect((await selfTest(file, binding)).code).toBe(1);
  expect(seen.map(({ complete, running, probes }) => [complete, running, probes.length])).toEqual([[false, 'probe_0', 0], [false, 'probe_1', 1], [false, 'probe_2', 2]]);
});

test('with json there is one line, which is what the file has', async () => {
  const file = join(folder, 'json.json');
  const { binding } = mac(file, ['as expected']);
  binding.metalMachine = () => ({ gpu: 'fake Metal', system: '15.0.0', memoryBytes: 1, bufferBytesMax: 1, appleFamily: 7, paravirtual: false, fake: true });
  const { out, error } = await selfTest(file, binding, true);
  expect(out.indexOf('\n')).toBe(out.length - 1);
  expect(JSON.parse(out)).toEqual(readFile(file));
  expect(readFile(file).note).toMatch(/^fake: /);
  expect(error).toBe(`written: ${file}\n`);
});

test('without Metal it says why, and writes nothing', async () => {
  const file = join(folder, 'none.json');
  await expect(selfTest(file, bindingForTests())).rejects.toMatchObject({ code: 'ERR_WARPFS_DEVICE', message: expect.stringContaining('there is no Metal to ask: no Metal in a test') });
  expect(existsSync(file)).toBe(false);
});

test('a file that cannot be written is told before anything is asked', async () => {
  const file = join(folder, 'missing', 'x.json');
  const played = mac(file, ['as expected']);
  await expect(selfTest(file, played.binding)).rejects.toMatchObject({ code: 'ERR_WARPFS_OPTION', message: expect.stringContaining(`cannot write ${file}`) });
  expect(played.texts).toEqual([]);
});

test('a disk that is full later is told as well', async () => {
  const later = join(folder, 'later');
  const file = join(later, 'x.json');
  const { binding } = mac(file, []);
  mkdirSync(later);
  binding.metalSelfTest = async (_, told) => {
    rmSync(later, { recursive: true });
    told(probe('first', 'running')); // the addon takes no exception
  };
  await expect(selfTest(file, binding)).rejects.toMatchObject({ code: 'ERR_WARPFS_OPTION' });
});

test('a self-test that breaks keeps what was found', async () => {
  const file = join(folder, 'broken.json');
  writeFileSync(file, 'something else');
  const { binding } = mac(file, []);
  binding.metalSelfTest = async (_, told) => {
    told(probe('first', 'running'));
    told(probe('first', 'as expected'));
    throw Object.assign(new Error('gone'), { code: 'ERR_WARPFS_DEVICE' });
  };
  await expect(selfTest(file, binding)).rejects.toMatchObject({ code: 'ERR_WARPFS_DEVICE', message: expect.stringContaining('gone') });
  expect(readFile(file)).toMatchObject({ complete: false, probes: [{ name: 'first' }] });
});
