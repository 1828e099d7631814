// Intel Optane P5800X: one drive, and ten of them behind one link as in the paper about BaM.
import { estimated, published } from './figures.ts';
import type { MediumLatency, MediumProfile } from './profile.ts';

const brief = 'Intel Optane SSD P5800X series, product brief and ark.intel.com (2020)';
const bam = 'Qureshi et al., BaM, arXiv 2203.04910v3';
const spread = 'the spread of its predecessor P4800X at queue depth 1, median 9 us and 99th percentile 10 us (AnandTech, review 11209, 2017)';

const latency: MediumLatency = { medianUs: published(5, `${brief}: typical latency`), p99Us: estimated((5 * 10) / 9, spread) };
const sync: MediumLatency = {
  medianUs: estimated(5, 'no number was published; its writes are safe from a loss of power when they are answered, so a flush is one more command'),
  p99Us: estimated((5 * 10) / 9, 'one more command, as long as a write'),
};
const queueDepth = estimated(1024, 'deeper than any load that was published; NVMe allows more');

export const optaneP5800x: MediumProfile = {
  title: 'Intel Optane P5800X, 1.6 TB',
  queueDepth,
  duplex: { value: 'full', source: `estimated: mixed loads reach more than reads alone (${brief})` },
  read: {
    ...latency,
    iops: published(1_500_000, `${brief}; also ${bam}, table of SSDs`),
    iops512: published(4_900_000, 'artifact of BaM for ASPLOS 2023 (github.com/ZaidQureshi/bam, asplosaoe logs): blocks of 512 bytes, one drive'),
    megabytesPerSecond: published(7200, brief),
  },
  write: {
    ...latency,
    iops: published(1_500_000, `${bam}, table of SSDs`),
    iops512: estimated(1_060_000, `a tenth of what ten drives reach (${bam})`),
    megabytesPerSecond: published(6200, brief),
  },
  sync,
};

const link = `one PCIe 4.0 x16 link, measured at 25 GB/s (${bam})`;

export const optaneP5800x10: MediumProfile = {
  title: 'ten Intel Optane P5800X behind one PCIe 4.0 x16 link',
  queueDepth: estimated(10_240, 'ten times that of one drive'),
  duplex: { value: 'full', source: 'PCI Express Base Specification 4.0: each lane has a pair of wires for each direction' },
  read: {
    ...latency,
    iops: estimated(25e9 / 4096, link),
    iops512: published(45_800_000, `${bam}: random reads of 512 bytes`),
    megabytesPerSecond: published(25_000, link),
  },
  write: {
    ...latency,
    iops: estimated(25e9 / 4096, link),
    iops512: published(10_600_000, `${bam}: random writes of 512 bytes`),
    megabytesPerSecond: estimated(25_000, link),
  },
  sync,
};
