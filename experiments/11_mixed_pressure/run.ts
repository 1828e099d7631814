// Reads and updates of a file four times the memory for it, and every byte of it checked at the end. The question and the predictions are in README.md.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wordAt } from '../../gpufs/bench/data_set.ts';
import { besideBest } from '../beside_best.ts';
import type { Experiment, Task } from '../experiment.ts';
import { type Access, randomOf, roundOf, shares, shuffled, wrongTotal } from '../lists.ts';
import { accessesOf, measureWrites } from '../tasks.ts';
import { beside, ratio } from '../verdict.ts';
import { ACCESS, type Round } from '../workload.ts';
import { changeFile, update } from '../workloads/update.ts';

const PAGE = 4096;

export const experiment: Experiment = {
  name: 'mixed_pressure',
  title: 'Reads and updates under pressure',
  question: 'How fast is each design when warps read and change pages of a file that does not fit, and is every byte of it right at the end?',
  metrics: { rate: 'kaccesses/s', sync: 'ms' },
  options: [
    { name: 'updates', what: 'of 100 accesses so many change their page', min: 0, max: 100, usual: [10, 50, 90], tiny: [50], full: [0, 10, 25, 50, 75, 90, 100], gpu: { full: [10, 50, 90] }, sweep: true },
    { name: 'accesses', what: 'of each warp in a timed run', min: 1, max: 1_000_000, usual: 60, tiny: 16, full: 1000, gpu: { full: 16 } },
    { name: 'file-mib', what: 'size of the file in MiB', min: 1, max: 4096, usual: 16, tiny: 2, full: 256, gpu: { usual: 128, full: 256 } },
    { name: 'warps', what: 'warps', min: 1, max: 4096, usual: 64, tiny: 8, gpu: { usual: 4096 } },
  ],
  predictions: [
    besideBest('rate', '50 updates in 100', { updates: 50 }, 'written lines are stored many at once and in the background, none within a miss'),
    {
      what: 'warpfs with 90 updates in 100, beside 10', unit: 'x', atLeast: 0.3, atMost: 0.9,
      because: 'three of four accesses miss either way, and with updates each eviction is a write as well: two transfers in the place of one, and a sync',
      measured: (find) => ratio(find('rate', 'warpfs', { updates: 90 }), find('rate', 'warpfs', { updates: 10 })),
    },
    {
      what: 'triple_buffer beside warpfs, 50 updates in 100', unit: 'x', atLeast: 0.5, atMost: 2,
      because: 'both move the same pages by the same preads and pwrites of one thread; one has a ring and a cache that hits for a quarter, the other a launch for each third of the memory',
      measured: beside('rate', 'triple_buffer', 'warpfs', { updates: 50 }),
    },
  ],
  papers: [
    { system: 'BaM', what: 'random writes of 512 B', value: 10_600, unit: 'kaccesses/s', on: 'A100, 10 Optane P5800X', source: 'arXiv 2203.04910v3' },
  ],
  figures: [{ title: 'Reads and updates under pressure', metric: 'rate', x: { parameter: 'updates', title: 'updates in 100 accesses' }, y: { title: 'thousand accesses a second' } }],
  points(values, seed) {
    const fileBytes = values.one('file-mib') * 2 ** 20;
    const warps = values.one('warps');
    const pages = fileBytes / PAGE;
    const count = Math.min(values.one('accesses'), Math.floor(pages / warps));
    return values.all('updates').map((updates) => {
      // What the file has to be: each system has a file of its own and makes the same runs in the same order.
      const file = Uint32Array.from({ length: fileBytes / 4 }, (_, word) => wordAt(word, seed));
      return {
        parameters: { updates },
        job: { workload: update, fileBytes, changedBytes: Math.ceil((warps * count * updates) / 100) * PAGE, cacheBytes: fileBytes / 4, lineBytes: PAGE, items: warps, accessBytes: PAGE, io: 'auto', advice: 'normal' },
        task(run) {
          const random = randomOf(seed + updates, run);
          const order = shuffled(random, pages);
          const accesses = shares(order, warps, count, (page): Access => ({ offset: page * PAGE, bytes: PAGE, mode: random.below(100) < updates ? ACCESS.update : ACCESS.read }));
          return taskOf(roundOf(accesses), file);
        },
      };
    });
  },
};

/** No page is in a round twice, so what is read is what the file was before it. */
function taskOf(round: Round, file: Uint32Array): Task {
  const expected = changeFile(file, round);
  return {
    async measure(system, job) {
      const { milliseconds, values, failure } = await measureWrites(system, round, async ({ totals }) => wrongTotal(totals, expected) ?? wrongFile(join(job.root, job.file), file));
      return { values: { ...values, rate: accessesOf(round) / milliseconds }, failure };
    },
  };
}

async function wrongFile(path: string, expected: Uint32Array): Promise<string | undefined> {
  const bytes = await readFile(path);
  if (bytes.length !== expected.byteLength) return `the file has ${bytes.length} bytes, and ${expected.byteLength} are right`;
  if (Buffer.compare(bytes, Buffer.from(expected.buffer)) === 0) return undefined;
  const found = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const word = expected.findIndex((value, index) => value !== found[index]);
  return `the word at byte ${word * 4} of the file is ${found[word]}, and the CPU finds ${expected[word]}`;
}
