// Random reads of one page against the number of warps that read. The question and the predictions are in README.md.
import { besideBest } from '../beside_best.ts';
import type { Experiment, Finder } from '../experiment.ts';
import { randomAccesses, randomOf, roundOf, totalsOfReads } from '../lists.ts';
import { rate, readTask } from '../tasks.ts';
import { beside, ratio } from '../verdict.ts';
import { read } from '../workloads/read.ts';

const PAGE = 4096;

/** With the most warps: 4,096 of a GPU, else 64. */
const of = (metric: string, system: string): ((find: Finder) => number | undefined) => (find) => find(metric, system, { warps: 4096 }) ?? find(metric, system, { warps: 64 });

export const experiment: Experiment = {
  name: 'random_read',
  title: 'Random reads of 4 KB',
  question: 'How many random reads of 4 KB does each design give, and how long does one take, when the file is four times as large as the memory for it?',
  metrics: { rate: 'kreads/s', wait_median: 'us', wait_p99: 'us', hit_ratio: '%' },
  options: [
    { name: 'reads', what: 'reads of one timed run', min: 64, max: 10_000_000, usual: 6400, tiny: 256, full: 64_000, gpu: { usual: 65_536, full: 131_072 } },
    { name: 'warps', what: 'warps that read', min: 1, max: 4096, usual: [1, 8, 64], tiny: [1, 8], full: [1, 2, 4, 8, 16, 32, 64, 128, 256], gpu: { usual: [64, 1024, 4096], full: [32, 256, 1024, 4096] }, sweep: true },
    { name: 'file-mib', what: 'size of the file in MiB', min: 1, max: 1_048_576, usual: 64, tiny: 4, full: 1024, gpu: { usual: 512 } },
    { name: 'threads', what: 'threads of the host that move bytes', min: 1, max: 64, usual: 1, tiny: 1, gpu: { usual: 8 } },
  ],
  predictions: [
    besideBest('rate', '4,096 warps', { warps: 4096 }, 'both read where the file lies, at the limit of the bus; what else a miss costs is hidden by other warps'),
    {
      what: 'hit ratio of warpfs, 64 warps', unit: '%', atLeast: 23.5, atMost: 26.5,
      because: 'uniform accesses hit exactly as often as the share of the file that is cached, under every policy',
      measured: (find) => find('hit_ratio', 'warpfs', { warps: 64 }),
    },
    {
      what: 'rate of warpfs, 64 warps, two cores', unit: 'kreads/s', atLeast: 50,
      because: 'one miss is a request, a pread from the page cache (about 2 us), a copy (0.3 us) and a sum of 4 KB; a core for each side',
      measured: (find) => find('rate', 'warpfs', { warps: 64 }),
    },
    {
      what: 'p99 of a wait, in medians, warpfs with 64 warps', unit: 'x', atMost: 64,
      because: '64 warps share one daemon: a read waits for at most one request of every other warp',
      measured: (find) => ratio(find('wait_p99', 'warpfs', { warps: 64 }), find('wait_median', 'warpfs', { warps: 64 })),
    },
    {
      what: 'wait with 1 warp, host_initiated beside warpfs', unit: 'x', atLeast: 10,
      because: 'a read that the host has put into a batch waits for all of the batch, here thousands of pages; one that the warp asks for waits for itself',
      measured: beside('wait_median', 'host_initiated', 'warpfs', { warps: 1 }),
    },
  ],
  papers: [
    { system: 'BaM', what: 'random reads of 512 B', value: 45_800, unit: 'kreads/s', on: 'A100, 10 Optane P5800X, PCIe Gen4', source: 'arXiv 2203.04910v3' },
    { system: 'BaM', what: 'random reads of 4 KB that miss, its code without the fence read, emulated SSD', value: 11_790, unit: 'kreads/s', on: 'H200, PCIe Gen5', source: 'own measurement of its code', ours: of('rate', 'warpfs'), design: of('rate', 'bam') },
    { system: 'AGILE', what: 'random reads of 4 KB that miss, emulated SSD', value: 10_850, unit: 'kreads/s', on: 'H200, PCIe Gen5', source: 'own measurement of its code', ours: of('rate', 'warpfs'), design: of('rate', 'agile') },
    { system: 'GPUfs', what: 'gread of 4 KB that misses, with eviction', value: 90, unit: 'kreads/s', on: 'H200, PCIe Gen5', source: 'own measurement of its code', ours: of('rate', 'warpfs'), design: of('rate', 'gpufs_gread') },
    { system: 'CoPilotIO', what: 'wait for 4 KB, 96 SMs of 32 warps', value: 37.75, unit: 'us', on: 'A100, 4 990 Pro', source: "OSDI'26, Table 2", ours: of('wait_median', 'warpfs'), design: of('wait_median', 'copilot') },
    { system: 'AGILE', what: 'the same', value: 38.77, unit: 'us', on: 'A100, 4 990 Pro', source: "OSDI'26, Table 2", ours: of('wait_median', 'warpfs'), design: of('wait_median', 'agile') },
    { system: 'BaM', what: 'the same', value: 47.72, unit: 'us', on: 'A100, 4 990 Pro', source: "OSDI'26, Table 2", ours: of('wait_median', 'warpfs'), design: of('wait_median', 'bam') },
  ],
  figures: [
    { title: 'Random reads of 4 KB', metric: 'rate', x: { parameter: 'warps', title: 'warps', log: true }, y: { title: 'thousand reads a second', log: true } },
    { title: 'Wait for one of them', metric: 'wait_median', x: { parameter: 'warps', title: 'warps', log: true }, y: { title: 'microseconds, median', log: true } },
  ],
  points(values, seed) {
    const fileBytes = values.one('file-mib') * 2 ** 20;
    return values.all('warps').map((warps) => ({
      parameters: { warps },
      job: {
        workload: read, fileBytes, cacheBytes: fileBytes / 4, lineBytes: PAGE, items: warps, accessBytes: PAGE,
        threads: values.one('threads'), io: 'auto', advice: 'normal',
      },
      task(run) {
        const count = Math.max(1, Math.round(values.one('reads') / warps));
        const round = roundOf(randomAccesses(randomOf(seed, run), { items: warps, count, bytes: PAGE, fileBytes }));
        const expected = totalsOfReads(round, seed);
        return readTask(round, expected, (result, waits) => ({ rate: rate(result, round), wait_median: waits(0.5), wait_p99: waits(0.99) }));
      },
    }));
  },
};
