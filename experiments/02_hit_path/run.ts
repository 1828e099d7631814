// Reads of bytes that are all in memory. The question and the predictions are in README.md.
import { besideBest } from '../beside_best.ts';
import type { Experiment, Finder } from '../experiment.ts';
import { randomAccesses, randomOf, roundOf, totalsOfReads } from '../lists.ts';
import { gigabytesPerSecond, rate, readTask } from '../tasks.ts';
import { beside } from '../verdict.ts';
import { read } from '../workloads/read.ts';

const PAGE = 4096;
const OWN = 'own measurement of its code';
const H200 = 'H200, 1 GiB resident';

const of = (system: string, bytes: number): ((find: Finder) => number | undefined) => (find) => find('bandwidth', system, { bytes });

export const experiment: Experiment = {
  name: 'hit_path',
  title: 'Hits',
  question: 'What does an access cost when everything is in memory already: what does each design take for finding, holding and letting go?',
  metrics: { bandwidth: 'GB/s', rate: 'kreads/s', hit_ratio: '%' },
  options: [
    { name: 'bytes', what: 'bytes of one read', min: 16, max: 4096, usual: [256, 1024, 4096], tiny: [256, 4096], full: [64, 128, 256, 512, 1024, 2048, 4096], gpu: { full: [64, 256, 1024, 4096] }, sweep: true },
    { name: 'reads', what: 'reads of each warp in a timed run', min: 1, max: 1_000_000, usual: 400, tiny: 20, full: 4000, gpu: { usual: 200, full: 250 } },
    { name: 'repeats', what: 'times that a timed run goes through its list', min: 1, max: 100_000, usual: 4, tiny: 4, gpu: { usual: 8 } },
    { name: 'warps', what: 'warps that read', min: 1, max: 4096, usual: 64, tiny: 8, gpu: { usual: 4096 } },
    { name: 'file-mib', what: 'size of the file in MiB', min: 1, max: 65_536, usual: 16, tiny: 2, full: 256, gpu: { usual: 256, full: 512 } },
  ],
  predictions: [
    besideBest('bandwidth', '4 KiB', { bytes: 4096 }, 'a hit in place takes two read-modify-writes of a word of the line, and a copy out none'),
    {
      what: 'hit ratio of warpfs, 4 KB', unit: '%', atLeast: 100,
      because: 'the cache is twice the file, and a read of all of it came before',
      measured: (find) => find('hit_ratio', 'warpfs', { bytes: PAGE }),
    },
    {
      what: 'warpfs_map beside warpfs, 4 KB', unit: 'x', atLeast: 1.1,
      because: 'both pin and unpin one line and add up 4 KB, and gmmap does not copy it first',
      measured: beside('rate', 'warpfs_map', 'warpfs', { bytes: PAGE }),
    },
    {
      what: 'mapped beside warpfs_map, 4 KB', unit: 'x', atLeast: 1, atMost: 6,
      because: 'a pointer into the file needs no lookup, no pin and no meeting of the lanes; adding up 4 KB costs both the same',
      measured: beside('rate', 'mapped', 'warpfs_map', { bytes: PAGE }),
    },
  ],
  papers: [
    { system: 'BaM', what: 'array[], 256 B of a warp, as shipped', value: 70.6, unit: 'GB/s', on: H200, source: OWN, ours: of('warpfs', 256), design: of('bam', 256) },
    { system: 'BaM', what: 'array[], 256 B of a warp, without its two shared counters', value: 335, unit: 'GB/s', on: H200, source: OWN, ours: of('warpfs', 256), design: of('bam', 256) },
    { system: 'BaM', what: 'bam_ptr.memref, pages of 4 KB, as shipped', value: 795, unit: 'GB/s', on: H200, source: OWN, ours: of('warpfs_map', PAGE), design: of('bam', PAGE) },
    { system: 'BaM', what: 'bam_ptr.memref, pages of 4 KB, without its counters', value: 2732, unit: 'GB/s', on: H200, source: OWN, ours: of('warpfs_map', PAGE), design: of('bam', PAGE) },
    { system: 'AGILE', what: 'array[], 256 B of a warp', value: 330, unit: 'GB/s', on: H200, source: OWN, ours: of('warpfs', 256), design: of('agile', 256) },
    { system: 'GPUfs', what: 'gread of 4 KB', value: 276, unit: 'GB/s', on: H200, source: OWN, ours: of('warpfs', PAGE), design: of('gpufs_gread', PAGE) },
    { system: 'GPUfs', what: 'gmmap of 4 KB in place', value: 820, unit: 'GB/s', on: H200, source: OWN, ours: of('warpfs_map', PAGE), design: of('gpufs_style', PAGE) },
    { system: 'BaM', what: 'hot cache', value: 430, unit: 'GB/s', on: 'A100', source: 'arXiv 2203.04910v3' },
    { system: 'ceiling', what: 'random 4 KB lines with pin and unpin, nothing else', value: 4036, unit: 'GB/s', on: H200, source: 'own measurement' },
  ],
  figures: [{ title: 'Hits', metric: 'bandwidth', x: { parameter: 'bytes', title: 'bytes of a read', log: true }, y: { title: 'GB/s', log: true } }],
  points(values, seed) {
    const fileBytes = values.one('file-mib') * 2 ** 20;
    const warps = values.one('warps');
    return values.all('bytes').map((bytes) => ({
      parameters: { bytes },
      job: { workload: read, fileBytes, cacheBytes: fileBytes * 2, lineBytes: PAGE, items: warps, accessBytes: PAGE, io: 'auto', advice: 'normal' },
      task(run) {
        // The run that is not counted reads all of the file.
        const accesses = run === 0 ? everyPage(fileBytes, warps) : randomAccesses(randomOf(seed, run), { items: warps, count: values.one('reads'), bytes, fileBytes });
        const round = roundOf(accesses, { repeats: run === 0 ? 1 : values.one('repeats') });
        const expected = totalsOfReads(round, seed);
        return readTask(round, expected, (result) => ({ bandwidth: gigabytesPerSecond(result, round), rate: rate(result, round) }));
      },
    }));
  },
};

function everyPage(fileBytes: number, warps: number): { offset: number; bytes: number }[][] {
  const pages = fileBytes / PAGE;
  const share = Math.ceil(pages / warps);
  return Array.from({ length: warps }, (_, warp) => {
    const mine = Math.max(0, Math.min(share, pages - warp * share));
    return Array.from({ length: mine }, (__, index) => ({ offset: (warp * share + index) * PAGE, bytes: PAGE }));
  });
}
