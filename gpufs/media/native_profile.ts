// A profile in the words of the addon: plain numbers, nanoseconds and bytes.
import type { NativeMediumDirection, NativeMediumLatency, NativeMediumProfile } from '../native_medium.ts';
import type { MediumDirection, MediumLatency, MediumProfile } from './profile.ts';

const MEGABYTE = 1e6;

export function nativeProfile(profile: MediumProfile): NativeMediumProfile {
  const { queueDepth, duplex, read, write, burst, sync } = profile;
  return {
    queueDepth: queueDepth.value,
    duplex: duplex.value === 'full',
    read: direction(read),
    write: direction(write),
    burstBytes: (burst?.gigabytes.value ?? 0) * 1e9,
    sustainedBytesPerSecond: (burst?.sustainedMegabytesPerSecond ?? write.megabytesPerSecond).value * MEGABYTE,
    sync: latency(sync),
  };
}

function direction(published: MediumDirection): NativeMediumDirection {
  const { iops, iops512, megabytesPerSecond } = published;
  return { ...latency(published), iops: iops.value, smallIops: (iops512 ?? iops).value, bytesPerSecond: megabytesPerSecond.value * MEGABYTE };
}

function latency({ medianUs, p99Us }: MediumLatency): NativeMediumLatency {
  return { medianNs: medianUs.value * 1000, p99Ns: p99Us.value * 1000 };
}
