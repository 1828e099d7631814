// Micron's first drive for PCIe 6.
import { estimated, flashLatency, published } from './figures.ts';
import type { MediumProfile } from './profile.ts';

const announced = 'announcement of the Micron 9650 (micron.com, "Micron G9 NAND-based SSDs set the pace for AI and cloud", July 2025; blocksandfiles.com, 2025-07-30)';
const like9550 = 'no number was published; as its predecessor 9550 MAX (StorageReview, 2025: typical latency 60 us to read, 15 us to write)';

export const micron9650: MediumProfile = {
  title: 'Micron 9650 PRO',
  queueDepth: estimated(2048, 'as much as its 5.5 million IOPS need, and several times that; NVMe allows more'),
  duplex: { value: 'half', source: 'estimated: no mixed load was published; reads and writes share the flash' },
  read: { ...flashLatency(estimated(60, like9550)), iops: published(5_500_000, announced), megabytesPerSecond: published(28_000, announced) },
  write: { ...flashLatency(estimated(15, like9550)), iops: published(900_000, announced), megabytesPerSecond: published(14_000, announced) },
  sync: flashLatency(estimated(15, 'its writes are safe from a loss of power when they are answered, so a flush is one more command, as long as a write')),
};
