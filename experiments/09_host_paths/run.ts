// The ways in which the host can get at the bytes of a file, with the memory of the host warm and cold. The question and the predictions are in README.md.
import { loadNativeBinding, mapAdvices, URING_WORKS } from '../../gpufs/native_binding.ts';
import type { Experiment, Point } from '../experiment.ts';
import { randomAccesses, randomOf, roundOf, totalsOfReads } from '../lists.ts';
import { gigabytesPerSecond, rate, readTask } from '../tasks.ts';
import { loadsOf } from './loads.ts';
import { metalPredictions } from './metal_predictions.ts';
import { ratio } from '../verdict.ts';
import { read } from '../workloads/read.ts';

const PAGE = 4096;

const ofMetal = { device: 'metal', because: 'only the metal device has Metal read its files' } as const;

type Way = Pick<Point['job'], 'io' | 'advice'> & Pick<Point, 'onlyOn'> & { path: string; systems: string[] };

/** The cache is the same for all that go through it, and the mapping the same but for its advice. */
const ways: Way[] = [
  { path: 'pread', systems: ['warpfs', 'host_initiated'], io: 'pread', advice: 'normal' },
  { path: 'io_uring', systems: ['warpfs'], io: 'uring', advice: 'normal' },
  // What Metal reads goes with replay alone, so pread is beside it in the same way.
  { path: 'pread_replay', systems: ['warpfs_replay'], io: 'pread', advice: 'normal', onlyOn: ofMetal },
  { path: 'mtlio_replay', systems: ['warpfs_replay'], io: 'mtlio', advice: 'normal', onlyOn: ofMetal },
  ...mapAdvices.map((advice) => ({ path: `mmap_${advice}`, systems: ['mapped'], io: 'pread' as const, advice })),
];

