import { expect, test } from 'vitest';
import type { Benchmark } from '../bench/benchmark.ts';
import { benchmarks } from '../bench/index.ts';
import { type CudaSight, describeCuda, lookForCuda } from '../cuda_sight.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { checkTools } from './check_tools.ts';
import { type Catalogue, runCli } from './cli.ts';
import { sheepCatalogue } from './sheep_for_tests.ts';
import { formatTable } from './table.ts';

let measured = 0;
const counting: Benchmark = { name: 'count_calls', unit: 'calls', question: '?', atLeast: 2, prepare: async () => ({ run: async () => ++measured }) };
const failing: Benchmark = { name: 'fails', unit: 'x', question: '?', prepare: async () => Promise.reject(new Error('no luck')) };

async function cli(line: string, catalogue: Partial<Catalogue> = {}): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const code = await runCli(line.split(' '), streams, { experiments: sheepCatalogue(), benchmarks: [counting], check: checkTools, ...catalogue });
  return { code, out, error };
}

function oneObject(out: string): Record<string, unknown> {
  expect(out.endsWith('\n')).toBe(true);
  expect(out.trimEnd()).not.toContain('\n');
  return JSON.parse(out) as Record<string, unknown>;
}

test('every command explains itself', async () => {
  for (const command of ['', 'doctor ', 'run ', 'run count_sheep ', 'bench ', 'check ', 'exercise ', 'media ', 'report ', 'shaders ']) {
    const { code, out } = await cli(`${command}--help`);
    expect(code).toBe(0);
    expect(out).toContain('Usage: warpfs');
  }
  const help = (await cli('run count_sheep --help')).out.replace(/\s+/g, ' ');
  expect(help).toContain('--sheep-size <counts> size (default: 5,7)');
  expect(help).toContain('--flaws <names> published mistakes that systems are given, each SYSTEM.FLAW');
  expect((await cli('run --help')).out).toContain('--list-systems');
});

test.each([
  ['run wool', "unknown experiment 'wool'. Known: count_sheep"],
  ['run count_shep --seed 5', "unknown experiment 'count_shep'. Did you mean count_sheep?"],
  ['run', 'which experiment? Known: count_sheep; or all'],
  ['run count_sheep --sheep-size 10', "option '--sheep-size <counts>' argument '10' is invalid. Each value must be a whole number from 1 to 9"],
  ['run count_sheep --sheep-size 1,,2', "argument '1,,2' is invalid"],
  ['run count_sheep --flocks 1.5', "option '--flocks <count>' argument '1.5' is invalid. It is not a whole number from 1 to 9."],
  ['run count_sheep --twins 6', "option '--twins <count>' argument '6' is invalid. It is not a power of two from 1 to 9."],
  ['run count_sheep --flocks 1,2', "argument '1,2' is invalid"],
  ['run count_sheep --systems fast,wol', "unknown system 'wol'. Did you mean wool? Known: fast, wool"],
  ['run count_sheep --flaws wool.moth_eatn', "unknown flaw 'wool.moth_eatn'. Did you mean wool.moth_eaten? Known: wool.moth_eaten, wool.shrunk"],
  ['run count_sheep --flaws moth_eaten', 'Known: wool.moth_eaten, wool.shrunk'],
  ['run count_sheep --flaws wool.shrunk --systems fast', 'flaws of wool are wanted, which is not one of the systems that are to run: fast'],
  ['run count_sheep --tiny --full', 'cannot be used with'],
  ['run count_sheep --seed -1', '--seed'],
  ['run count_sheep --device tpu', "argument 'tpu' is invalid. Allowed choices are auto, cpu, cuda, metal."],
  ['run count_sheep --sise 5', "unknown option '--sise'"],
  ['bench --runs 4', "option '--runs <count>' argument '4' is invalid. It is not a whole number from 5 to 1000."],
  ['bench count_call', "unknown benchmark 'count_call'. Did you mean count_calls?"],
  ['shaders', "required option '--dialect <name>' not specified"],
  ['shaders --dialect hlsl', 'Allowed choices are cpu, cuda, metal.'],
  ['doktor', "unknown command 'doktor'"],
])('bad usage: %s', async (line, message) => {
  const { code, out, error } = await cli(line);
  expect(code).toBe(2);
  expect(error).toContain(message);
  expect(out).toBe('');
  expect(oneObject((await cli(`${line} --json`)).out)).toMatchObject({ error: { code: 'ERR_USAGE' } });
});

test('systems are shown with what they model and their flaws', async () => {
  const { code, out } = await cli('run --list-systems', { experiments: sheepCatalogue() });
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual([
    'fast: a shepherd', 'wool: a shepherd', '  --flaws wool.moth_eaten: its holes are counted as sheep', '  --flaws wool.shrunk: it was washed too hot', '',
  ]);
});

test('benchmarks run five times or more, and one that fails is said and does not stop the others', async () => {
  measured = 0;
  const { code, out } = await cli('bench --json --runs 5', { benchmarks: [failing, counting] });
  expect(code).toBe(1);
  expect(oneObject(out)).toMatchObject({
    command: 'bench',
    rows: [
      { name: 'fails', error: 'no luck' },
      { name: 'count_calls', value: 3, median: 3, min: 1, max: 5, runs: 5, unit: 'calls', goal: '>= 2', reached: true },
    ],
  });
  expect((await cli('bench count_calls')).out).toMatch(/benchmark +median +min +max +unit +runs +goal\n/);
});

