// Memory of another machine, over Thunderbolt 5: by RDMA, and by TCP.
import { estimated, published } from './figures.ts';
import type { MediumDirection, MediumProfile } from './profile.ts';

const full = { value: 'full', source: 'Thunderbolt 5 has 80 Gbit/s in each direction (Intel, Thunderbolt 5 technology brief, 2023)' } as const;

const rdmaReports = 'users of macOS 26.2 report 5 to 9 us (techboards.net thread 5374, 2025); ib_write_lat gives 7 us between Linux machines (blog.hellas.ai, AD/FA57)';
const rdma: MediumDirection = {
  medianUs: published(7, rdmaReports),
  p99Us: estimated(9, rdmaReports),
  iops: estimated(7.4e9 / 4096, 'as many as the bandwidth carries; no rate of messages was published'),
  megabytesPerSecond: published(7400, 'JACCL between Macs, up to 7.4 GB/s (zingnex.cn, "Thunderbolt 5 RDMA Cluster Practice", 2026-04-07)'),
};

export const rdmaThunderbolt5: MediumProfile = {
  title: 'memory of another Mac, by RDMA over Thunderbolt 5',
  queueDepth: estimated(256, 'as many requests as the bandwidth needs, and several times that'),
  duplex: full,
  read: rdma,
  write: rdma,
  sync: { medianUs: estimated(7, 'one more way there and back'), p99Us: estimated(9, 'one more way there and back') },
};

const tcpReports = 'about 300 us between Macs by TCP over Thunderbolt (adwaitx.com about TN3205, 2026; NetworkChuck, 2025)';
const tcp: MediumDirection = {
  medianUs: published(300, tcpReports),
  p99Us: estimated(600, 'no percentile was published; twice the median, for what the schedulers of both machines add'),
  iops: estimated(200_000, 'no rate of messages was published; 5 us of one core for each'),
  megabytesPerSecond: estimated(5000, 'no measurement was found; half of the 80 Gbit/s of the link'),
};

export const tcpThunderbolt5: MediumProfile = {
  title: 'memory of another Mac, by TCP over Thunderbolt 5',
  queueDepth: estimated(256, 'as many requests as its rate needs, and several times that'),
  duplex: full,
  read: tcp,
  write: tcp,
  sync: { medianUs: estimated(300, 'one more way there and back'), p99Us: estimated(600, 'one more way there and back') },
};
