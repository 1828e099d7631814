// The internal storage of Macs. Apple publishes next to nothing of it: bandwidths were measured by others, the rest comes from what drivers and
// users say of one generation or another, and is taken for all.
import { atDepthOne, estimated, flashLatency, published } from './figures.ts';
import type { Figure, MediumProfile } from './profile.ts';

const pageFaults = 'page faults of a mapped file, reported for a Mac with Apple silicon (github.com, antirez/ds4 issue 172); no measurement by model was found';
const flush = 'commit b27dc7ae39cb "apple-nvme: defer cache flushes" (Jens Axboe, 2022), of the M1';

interface Measured {
  title: string;
  read: Figure;
  write: Figure;
}

function appleStorage({ title, read, write }: Measured): MediumProfile {
  return {
    title,
    queueDepth: published(63, 'drivers/nvme/host/apple.c of Linux: APPLE_ANS_MAX_QUEUE_DEPTH is 64, one of them is not for transfers'),
    duplex: { value: 'half', source: 'estimated: no mixed load was published; reads and writes share the flash' },
    read: {
      ...flashLatency(estimated(40, `25,000 requests per second at queue depth 1: ${pageFaults}`)),
      iops: estimated(Math.min(500_000, (read.value * 1e6) / 4096), `at queue depth 32: ${pageFaults}`),
      megabytesPerSecond: read,
    },
    write: {
      ...flashLatency(atDepthOne(12_000, `random writes without their flushes, ${flush}`)),
      iops: estimated(250_000, 'no number was found; half of the reads'),
      megabytesPerSecond: write,
    },
    sync: {
      medianUs: published(17_500, `17 to 18 ms: ${flush}`),
      p99Us: estimated(18_000, `17 to 18 ms: ${flush}`),
    },
  };
}

const applech2 = 'Blackmagic Disk Speed Test (applech2.com, 2024-11-10)';
const verge = 'The Verge, review of the MacBook Pro with M5 Max (2026): 13.6 and 17.8 GB/s there, 86 and 123 % more than the M4 Max';
const m2Pro = 'no measurement was found; as the M2 Pro with 2 TB (howtogeek.com 867696, 2023)';
const m5 = 'Blackmagic Disk Speed Test by Max Tech, MacBook Pro 14 inch of 2025 (tomshardware.com, October 2025)';

export const appleM1 = appleStorage({
  title: 'internal storage of a Mac mini with M1, 256 GB',
  read: published(2750.6, `${applech2}: AP0256Q`),
  write: published(2150.1, `${applech2}: AP0256Q`),
});

export const appleM4 = appleStorage({
  title: 'internal storage of a Mac mini with M4, 256 GB',
  read: published(2792.5, `${applech2}: AP0256Z`),
  write: published(2014.5, `${applech2}: AP0256Z`),
});

export const appleM4Pro = appleStorage({
  title: 'internal storage of a Mac with M4 Pro',
  read: estimated(5372, m2Pro),
  write: estimated(6491, m2Pro),
});

export const appleM4Max = appleStorage({
  title: 'internal storage of a MacBook Pro with M4 Max',
  read: estimated(Math.round(13_600 / 1.86), verge),
  write: estimated(Math.round(17_800 / 2.23), verge),
});

export const appleM5 = appleStorage({
  title: 'internal storage of a MacBook Pro with M5',
  read: published(6323, m5),
  write: published(6068, m5),
});
