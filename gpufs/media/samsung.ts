// Samsung: two drives for PCs, with a write cache of flash that is used as SLC, and one for servers.
import { atDepthOne, estimated, flashLatency, published } from './figures.ts';
import type { MediumLatency, MediumProfile } from './profile.ts';

const half = { value: 'half', source: 'estimated: no mixed load was published; reads and writes share the flash' } as const;

const consumerSync: MediumLatency = {
  medianUs: estimated(1000, 'no number was published; without protection against a loss of power a flush has to program pages of TLC, about a millisecond'),
  p99Us: estimated(3000, 'three pages one after the other'),
};

const sheet980 = 'Samsung SSD 980 PRO data sheet, 1 TB (MZ-V8P1T0B)';
const anandtech980 = 'AnandTech, review 16087 of the 980 PRO (2020), table of specifications, 1 TB';

export const samsung980Pro: MediumProfile = {
  title: 'Samsung 980 PRO, 1 TB',
  queueDepth: published(512, `${sheet980}: queue depth 32 in each of 16 threads`),
  duplex: half,
  read: { ...flashLatency(atDepthOne(22_000, sheet980)), iops: published(1_000_000, sheet980), megabytesPerSecond: published(7000, `${sheet980}; also ${anandtech980}`) },
  write: { ...flashLatency(atDepthOne(60_000, sheet980)), iops: published(1_000_000, sheet980), megabytesPerSecond: published(5000, `${sheet980}; also ${anandtech980}`) },
  burst: { gigabytes: published(114, `${anandtech980}: SLC write cache, at most`), sustainedMegabytesPerSecond: published(2000, `${anandtech980}: sequential writes to TLC`) },
  sync: consumerSync,
};

const sheet990 = 'Samsung SSD 990 PRO data sheet, 2 TB (MZ-V9P2T0B)';

export const samsung990Pro: MediumProfile = {
  title: 'Samsung 990 PRO, 2 TB',
  queueDepth: published(512, `${sheet990}: queue depth 32 in each of 16 threads`),
  duplex: half,
  read: { ...flashLatency(atDepthOne(22_000, sheet990)), iops: published(1_400_000, sheet990), megabytesPerSecond: published(7450, sheet990) },
  write: { ...flashLatency(atDepthOne(80_000, sheet990)), iops: published(1_550_000, sheet990), megabytesPerSecond: published(6900, sheet990) },
  burst: { gigabytes: published(226, `${sheet990}: TurboWrite`), sustainedMegabytesPerSecond: published(1400, `${sheet990}: behind TurboWrite`) },
  sync: consumerSync,
};

const announced = 'announcement of the PM1743 by Samsung, 2021-12-23 (AnandTech of the same day)';
const like9550 = 'no number was published; as the Micron 9550 MAX, a drive of the same kind (StorageReview, 2025: typical latency 60 us to read, 15 us to write)';

export const samsungPm1743: MediumProfile = {
  title: 'Samsung PM1743, 15.36 TB',
  queueDepth: estimated(1024, 'as much as its 2.5 million IOPS need, and as much again; NVMe allows more'),
  duplex: half,
  read: { ...flashLatency(estimated(60, like9550)), iops: published(2_500_000, announced), megabytesPerSecond: published(13_000, announced) },
  write: { ...flashLatency(estimated(15, like9550)), iops: published(250_000, announced), megabytesPerSecond: published(6600, announced) },
  sync: flashLatency(estimated(15, 'its writes are safe from a loss of power when they are answered, so a flush is one more command, as long as a write')),
};
