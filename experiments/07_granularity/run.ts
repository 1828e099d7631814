// Reads of 512 B to 1 MB. The question and the predictions are in README.md.
import type { Experiment, Finder } from '../experiment.ts';
import { randomAccesses, randomOf, roundOf, totalsOfReads } from '../lists.ts';
import { gigabytesPerSecond, rate, readTask } from '../tasks.ts';
import { beside, ratio } from '../verdict.ts';
import { read } from '../workloads/read.ts';

const LINE_LEAST = 512;
const LINE_MOST = 4096;
const SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288, 1048576];

export const experiment: Experiment = {
  name: 'granularity',
  title: 'Granularity',
  question: 'From which size of a read on does a design in which the CPU begins every transfer keep up with one in which warps do?',
  metrics: { bandwidth: 'GB/s', rate: 'kreads/s' },
  options: [
    { name: 'bytes', what: 'bytes of one read', min: 512, max: 1_048_576, usual: [512, 4096, 32768, 262144, 1048576], tiny: [512, 4096, 65536], full: SIZES, gpu: { full: [512, 4096, 16_384, 65_536, 262_144, 1_048_576] }, sweep: true },
    { name: 'mib', what: 'bytes of one timed run in MiB', min: 1, max: 65_536, usual: 16, tiny: 1, full: 256, gpu: { usual: 64 } },
    { name: 'file-mib', what: 'size of the file in MiB', min: 4, max: 1_048_576, usual: 64, tiny: 4, full: 1024, gpu: { usual: 512 } },
    { name: 'warps', what: 'warps that read', min: 1, max: 4096, usual: 16, tiny: 4, gpu: { usual: 128 } },
  ],
  predictions: [
    {
      what: 'smallest read at which host_initiated reaches 95 % of warpfs', unit: 'B', atMost: 4096,
      because: 'on this device nobody launches over a bus and both sides pay one pread for each read; a batch saves the ring, which is dearest where reads are small',
      measured: (find) => firstSize(find),
    },
    {
      what: 'rate of warpfs with 512 B, beside that with 4 KB', unit: 'x', atLeast: 1, atMost: 3,
      because: 'what a request costs does not depend on its size; what a copy and a sum cost does',
      measured: (find) => ratio(find('rate', 'warpfs', { bytes: 512 }), find('rate', 'warpfs', { bytes: 4096 })),
    },
    {
      what: 'host_initiated beside warpfs, 64 KB', unit: 'x', atLeast: 0.95, device: 'cuda',
      because: 'GDS, in which the CPU begins every transfer as well, saturates its bus from 32 KB on',
      measured: beside('bandwidth', 'host_initiated', 'warpfs', { bytes: 65_536 }),
    },
  ],
  papers: [
    { system: 'GDS', what: 'size from which it saturates the bus', value: 32768, unit: 'B', on: 'A100, PCIe Gen4', source: 'arXiv 2203.04910v3', ours: firstSize },
    {
      system: 'BaM', what: 'random reads of 4 KB, 4 SSDs', value: 25, unit: 'GB/s', on: 'A100, PCIe Gen4', source: 'arXiv 2203.04910v3',
      ours: (find) => find('bandwidth', 'warpfs', { bytes: 4096 }), design: (find) => find('bandwidth', 'bam', { bytes: 4096 }),
    },
    {
      system: 'BaM', what: 'random reads of 512 B, emulated SSD', value: 12.3, unit: 'GB/s', on: 'H200, PCIe Gen5', source: 'own measurement of its code',
      ours: (find) => find('bandwidth', 'warpfs', { bytes: 512 }), design: (find) => find('bandwidth', 'bam', { bytes: 512 }),
    },
  ],
  figures: [
    {
      title: 'Granularity', metric: 'bandwidth', x: { parameter: 'bytes', title: 'bytes of a read', log: true }, y: { title: 'GB/s', log: true },
      marks: [{ x: 32768, label: 'GDS keeps up (paper)' }],
    },
  ],
  points(values, seed) {
    const fileBytes = values.one('file-mib') * 2 ** 20;
    const warps = values.one('warps');
    return values.all('bytes').map((bytes) => ({
      parameters: { bytes },
      job: {
        workload: read, fileBytes, cacheBytes: fileBytes / 4, lineBytes: Math.min(LINE_MOST, Math.max(LINE_LEAST, bytes)), items: warps, accessBytes: bytes,
        io: 'auto', advice: 'normal',
      },
      task(run) {
        const count = Math.max(1, Math.floor((values.one('mib') * 2 ** 20) / bytes / warps));
        const round = roundOf(randomAccesses(randomOf(seed, run), { items: warps, count, bytes, fileBytes }));
        const expected = totalsOfReads(round, seed);
        return readTask(round, expected, (result) => ({ bandwidth: gigabytesPerSecond(result, round), rate: rate(result, round) }));
      },
    }));
  },
};

function firstSize(find: Finder): number | undefined {
  return SIZES.find((bytes) => {
    const [host, warps] = [find('bandwidth', 'host_initiated', { bytes }), find('bandwidth', 'warpfs', { bytes })];
    return host !== undefined && warps !== undefined && host >= 0.95 * warps;
  });
}
