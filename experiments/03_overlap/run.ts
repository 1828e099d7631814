// Computing beside reading. The question and the predictions are in README.md.
import type { Experiment, Finder } from '../experiment.ts';
import { randomOf, roundOf, shares, shuffled, totalsOf, wordsOfSeed } from '../lists.ts';
import { rate, readTask } from '../tasks.ts';
import { compute, computed } from '../workloads/compute.ts';

const PAGE = 4096;

export const experiment: Experiment = {
  name: 'overlap',
  title: 'Computing beside reading',
  question: 'How much time does a design hide that reads ahead, as the work for each page grows from nothing to more than the reading of it?',
  metrics: { rate: 'kpages/s' },
  options: [
    { name: 'work', what: 'multiplications for each page and lane, one after another', min: 0, max: 1_000_000, usual: [0, 30, 100, 300, 1000], tiny: [0, 100], full: [0, 10, 20, 50, 100, 200, 500, 1000, 2000], gpu: { usual: [0, 100, 1000, 5000], full: [0, 100, 300, 1000, 2000, 5000, 10_000] }, sweep: true },
    { name: 'pages', what: 'pages of one timed run', min: 16, max: 10_000_000, usual: 3000, tiny: 128, full: 30_000, gpu: { usual: 16_000, full: 32_000 } },
    { name: 'warps', what: 'warps that read and compute', min: 1, max: 4096, usual: 1, tiny: 1, gpu: { usual: 32 } },
  ],
  predictions: [
    {
      what: 'warpfs_async beside warpfs, where that is most', unit: 'x', atLeast: 1.88, device: 'cuda', medium: 'samsung_990_pro',
      because: 'on a drive with 45 us a read a warp waits longer than it works; with three reads ahead it waits a quarter as long. AGILE published 1.88',
      measured: (find) => most(find, 'warpfs_async', 'warpfs'),
    },
    {
      what: 'warpfs_async beside warpfs, where that is most', unit: 'x', atLeast: 1.3, atMost: 2,
      because: 'one warp and one daemon on two cores: where both have as much to do, the time of the smaller is hidden, which is at most half',
      measured: (find) => most(find, 'warpfs_async', 'warpfs'),
    },
    {
      what: 'triple_buffer beside host_initiated, where that is most', unit: 'x', atLeast: 1.2, atMost: 2,
      because: 'the same, with the host on the other core, less what each launch costs',
      measured: (find) => most(find, 'triple_buffer', 'host_initiated'),
    },
  ],
  papers: [
    {
      system: 'AGILE', what: 'asynchronous beside synchronous, where that is most', value: 1.88, unit: 'x', on: 'RTX 5000 Ada, 3 NVMe', source: 'arXiv 2504.19365',
      ours: (find) => most(find, 'warpfs_async', 'warpfs'),
      design: (find) => most(find, 'agile_async', 'agile'),
    },
  ],
  figures: [{ title: 'Computing beside reading', metric: 'rate', x: { parameter: 'work', title: 'multiplications for each page and lane' }, y: { title: 'thousand pages a second', log: true } }],
  points(values, seed) {
    const warps = values.one('warps');
    const count = Math.max(1, Math.floor(values.one('pages') / warps));
    const words = wordsOfSeed(seed);
    const fileBytes = warps * count * PAGE;
    return values.all('work').map((work) => ({
      parameters: { work },
      // An eighth is as much as keeps what is asked ahead, and little enough that each run misses.
      job: { workload: compute, fileBytes, cacheBytes: Math.max(2 ** 18, fileBytes / 8), lineBytes: PAGE, items: warps, accessBytes: PAGE, io: 'auto', advice: 'normal' },
      task(run) {
        const order = shuffled(randomOf(seed, run), warps * count);
        const accesses = shares(order, warps, count, (page) => ({ offset: page * PAGE, bytes: PAGE }));
        const round = roundOf(accesses, { inputs: { rounds: work } });
        const expected = totalsOf(round, (offset, bytes) => computed(words, offset, bytes, work));
        return readTask(round, expected, (result) => ({ rate: rate(result, round) }));
      },
    }));
  },
};

function most(find: Finder, system: string, beside: string): number | undefined {
  const works = [0, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 5000, 10_000];
  const ratios = works.flatMap((work) => {
    const [value, other] = [find('rate', system, { work }), find('rate', beside, { work })];
    return value === undefined || other === undefined ? [] : [value / other];
  });
  return ratios.length === 0 ? undefined : Math.max(...ratios);
}
