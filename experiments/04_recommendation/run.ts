// Inference of a recommendation model whose embedding table is a file. The question and the predictions are in README.md.
import { Random } from '../../gpufs/random.ts';
import { besideBest } from '../beside_best.ts';
import type { Experiment, Finder, Task } from '../experiment.ts';
import { randomOf, roundOf, totalsOfReads, wordsOfSeed, wrongTotal } from '../lists.ts';
import { beside } from '../verdict.ts';
import { pool, ROW_BYTES, scoreOf } from '../workloads/pool.ts';

/** How much dearer the first rows are: the index is a power of a random number. */
const SKEW = 4;

/** A quarter cached. */
const quarter = (system: string, other: string): ((find: Finder) => number | undefined) => beside('rate', system, other, { cache: 25 });

export const experiment: Experiment = {
  name: 'recommendation',
  title: 'Recommendation inference',
  question: 'How many samples a second does a model score whose embedding rows (256 B, some wanted far more often than others) lie in a file, as the memory for them grows?',
  metrics: { rate: 'ksamples/s', hit_ratio: '%' },
  options: [
    { name: 'cache', what: 'of 100 bytes of the table so many fit into the memory for it', min: 1, max: 200, usual: [5, 25, 150], tiny: [25], full: [2, 5, 10, 25, 50, 100, 150], gpu: { full: [5, 25, 150] }, sweep: true },
    { name: 'table-mib', what: 'size of the table in MiB, a power of two', min: 1, max: 65_536, powerOfTwo: true, usual: 32, tiny: 2, full: 1024, gpu: { usual: 256, full: 512 } },
    { name: 'samples', what: 'of each warp in a timed run', min: 1, max: 100_000, usual: 16, tiny: 3, full: 200, gpu: { usual: 2, full: 4 } },
    { name: 'bag', what: 'rows of each sample', min: 1, max: 1024, usual: 16, tiny: 8 },
    { name: 'line-bytes', what: 'bytes of a line of a cache, a power of two', min: 512, max: 65_536, powerOfTwo: true, usual: 4096, tiny: 4096, gpu: { usual: 512 } },
    { name: 'warps', what: 'warps', min: 1, max: 4096, usual: 64, tiny: 8, gpu: { usual: 4096 } },
  ],
  predictions: [
    besideBest('rate', 'a quarter cached', { cache: 25 }, 'three of four rows are missed: what counts is how fast pages come, and that the dear rows stay'),
    {
      what: 'warpfs_async beside warpfs, cache 25', unit: 'x', atLeast: 0.9, atMost: 1.3,
      because: '64 warps keep both cores busy already, so that asking ahead has little left to hide; AGILE gains 1.3 where the SSD leaves the GPU waiting',
      measured: quarter('warpfs_async', 'warpfs'),
    },
    {
      what: 'hit ratio of warpfs, cache 25', unit: '%', atLeast: 45, atMost: 75,
      because: 'with the fourth power 71 of 100 lookups go to the first quarter of the rows; but rows lie scattered, 16 to a page, and a page with one dear row holds 15 others',
      measured: (find) => find('hit_ratio', 'warpfs', { cache: 25 }),
    },
    {
      what: 'warpfs beside triple_buffer, cache 150', unit: 'x', atMost: 1,
      because: 'the host reads rows of 256 B alone and knows the list beforehand; a hit costs a meeting of 32 lanes, which here is as dear as a pread of 256 B',
      measured: beside('rate', 'warpfs', 'triple_buffer', { cache: 150 }),
    },
  ],
  papers: [
    { system: 'AGILE', what: 'synchronous beside BaM, DLRM', value: 1.3, unit: 'x', on: 'RTX 5000 Ada, 3 NVMe', source: 'arXiv 2504.19365', ours: quarter('warpfs', 'bam'), design: quarter('agile', 'bam') },
    { system: 'AGILE', what: 'asynchronous beside BaM, DLRM', value: 1.48, unit: 'x', on: 'RTX 5000 Ada, 3 NVMe', source: 'arXiv 2504.19365', ours: quarter('warpfs_async', 'bam'), design: quarter('agile_async', 'bam') },
    { system: 'CoPilotIO', what: 'beside BaM, DLRM', value: 1.85, unit: 'x', on: 'A100, 4 990 Pro', source: "OSDI'26", ours: quarter('warpfs', 'bam'), design: quarter('copilot', 'bam') },
  ],
  figures: [{ title: 'Recommendation inference', metric: 'rate', x: { parameter: 'cache', title: 'memory, of 100 bytes of the table', log: true }, y: { title: 'thousand samples a second', log: true } }],
  points(values, seed) {
    const fileBytes = values.one('table-mib') * 2 ** 20;
    const rows = fileBytes / ROW_BYTES;
    const [warps, samples, bag] = [values.one('warps'), values.one('samples'), values.one('bag')];
    const workload = pool(bag);
    return values.all('cache').map((cache) => ({
      parameters: { cache },
      job: { workload, fileBytes, cacheBytes: Math.floor((fileBytes * cache) / 100), lineBytes: values.one('line-bytes'), items: warps, accessBytes: ROW_BYTES, io: 'auto', advice: 'normal' },
      task(run) {
        const random = randomOf(seed, run);
        const offsets = Array.from({ length: warps }, () => Array.from({ length: samples * bag }, () => rowOf(random, rows) * ROW_BYTES));
        return taskOf(offsets, { samples, bag, seed });
      },
    }));
  },
};

/** The dear rows do not lie side by side: a table is not sorted by how often its rows are wanted. */
function rowOf(random: Random, rows: number): number {
  const place = Math.floor(rows * (random.next() / 2 ** 32) ** SKEW);
  return (Math.imul(place, 2654435761) >>> 0) % rows;
}

function taskOf(offsets: readonly (readonly number[])[], { samples, bag, seed }: { samples: number; bag: number; seed: number }): Task {
  const warps = offsets.length;
  const words = wordsOfSeed(seed);
  const accesses = offsets.map((own) => own.map((offset) => ({ offset, bytes: ROW_BYTES })));
  const round = roundOf(accesses, { inputs: { bag, samples }, outputs: { scores: warps * samples } });
  const expected = totalsOfReads(round, seed);
  const scores = offsets.flatMap((own) => Array.from({ length: samples }, (_, sample) => scoreOf(words, own.slice(sample * bag, (sample + 1) * bag))));
  return {
    async measure(system) {
      const before = system.counters?.();
      const { milliseconds, totals, outputs } = await system.run(round);
      const after = system.counters?.();
      const accessed = before === undefined || after === undefined ? undefined : { hits: after.hits - before.hits, misses: after.misses - before.misses };
      const found = outputs['scores'] as Uint32Array;
      const wrong = scores.findIndex((score, index) => score !== found[index]);
      const failure = wrong < 0 ? wrongTotal(totals, expected) : `the score of sample ${wrong} is ${found[wrong]}, and the CPU finds ${scores[wrong]}`;
      const hits = accessed === undefined ? {} : { hit_ratio: (100 * accessed.hits) / Math.max(1, accessed.hits + accessed.misses) };
      return { values: { rate: (warps * samples) / milliseconds, ...hits }, failure };
    },
  };
}
