// How lines are filled, and what that costs warps that only compute. The question and the predictions are in README.md.
import type { Experiment, Point, Prediction, Task } from '../experiment.ts';
import { randomOf, roundOf, shares, shuffled, totalsOfReads, wrongTotal } from '../lists.ts';
import type { Round } from '../workload.ts';
import { beside, computedBeside } from '../workloads/beside.ts';
import { interferenceOf } from './interference.ts';

const PAGE = 4096;
const CONCCL = { system: 'ConCCL', unit: '% of ideal', on: 'AMD MI300X, GEMMs beside collectives', source: 'arXiv 2412.14335' };

const fills = ['host', 'pull', 'push', 'map'] as const;

export const experiment: Experiment = {
  name: 'filling',
  title: 'Filling lines beside computing',
  question: 'How fast do lines get filled by pull, push and map, and how much does each slow down warps that only compute beside it?',
  metrics: { fill_rate: 'GB/s', slow_down: '%', compute_alone: 'us', compute_beside: 'us', covered: '%' },
  options: [
    { name: 'work', what: 'multiplications of each lane that computes, one after another', min: 1, max: 1_000_000_000, usual: 5000, tiny: 500, full: 100_000, gpu: { usual: 2_000_000 } },
    { name: 'computers', what: 'warps that compute', min: 1, max: 65_536, usual: 400, tiny: 40, full: 2048, gpu: { usual: 2048 } },
    { name: 'readers', what: 'warps that read', min: 1, max: 4096, usual: 8, tiny: 4, full: 256, gpu: { usual: 256 } },
    { name: 'reads', what: 'pages that each of them reads', min: 1, max: 1_000_000, usual: 1000, tiny: 40, full: 500, gpu: { usual: 1000 } },
  ],
  predictions: [
    {
      what: 'slow-down by the threads of the host, two cores', unit: '%', atLeast: 0, atMost: 60,
      because: 'two workers and one thread of the host share two cores, so a third of the time is the most that it can take: 50 %, and some noise',
      measured: (find) => find('slow_down', 'warpfs', { fill: 'host' }),
    },
    {
      what: 'lines filled by the host meanwhile', unit: 'GB/s', atLeast: 0.05, atMost: 0.8,
      because: 'a warp that computes leaves its worker only at its end, 0.1 to 0.2 ms later: each of 8 readers then has its page and asks for one more, which gives 0.2 to 0.3 GB/s',
      measured: (find) => find('fill_rate', 'warpfs', { fill: 'host' }),
    },
    ...['pull', 'map'].map((fill): Prediction => ({
      what: `slow-down by ${fill}`, unit: '%', atMost: 5, device: 'cuda',
      because: 'warps that load over the bus wait most of the time, and what computes in registers has the multiprocessors meanwhile',
      measured: (find) => find('slow_down', 'warpfs', { fill }),
    })),
  ],
  papers: [
    { ...CONCCL, what: 'speed-up of computing beside communication by kernels, of what both alone allow', value: 21 },
    { ...CONCCL, what: 'the same with priorities and a share of the compute units for each', value: 42 },
    { ...CONCCL, what: 'the same with communication by copy engines', value: 72 },
  ],
  figures: [
    { title: 'Lines filled while warps compute', metric: 'fill_rate', x: { parameter: 'fill', title: 'filled by', names: true }, y: { title: 'GB/s' } },
    { title: 'What filling costs warps that compute', metric: 'slow_down', x: { parameter: 'fill', title: 'filled by', names: true }, y: { title: 'percent longer' } },
  ],
  points(values, seed) {
    const [rounds, computers, readers, reads] = [values.one('work'), values.one('computers'), values.one('readers'), values.one('reads')];
    // Each page is read once in a round; what is left of the round before is an eighth.
    const fileBytes = readers * reads * PAGE;
    const items = readers + computers;
    return fills.map((fill): Point => ({
      parameters: { fill },
      systems: ['warpfs'],
      onlyOn:
        fill === 'host'
          ? { device: 'cpu', because: 'the host reads into lines where they are its own memory: a GPU of NVIDIA fills them by pull, push or map, and kernels of Metal have no clock' }
          : { device: 'cuda', because: 'only the cuda device fills lines in more than one way: on another one the host reads into them' },
      job: {
        workload: beside, fileBytes, cacheBytes: Math.max(2 ** 18, fileBytes / 8), lineBytes: PAGE, items, accessBytes: PAGE, io: 'auto', advice: 'normal',
        ...(fill === 'host' ? {} : { fill }),
      },
      task(run) {
        const order = shuffled(randomOf(seed, run), readers * reads);
        const accesses = shares(order, readers, reads, (page) => ({ offset: page * PAGE, bytes: PAGE }));
        const more = { inputs: { readers, rounds }, outputs: { began: computers, ended: computers, read_at: readers * reads } };
        const reading = roundOf([...accesses, ...Array.from({ length: computers }, () => [])], more);
        const idle: Round = { ...reading, lengths: new Uint32Array(reading.lengths.length) };
        return taskOf({ reading, idle, seed, readers, rounds, idleFirst: run % 2 === 1 });
      },
    }));
  },
};

function taskOf({ reading, idle, seed, readers, rounds, idleFirst }: { reading: Round; idle: Round; seed: number; readers: number; rounds: number; idleFirst: boolean }): Task {
  const expectedOf = (round: Round): Uint32Array =>
    totalsOfReads(round, seed).map((total, item) => (item < readers ? total : computedBeside(item, rounds)));
  const expected = { reading: expectedOf(reading), idle: expectedOf(idle) };
  return {
    async measure(system) {
      const alone = idleFirst ? await system.run(idle) : undefined;
      const before = system.counters?.();
      const read = await system.run(reading);
      const after = system.counters?.();
      const idled = alone ?? (await system.run(idle));
      const missed = before === undefined || after === undefined ? 1 : (after.misses - before.misses) / Math.max(1, after.misses - before.misses + after.hits - before.hits);
      return {
        values: { ...interferenceOf(read, idled, { pageBytes: PAGE, missed }) },
        failure: wrongTotal(read.totals, expected.reading) ?? wrongTotal(idled.totals, expected.idle),
      };
    },
  };
}
