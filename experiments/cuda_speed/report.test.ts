import { expect, test } from 'vitest';
import { mergeRuns, speedReport, type SpeedRun } from './report.ts';

const summary = { runs: 5, min: 1, median: 2, max: 3 };
const run: SpeedRun = {
  command: 'bench', seed: 9, tiny: false, device: 'cuda', date: '2026-11-21T00:00:00.000Z', commit: 'abc123',
  machine: {
    platform: 'linux', release: '6.1', arch: 'x64', processor: 'a processor', cores: 16, memoryGib: 128, node: 'v20', warpfs: '0.1.0',
    gpu: { name: 'NVIDIA H200', multiprocessors: 132, memoryGib: 140, driver: '580.65.06', cuda: '13.0' },
  },
  rows: [
    { name: 'ceiling_read_4k', unit: 'M/s', value: 12.5, ...summary, median: 12.5, values: [12.5], goal: '', reached: true },
    {
      name: 'cold_gread_4k', unit: 'M/s', value: 11.2345, ...summary, median: 11.2345, values: [11.2345], goal: '', reached: true, note: '1024 warps',
      ratioTo: { name: 'ceiling_read_4k', ceiling: { ...summary, median: 12.48, values: [12.48] }, ratio: { ...summary, median: 0.9002, values: [0.9002] }, goal: '>= 0.96', reached: false },
    },
    { name: 'hot_gmmap_4k', unit: 'GB/s', value: 3700, ...summary, median: 3700, values: [3700], goal: '>= 3600', reached: true },
    { name: 'slow_down', unit: '%', error: 'no luck' },
    { name: 'check_gread', unit: 'x', leftOut: 'why' },
  ],
};

test('a run becomes a table of what was wanted and what came, with what was missed', () => {
  const report = speedReport(run);
  expect(report).toContain('| GPU | NVIDIA H200, 132 multiprocessors, 140 GiB |');
  expect(report).toContain('| driver | 580.65.06, CUDA 13.0 |');
  expect(report).toContain('commit abc123');
  expect(report).toContain('| `cold_gread_4k` | >= 0.96 of the ceiling | 11.23 (1 to 3) M/s **missed** | 12.48 (`ceiling_read_4k`) | 0.9002 (1 to 3) |');
  expect(report).toContain('| `hot_gmmap_4k` | >= 3600 GB/s | 3,700 (1 to 3) GB/s | - | - |');
  expect(report).toContain('| `ceiling_read_4k` | 12.5 (1 to 3) M/s |');
  expect(report).toContain('## Missed\n\n- `cold_gread_4k`: 0.9002 of `ceiling_read_4k`, goal >= 0.96\n');
  expect(report).toContain('- `slow_down` failed: no luck');
  expect(report).toContain('- `cold_gread_4k`: 1024 warps');
  expect(report.endsWith('\n') && !report.endsWith('\n\n')).toBe(true);
});

test('what is no run on a GPU is refused, and tiny sizes are marked', () => {
  expect(() => speedReport({ ...run, device: 'cpu' })).toThrow('--device cuda');
  expect(() => speedReport({ ...run, command: 'run' })).toThrow('bench --json');
  expect(speedReport({ ...run, tiny: true })).toContain('say nothing');
});

test('parts of one run are put together, and others are not', () => {
  const merged = mergeRuns([{ ...run, rows: run.rows.slice(0, 2) }, { ...run, rows: run.rows.slice(2) }]);
  expect(merged).toEqual(run);
  expect(() => mergeRuns([run, { ...run, seed: 10 }])).toThrow('one commit, one seed');
  expect(() => mergeRuns([])).toThrow('usage');
});
