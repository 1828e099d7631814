import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bindingForTests, cudaForTests } from '../binding_for_tests.ts';
import { firstWrongByte, makeDataFile, WORD_FACTOR } from './data_set.ts';
import { gpuOf, isFake, machineOfGpu } from './machine.ts';
import { Random } from '../random.ts';
import { median, medianInterval, percentile, summarize } from './statistics.ts';

test('every word of a data file is the one that its place asks for, and a wrong byte is found', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-data-'));
  try {
    const path = join(folder, 'data');
    await makeDataFile(path, 3 * 2 ** 20, 99);
    const data = new Uint8Array(readFileSync(path));
    expect(data.length).toBe(3 * 2 ** 20);
    const words = new Uint32Array(data.buffer);
    for (const index of [0, 1, 1000, 300_000]) expect(words[index]).toBe(Number((BigInt(index) * BigInt(WORD_FACTOR) + 99n) % 2n ** 32n));
    const part = data.slice(8192, 12288);
    expect(firstWrongByte(part, 8192, 99)).toBe(-1);
    expect(firstWrongByte(part, 8192, 98)).toBeGreaterThanOrEqual(0);
    part[103]! ^= 0x80;
    expect(firstWrongByte(part, 8192, 99)).toBe(8192 + 103);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('statistics', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeNaN();
  expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(percentile([5, 1, 4, 2, 3], 0.99)).toBe(5);
  expect(percentile([5, 1, 4, 2, 3], 0)).toBe(1);
  expect(summarize([2, 9, 4])).toEqual({ median: 4, min: 2, max: 9, runs: 3 });
});

test('a fake GPU is known by its name', () => {
  const binding = { ...bindingForTests(), metalSight: () => ({ obstacle: '', name: 'fake Metal on the cpu device', memoryBytes: 2 ** 36 }) };
  expect(gpuOf('metal', binding)).toEqual({ name: 'fake Metal on the cpu device', memoryGib: 64 });
  expect([isFake(gpuOf('metal', binding)), isFake({ name: 'Apple M4', memoryGib: 16 }), isFake(gpuOf('cpu', binding))]).toEqual([true, false, false]);
});

test('random numbers are a function of their seed, and spread', () => {
  const take = (seed: number) => Array.from({ length: 10 }, ((random) => () => random.next())(new Random(seed)));
  expect(take(1)).toEqual(take(1));
  expect(take(1)).not.toEqual(take(2));
  const random = new Random(7);
  const counts = Array<number>(10).fill(0);
  for (let draw = 0; draw < 10_000; draw++) counts[random.below(10)]!++;
  expect(Math.min(...counts)).toBeGreaterThan(850);
});

test('a run on a GPU says which one, and which driver', () => {
  const binding = bindingForTests();
  expect(machineOfGpu(binding)).toBeUndefined();
  binding.cuda = cudaForTests('libnvrtc.so');
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-machine-'));
  try {
    const file = join(folder, 'version');
    writeFileSync(file, 'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (dvs-builder@U22)\nGCC version:  gcc version 12.3.0\n');
    expect(machineOfGpu(binding, file)).toEqual({ name: 'NVIDIA H200', multiprocessors: 132, memoryGib: 140, driver: '580.65.06', cuda: '13.0' });
    expect(machineOfGpu(binding, `${file}.none`)).toMatchObject({ driver: 'unknown' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('where a median lies: within the values, narrower where there are more, and a function of the seed', () => {
  const values = (count: number) => Array.from({ length: count }, (_, index) => 100 + (Math.imul(index, 2654435761) >>> 24));
  const width = (count: number): number => {
    const { low, high } = medianInterval(values(count));
    expect(low).toBeLessThanOrEqual(median(values(count)));
    expect(high).toBeGreaterThanOrEqual(median(values(count)));
    return high - low;
  };
  expect(width(200)).toBeLessThan(width(20));
  expect(width(200)).toBeGreaterThan(0);
  expect(medianInterval([3])).toEqual({ low: 3, high: 3 });
  expect(medianInterval(values(20), 0.95, 4)).toEqual(medianInterval(values(20), 0.95, 4));
  // Normal values: the interval of 95 % holds the true median in about that many of 200 experiments.
  const random = new Random(12);
  const normal = (): number => Math.sqrt(-2 * Math.log((random.next() + 1) / 2 ** 32)) * Math.cos(2 * Math.PI * (random.next() / 2 ** 32));
  const held = Array.from({ length: 200 }, (_, seed) => medianInterval(Array.from({ length: 25 }, normal), 0.95, seed)).filter(({ low, high }) => low <= 0 && high >= 0).length;
  expect(held).toBeGreaterThan(200 * 0.88);
  expect(medianInterval([])).toEqual({ low: Number.NaN, high: Number.NaN });
});