export const experiment: Experiment = {
  name: 'host_paths',
  title: 'Host I/O paths',
  question: 'Which way of the host to the bytes of a file serves random pages best, from its memory and from the disk?',
  metrics: { rate: 'kreads/s', bandwidth: 'GB/s' },
  options: [
    { name: 'cold', what: '1: the host has to forget the file before each run; 0: it is in its memory', min: 0, max: 1, usual: [0, 1], tiny: [0, 1], sweep: true },
    { name: 'reads', what: 'reads of one timed run', min: 64, max: 10_000_000, usual: 3200, tiny: 128, full: 32_000, gpu: { usual: 50_000, full: 200_000 } },
    { name: 'file-mib', what: 'size of the file in MiB', min: 1, max: 1_048_576, usual: 64, tiny: 4, full: 1024, gpu: { usual: 256, full: 1024 } },
    { name: 'warps', what: 'warps that read', min: 1, max: 4096, usual: 64, tiny: 8, gpu: { usual: 1024 } },
    { name: 'load-kib', what: 'size of one load without a mount in KiB', min: 4, max: 65_536, usual: [4, 16, 64, 1024], tiny: [4, 64], sweep: true },
    { name: 'threads', what: 'threads of the host that move bytes', min: 1, max: 64, usual: 1, tiny: 1, gpu: { usual: 8 } },
  ],
  predictions: [
    {
      what: 'io_uring beside pread, cold', unit: 'x', atLeast: 1.5,
      because: 'one thread that preads waits for one page of the disk at a time; io_uring has those of all warps under way',
      measured: (find) => ratio(find('rate', 'warpfs', { path: 'io_uring', cold: 1 }), find('rate', 'warpfs', { path: 'pread', cold: 1 })),
    },
    {
      what: 'io_uring beside pread, warm', unit: 'x', atLeast: 0.6, atMost: 1.2,
      because: 'from the page cache nothing is waited for, and the queues of io_uring only cost',
      measured: (find) => ratio(find('rate', 'warpfs', { path: 'io_uring', cold: 0 }), find('rate', 'warpfs', { path: 'pread', cold: 0 })),
    },
    {
      what: 'mmap_random beside mmap_normal, cold', unit: 'x', atMost: 1,
      because: 'a fifth of all pages is read: what is read around a page is wanted by somebody else soon, and random reads none of it',
      measured: (find) => ratio(find('rate', 'mapped', { path: 'mmap_random', cold: 1 }), find('rate', 'mapped', { path: 'mmap_normal', cold: 1 })),
    },
    ...metalPredictions,
  ],
  papers: [
    { system: 'pread', what: 'copies of 4 KB by 12 threads, with BaM above them', value: 9850, unit: 'kreads/s', on: 'H200, 16 cores', source: 'own measurement of its code' },
    { system: 'SPDK', what: 'CPU-initiated random reads, 8 cores, 16 PM1753', value: 61_700, unit: 'kreads/s', on: 'H100, PCIe Gen5', source: 'AiSIO' },
  ],
  figures: [
    { title: 'Host I/O paths, from memory', metric: 'rate', where: { cold: 0, bytes: PAGE }, x: { parameter: 'path', title: 'path', names: true }, y: { title: 'thousand reads a second', log: true } },
    { title: 'Host I/O paths, from the disk', metric: 'rate', where: { cold: 1, bytes: PAGE }, x: { parameter: 'path', title: 'path', names: true }, y: { title: 'thousand reads a second', log: true } },
    { title: 'Loads of 64 KiB without a mount, from memory', metric: 'bandwidth', where: { cold: 0, bytes: 65_536 }, x: { parameter: 'path', title: 'path', names: true }, y: { title: 'GB/s', log: true } },
    { title: 'Loads of 64 KiB without a mount, from the disk', metric: 'bandwidth', where: { cold: 1, bytes: 65_536 }, x: { parameter: 'path', title: 'path', names: true }, y: { title: 'GB/s', log: true } },
  ],
  points(values, seed, device) {
    const fileBytes = values.one('file-mib') * 2 ** 20;
    const allBytes = values.one('reads') * PAGE;
    /** Random accesses of one size, of as many bytes altogether as those of any other. */
    const pointOf = (path: string, cold: number, bytes: number, job: Pick<Point['job'], 'io' | 'advice' | 'loads' | 'threads'>, more: Pick<Point, 'systems' | 'onlyOn' | 'cannot'>): Point => {
      const items = Math.max(1, Math.min(values.one('warps'), Math.floor(allBytes / bytes)));
      return {
        parameters: { path, cold, bytes },
        ...more,
        job: { workload: read, fileBytes, cacheBytes: fileBytes / 16, lineBytes: PAGE, items, accessBytes: bytes, ...job, ...(cold === 1 ? { cold: true as const, ...ofColdMount(device) } : {}) },
        task(run) {
          const count = Math.max(1, Math.round(allBytes / bytes / items));
          const round = roundOf(randomAccesses(randomOf(seed, run), { items, count, bytes, fileBytes }));
          const expected = totalsOfReads(round, seed);
          return readTask(round, expected, (result) => ({ rate: rate(result, round), bandwidth: gigabytesPerSecond(result, round) }));
        },
      };
    };
    const threads = values.one('threads');
    const [first] = values.all('cold');
    const points = values.all('cold').flatMap((cold) => [
      ...ways.map(({ path, systems, io, advice, onlyOn }) => pointOf(path, cold, PAGE, { io, advice, threads }, { systems, ...(onlyOn === undefined ? {} : { onlyOn }), ...(io === 'uring' ? { cannot: withoutUring() } : {}) })),
      ...loadsOf(values.all('load-kib'), device === 'metal').map(({ way, bytes }) => pointOf(way.path, cold, bytes, { io: 'pread', advice: 'normal', threads, ...way.job }, { systems: [way.system], ...(way.onlyOn === undefined ? {} : { onlyOn: way.onlyOn }) })),
    ]);
    // What is for another device is left out once.
    return points.filter(({ onlyOn, parameters }) => onlyOn === undefined || onlyOn.device === device || parameters['cold'] === first);
  },
};

/** What a GPU reads in place stays in memory. In place a mount reads what is there already, so a cold file it pulls in any case. */
function ofColdMount(device: string): { fill?: 'pull' } {
  return device === 'cuda' ? { fill: 'pull' } : {};
}

function withoutUring(): string | undefined {
  const { uring } = loadNativeBinding().binding.host();
  return uring === URING_WORKS ? undefined : `io_uring: ${uring}`;
}
