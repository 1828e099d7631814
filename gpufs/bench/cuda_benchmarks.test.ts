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
  console.log(name, JSON.stringify(row));
  expect(row.values).toHaveLength(2);
  expect(row.values.every(Number.isFinite)).toBe(true);
  if (name !== 'slow_down') expect(row.values.every((value) => value > 0)).toBe(true);
});
