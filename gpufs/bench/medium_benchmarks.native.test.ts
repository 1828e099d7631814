// The benchmark of a medium in tiny: that it measures each number of the profile and checks its work. How near it comes is no matter here.
import { expect, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import { kernelsMissing, testDevice } from '../conformance/test_device.ts';
import { media } from '../media/media.ts';
import { runBenchmark } from './benchmark.ts';
import { mediumBenchmarks } from './medium_benchmarks.ts';

const { missing } = nativePresence();
const hindrance = missing ?? kernelsMissing();

test('each medium has a benchmark', () => {
  expect(mediumBenchmarks.map(({ name }) => name)).toEqual(Object.keys(media).map((name) => `medium_${name}`));
});

test.skipIf(hindrance !== undefined)(hindrance === undefined ? 'a shaped run is compared with its profile' : `SKIP ${hindrance}`, async () => {
  const benchmark = mediumBenchmarks.find(({ name }) => name === 'medium_tcp');
  if (benchmark === undefined) throw new Error('no benchmark of tcp');
  const row = await runBenchmark(benchmark, { seed: 3, tiny: true, device: testDevice }, 2);
  expect(row).toMatchObject({ unit: '% slow', goal: '<= 5', runs: 2 });
  expect(row.values.every(Number.isFinite)).toBe(true);
  for (const what of ['read, median', 'read, p99', 'write, median', 'write, p99', 'sync, median']) expect(row.note).toMatch(new RegExp(`${what} [\\d.e+]+ us of [3-6]00 us \\(`));
  expect(row.note).toMatch(/reads of 4 KiB [\d,]+\/s of 200,000\/s \(.*reads of 64 KiB [\d,]+ MB\/s of 5,000 MB\/s \(/);
});
