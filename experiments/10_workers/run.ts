// How much of a device it takes to keep the host busy. The question and the predictions are in README.md.
import type { Experiment, Finder } from '../experiment.ts';
import { randomAccesses, randomOf, roundOf, totalsOfReads } from '../lists.ts';
import { GROUP_ON_GPU } from '../system.ts';
import { rate, readTask } from '../tasks.ts';
import { ratio } from '../verdict.ts';
import { read } from '../workloads/read.ts';

const PAGE = 4096;
const COUNTS = [1, 2, 4, 8, 16, 64, 120];

/** So many of them give 25 GB/s. */
const fewest = (system: string): ((find: Finder) => number | undefined) => (find) => COUNTS.find((workers) => (find('rate', system, { workers }) ?? 0) * PAGE >= 25e6);

export const experiment: Experiment = {
  name: 'workers',
  title: 'Workers needed to saturate',
  question: 'How many workers, the multiprocessors of this device, does each design need for the most reads that it can give?',
  metrics: { rate: 'kreads/s' },
  options: [
    { name: 'workers', what: 'threads of the cpu device, or multiprocessors of a GPU', min: 1, max: 1024, usual: [1, 2, 4], tiny: [1, 2], full: [1, 2, 4, 8, 16, 32], gpu: { usual: [1, 4, 16, 64], full: COUNTS }, sweep: true },
    { name: 'reads', what: 'reads of one timed run', min: 64, max: 10_000_000, usual: 6400, tiny: 256, full: 64_000, gpu: { usual: 65_536 } },
    { name: 'file-mib', what: 'size of the file in MiB', min: 1, max: 1_048_576, usual: 32, tiny: 4, full: 1024, gpu: { usual: 256 } },
    { name: 'warps', what: 'warps that read on the cpu device; on a GPU each multiprocessor has 32', min: 1, max: 4096, usual: 64, tiny: 8 },
  ],
  predictions: [
    {
      what: 'warpfs with 1 worker beside 2', unit: 'x', atLeast: 0.75, atMost: 1.3,
      because: 'two cores are one for a worker and one for the daemon: a second worker takes turns with the daemon',
      measured: (find) => ratio(find('rate', 'warpfs', { workers: 1 }), find('rate', 'warpfs', { workers: 2 })),
    },
    {
      what: 'mapped with 2 workers beside 1', unit: 'x', atLeast: 1.5, atMost: 2.1,
      because: 'no daemon: loads and sums are shared out between the cores',
      measured: (find) => ratio(find('rate', 'mapped', { workers: 2 }), find('rate', 'mapped', { workers: 1 })),
    },
    {
      what: 'warpfs with 4 multiprocessors beside the most that mapped gives', unit: 'x', atLeast: 0.9, device: 'cuda',
      because: '128 warps, each with a page under way for 7 us, ask for 18 million pages a second, and the bus takes 12.5',
      measured: (find) => ratio(find('rate', 'warpfs', { workers: 4 }), Math.max(...COUNTS.map((workers) => find('rate', 'mapped', { workers }) ?? 0)) || undefined),
    },
  ],
  papers: [
    { system: 'CoPilotIO', what: 'SMs for 25 GB/s of 8 KB; here of 4 KB', value: 24, unit: 'SMs of 108', on: 'A100, 4 990 Pro', source: "OSDI'26", ours: fewest('warpfs'), design: fewest('copilot') },
    { system: 'BaM, AGILE', what: 'SMs for the same: more than', value: 72, unit: 'SMs of 108', on: 'A100, 4 990 Pro', source: "OSDI'26", ours: fewest('warpfs'), design: fewest('bam') },
  ],
  figures: [{ title: 'Workers needed to saturate', metric: 'rate', x: { parameter: 'workers', title: 'workers', log: true }, y: { title: 'thousand reads a second', log: true } }],
  points(values, seed, device) {
    const fileBytes = values.one('file-mib') * 2 ** 20;
    const reads = values.one('reads');
    return values.all('workers').map((workers) => {
      // Groups of so many warps are one on each multiprocessor.
      const warps = device === 'cpu' ? values.one('warps') : workers * GROUP_ON_GPU;
      return {
        parameters: { workers },
        job: { workload: read, fileBytes, cacheBytes: fileBytes / 4, lineBytes: PAGE, items: warps, accessBytes: PAGE, io: 'auto', advice: 'normal', workers },
        task(run) {
          const round = roundOf(randomAccesses(randomOf(seed, run), { items: warps, count: Math.max(1, Math.round(reads / warps)), bytes: PAGE, fileBytes }));
          const expected = totalsOfReads(round, seed);
          return readTask(round, expected, (result) => ({ rate: rate(result, round) }));
        },
      };
    });
  },
};
