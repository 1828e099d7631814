// C = A + B in files, until C is on the disk. The question and the predictions are in README.md.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { wordAt } from '../../gpufs/bench/data_set.ts';
import { besideBest } from '../beside_best.ts';
import type { Experiment, Finder } from '../experiment.ts';
import { type Access, roundOf, sumOfWords, totalsOf } from '../lists.ts';
import type { Job } from '../system.ts';
import { measureWrites } from '../tasks.ts';
import { beside } from '../verdict.ts';
import { ACCESS } from '../workload.ts';
import { add, ADD_BYTES } from '../workloads/add.ts';

/** With the largest vectors that are usual: 64 MiB on a GPU, else 8. */
const tiledBeside = (system: string): ((find: Finder) => number | undefined) => (find) => {
  const of = (mib: number): number | undefined => beside('rate', 'triple_buffer', system, { mib })(find);
  return of(64) ?? of(8);
};

export const experiment: Experiment = {
  name: 'vector_add',
  title: 'Vector addition with write-back',
  question: 'What does it cost to read two vectors and to write their sum through a cache, beside a program that streams them through three buffers?',
  metrics: { rate: 'Melements/s', sync: 'ms' },
  options: [
    { name: 'mib', what: 'size of each vector in MiB', min: 1, max: 16_384, usual: [2, 8], tiny: [1], full: [4, 16, 64, 256], gpu: { usual: [64], full: [64, 256] }, sweep: true },
    { name: 'warps', what: 'warps that add', min: 1, max: 4096, usual: 64, tiny: 16, gpu: { usual: 4096 } },
  ],
  predictions: [
    besideBest('rate', '64 MiB', { mib: 64 }, 'written lines are stored into the file many at once, beside the reads'),
    {
      what: 'warpfs beside triple_buffer, 64 MiB', unit: 'x', atLeast: 0.95, device: 'cuda',
      because: 'both move each byte once; the host of the other has to read and write it as well',
      measured: beside('rate', 'warpfs', 'triple_buffer', { mib: 64 }),
    },
    {
      what: 'triple_buffer beside warpfs, 8 MiB', unit: 'x', atLeast: 0.67, atMost: 1.51,
      because: 'write-back in the background, in batches, with no fill for lines that are written whole: it should lose less than the 1.51 of BaM, which writes back within the miss',
      measured: beside('rate', 'triple_buffer', 'warpfs', { mib: 8 }),
    },
    {
      what: 'warpfs_map beside warpfs, 8 MiB', unit: 'x', atMost: 1,
      because: 'a page that is mapped for writing is filled first, though all of it will be written: a third more reads',
      measured: beside('rate', 'warpfs_map', 'warpfs', { mib: 8 }),
    },
  ],
  papers: [
    {
      system: 'BaM', what: 'a tiled program beside it', value: 1.51, unit: 'x', on: 'A100, 4 Optane P5800X', source: 'arXiv 2203.04910v3',
      ours: tiledBeside('warpfs'), design: tiledBeside('bam'),
    },
  ],
  figures: [{ title: 'Vector addition with write-back', metric: 'rate', x: { parameter: 'mib', title: 'MiB of each vector', log: true }, y: { title: 'million elements a second', log: true } }],
  points(values, seed) {
    const warps = values.one('warps');
    return values.all('mib').map((mib) => {
      const bytes = mib * 2 ** 20;
      const pieces = bytes / ADD_BYTES;
      const round = roundOf(Array.from({ length: warps }, (_, warp) => piecesOf(warp, warps, pieces, bytes)));
      const sums = Uint32Array.from({ length: bytes / 4 }, (_, word) => wordAt(word, seed) + wordAt(bytes / 4 + word, seed));
      const expected = totalsOf(round, (offset, length) => (offset < 2 * bytes ? 0 : sumOfWords((word) => sums[word] as number, offset - 2 * bytes, length)));
      return {
        parameters: { mib },
        job: { workload: add, fileBytes: 3 * bytes, changedBytes: bytes, cacheBytes: (3 * bytes) / 4, lineBytes: ADD_BYTES, items: warps, accessBytes: ADD_BYTES, io: 'auto', advice: 'normal' },
        task: () => ({
          async measure(system, job) {
            const { milliseconds, values, failure } = await measureWrites(system, round, async ({ totals }) => {
              const item = expected.findIndex((total, index) => total !== totals[index]);
              return item < 0 ? wrongSum(job, sums) : `warp ${item} did not add what the CPU adds`;
            });
            return { values: { ...values, rate: bytes / 4 / milliseconds / 1000 }, failure };
          },
        }),
      };
    });
  },
};

/** Every piece of A and B, then the one of C: those of a warp lie `warps` pieces apart. */
function piecesOf(warp: number, warps: number, pieces: number, bytes: number): Access[] {
  const accesses: Access[] = [];
  for (let piece = warp; piece < pieces; piece += warps) {
    const offset = piece * ADD_BYTES;
    accesses.push({ offset, bytes: ADD_BYTES }, { offset: bytes + offset, bytes: ADD_BYTES }, { offset: 2 * bytes + offset, bytes: ADD_BYTES, mode: ACCESS.overwrite });
  }
  return accesses;
}

/** All of C as the host finds it in the file. */
async function wrongSum(job: Job, sums: Uint32Array): Promise<string | undefined> {
  const bytes = sums.byteLength;
  const file = await open(join(job.root, job.file), 'r');
  try {
    const found = new Uint32Array(sums.length);
    await file.read(new Uint8Array(found.buffer), 0, bytes, 2 * bytes);
    if (Buffer.compare(new Uint8Array(found.buffer), new Uint8Array(sums.buffer)) === 0) return undefined;
    const wrong = found.findIndex((value, word) => value !== sums[word]);
    return `element ${wrong} of C is ${found[wrong]} in the file, and the CPU finds ${sums[wrong]}`;
  } finally {
    await file.close();
  }
}