test('a benchmark of the cpu device alone says so on another one, and is not run', async () => {
  const ofOneCore: Benchmark = { ...failing, name: 'of_one_core', cpuOnly: 'it measures one core' };
  const { code, out } = await cli('bench --json --runs 5 --device cuda', { benchmarks: [ofOneCore, counting] });
  expect(code).toBe(0);
  expect(oneObject(out)).toMatchObject({ device: 'cuda', rows: [{ name: 'of_one_core', leftOut: 'it measures one core' }, { name: 'count_calls' }] });
  expect((await cli('bench --runs 5 --device cuda', { benchmarks: [ofOneCore] })).out).toContain('left out of_one_core: it measures one core\n');
  expect(await cli('bench --runs 5 --device cpu', { benchmarks: [ofOneCore] })).toMatchObject({ code: 1, out: expect.stringContaining('FAILED of_one_core') });
});

test('benchmarks of the cuda device are listed for it, and refused by name on another one', async () => {
  const ofCuda: Benchmark = { ...counting, name: 'of_cuda', cudaOnly: true };
  const catalogue = { benchmarks: [counting, ofCuda] };
  expect((await cli('bench --help', catalogue)).out.replace(/\s+/g, ' ')).toContain('Known: count_calls. With --device cuda also: of_cuda; or speed');
  expect((await cli('bench --help')).out).not.toContain('With --device cuda');
  expect(oneObject((await cli('bench --json --runs 5 --device cpu', catalogue)).out)).toMatchObject({ rows: [{ name: 'count_calls' }] });
  for (const name of ['of_cuda', 'speed']) {
    const { code, error } = await cli(`bench ${name} --device cpu`, catalogue);
    expect(code).toBe(2);
    expect(error).toContain('of_cuda is a benchmark of the cuda device alone');
  }
});

test.skipIf(lookForCuda(loadNativeBinding().binding).devices.length > 0)('without a GPU a benchmark of one says what is missing', async () => {
  const { code, error, out } = await cli('bench speed --device cuda --json', { benchmarks });
  expect(code).toBe(1);
  expect(error).toContain('option device: "cuda" is not available');
  expect(oneObject(out)).toMatchObject({ error: { code: 'ERR_WARPFS_DEVICE' } });
});

test('a benchmark may be compared with a ceiling, run by run', async () => {
  let round = 0;
  const compared: Benchmark = {
    name: 'beside', unit: 'GB/s', question: '?', ratioTo: 'ceiling_x', ratioAtLeast: 0.6,
    prepare: async () => ({ run: async () => ({ value: ++round, ceiling: 2 * round }), note: () => 'a note' }),
  };
  const { out } = await cli('bench --json --runs 5', { benchmarks: [compared] });
  const { date, machine, rows } = oneObject(out) as { date: string; machine: object; rows: object[] };
  expect(new Date(date).getTime()).toBeGreaterThan(0);
  expect(machine).toMatchObject({ node: process.version });
  expect(rows).toMatchObject([
    {
      name: 'beside', median: 3, min: 1, max: 5, values: [1, 2, 3, 4, 5], note: 'a note', reached: true,
      ratioTo: { name: 'ceiling_x', ceiling: { median: 6 }, ratio: { median: 0.5, values: [0.5, 0.5, 0.5, 0.5, 0.5] }, goal: '>= 0.6', reached: false },
    },
  ]);
  round = 0;
  expect((await cli('bench --runs 5', { benchmarks: [compared] })).out).toContain('0.5 of ceiling_x = 6, goal >= 0.6 (missed)\nbeside: a note\n');
});

test('doctor always gives an answer', async () => {
  const { code, out } = await cli('doctor --json');
  const diagnosis = oneObject(out) as { healthy: boolean; devices: { name: string }[] };
  expect(code).toBe(diagnosis.healthy ? 0 : 1);
  expect(diagnosis.devices.map((device) => device.name)).toEqual(['metal', 'cuda', 'cpu']);
  expect((await cli('doctor')).out).toContain('compiler');
});

test('doctor lists every engine that reads files, and Metal reads them where Metal is', async () => {
  const { io, metal } = oneObject((await cli('doctor --json')).out) as unknown as { io: { name: string; available: boolean; detail: string }[]; metal: { obstacle: string } };
  expect(io.map(({ name }) => name)).toEqual(['pread', 'uring', 'mtlio']);
  expect(io[2]).toEqual({ name: 'mtlio', available: metal.obstacle === '', detail: metal.obstacle === '' ? 'Metal reads files, on the metal device with wait replay' : metal.obstacle });
  const { out } = await cli('doctor');
  for (const { name, detail } of io) expect(out).toContain(`\n${`io ${name}`.padEnd(14)} ${detail}\n`);
});

test('doctor says what there is for NVIDIA GPUs, or why not', async () => {
  const { cuda } = oneObject((await cli('doctor --json')).out) as unknown as { cuda: CudaSight };
  const { out } = await cli('doctor');
  for (const [name, detail] of describeCuda(cuda)) {
    expect(detail).not.toBe('');
    expect(out).toContain(`\n${name.padEnd(14)} ${detail}\n`);
  }
  expect(describeCuda(cuda).map(([name]) => name)).toEqual(['cuda driver', ...cuda.devices.map(({ index }) => `cuda device ${index}`), 'nvrtc', 'nvcc']);
});

test('shaders says where the headers lie', async () => {
  const { code, out } = await cli('shaders --dialect cuda --json');
  expect(code).toBe(0);
  expect(oneObject(out)).toMatchObject({ dialect: 'cuda', includes: ['dialect/cuda.h', 'warpfs.h'] });
});

test('names of benchmarks are different', () => {
  const names = benchmarks.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('a table', () => {
  expect(formatTable(['name', 'value'], [['a', 1], ['long', 12345.6]])).toBe(
    ['name   value', '----  ------', 'a          1', 'long  12,346'].join('\n'),
  );
});
