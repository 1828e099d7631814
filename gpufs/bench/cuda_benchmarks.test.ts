// The benchmarks of the cuda device without one: their kernels and their arithmetic on the cpu device, with ceilings that a test makes up.
import { expect, test } from 'vitest';
import { bindingForTests } from '../binding_for_tests.ts';
import { runBenchmark } from './benchmark.ts';
import { cudaBenchmarks } from './cuda_benchmarks.ts';

const measured = cudaBenchmarks.filter(({ name }) => !name.startsWith('ceiling_'));

test.each(measured.map((benchmark) => [benchmark.name, benchmark] as const))('%s does its work, every word compared', { timeout: 120_000 }, async (name, benchmark) => {
  const binding = bindingForTests();
  const yardstick = async () => binding.cudaYardstick({ deviceIndex: 0, cubin: '' });
  const row = await runBenchmark(benchmark, { seed: 7, tiny: true, device: 'cpu', yardstick }, 2);
  expect(row.values).toHaveLength(2);
  expect(row.values.every(Number.isFinite)).toBe(true);
  if (name !== 'slow_down') expect(row.values.every((value) => value > 0)).toBe(true);
});

test('each has a name of its own and a question, and is for the cuda device alone', () => {
  expect(new Set(cudaBenchmarks.map(({ name }) => name)).size).toBe(cudaBenchmarks.length);
  const ceilings = new Map(cudaBenchmarks.filter(({ name }) => name.startsWith('ceiling_')).map(({ name, unit }) => [name, unit]));
  for (const { name, unit, question, cudaOnly, ratioTo } of cudaBenchmarks) {
    expect(cudaOnly, name).toBe(true);
    expect(question.endsWith('?'), name).toBe(true);
    if (ratioTo !== undefined) expect(ceilings.get(ratioTo), `${name} and ${ratioTo} are of one unit`).toBe(unit);
  }
});

test.each(cudaBenchmarks.filter(({ name }) => name.startsWith('ceiling_')).map((benchmark) => [benchmark.name, benchmark] as const))(
  '%s asks for what it says, and a wrong word makes it fail',
  async (name, benchmark) => {
    const binding = bindingForTests();
    const settings = { seed: 7, tiny: true, device: 'cuda', yardstick: async () => binding.cudaYardstick({ deviceIndex: 0, cubin: '' }) } as const;
    const row = await runBenchmark(benchmark, settings, 2);
    expect(row.values.every((value) => value > 0)).toBe(true);
    expect(binding.yardsticks).toHaveLength(2);
    const [asked, again] = binding.yardsticks;
    expect(asked).toMatchObject({ seed: 7 });
    expect(again?.start).not.toBe(asked?.start);
    expect(Number.isInteger(Math.log2((asked?.bytes ?? 0) / (asked?.pieceBytes ?? 1)))).toBe(true);
    expect(asked?.what === 'random_4' ? (asked.count % 128) : 0).toBe(0);
    expect(asked?.path === '').toBe(!/file|tmpfs|pread/.test(name));
    const wrong = async () => ({ measure: async () => ({ nanoseconds: 1, wrongWords: 3, pieces: 1, blocks: 1 }), close: () => undefined });
    await expect(runBenchmark(benchmark, { ...settings, yardstick: wrong }, 2)).rejects.toThrow('3 words or more are wrong');
  },
);
