import { expect, test } from 'vitest';
import type { RoundResult } from '../workload.ts';
import { computedBeside } from '../workloads/beside.ts';
import { interferenceOf } from './interference.ts';

const resultOf = (began: number[], ended: number[], readAt: number[] = []): RoundResult => {
  const times = (values: number[]) => BigUint64Array.from(values, BigInt);
  return { milliseconds: 1, totals: new Uint32Array(), waits: new Uint32Array(), outputs: { began: times(began), ended: times(ended), read_at: times(readAt) } };
};

test('only warps that had reads beside them to their end count, and only pages that came meanwhile', () => {
  const idle = resultOf([100, 100, 100], [1100, 1100, 1100]);
  // The last warp ends behind the last read; of the reads one came before anybody computed.
  const reading = resultOf([1000, 1000, 2000], [2500, 2500, 4000], [500, 1500, 2000, 3000]);
  expect(interferenceOf(reading, idle, { pageBytes: 4096, missed: 0.5 })).toEqual({
    fill_rate: (3 * 4096 * 0.5) / 2000, compute_alone: 1, compute_beside: 1.5, slow_down: 50, covered: (100 * 2) / 3,
  });
});

test('what passes before the first read does not count as filling', () => {
  const found = interferenceOf(resultOf([0], [4000], [2000, 3000, 5000]), resultOf([0], [4000]), { pageBytes: 4096, missed: 1 });
  expect(found).toMatchObject({ fill_rate: (2 * 4096) / 2000, slow_down: 0, covered: 100 });
});

test('where nothing was read beside computing there is no number', () => {
  const found = interferenceOf(resultOf([1000], [2000], [500]), resultOf([0], [900]), { pageBytes: 4096, missed: 1 });
  expect(found).toMatchObject({ fill_rate: Number.NaN, slow_down: Number.NaN, covered: 0 });
});

test.each([1, 2, 3, 10, 1001])('what a warp computes in %i rounds is found without making them', (rounds) => {
  let total = 0;
  for (let lane = 0; lane < 32; lane++) {
    let value = 7 * 32 + lane;
    for (let round = 0; round < rounds; round++) value = (Math.imul(value, 1664525) + 1013904223) | 0;
    total = (total + value) | 0;
  }
  expect(computedBeside(7, rounds)).toBe(total >>> 0);
});
