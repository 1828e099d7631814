// The model against each number of each profile, in virtual time.
import { describe, expect, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import { loadNativeBinding, type NativeMediumLoad } from '../native_binding.ts';
import { media } from './media.ts';
import { nativeProfile } from './native_profile.ts';
import type { MediumProfile } from './profile.ts';

const { missing } = nativePresence();
const profiles: [string, MediumProfile][] = Object.entries(media);

describe.skipIf(missing !== undefined)(missing === undefined ? 'the model of a medium' : `SKIP ${missing}`, () => {
  test.each(profiles)('%s: what it says of itself comes out, within 2 %', (_, profile) => {
    const native = nativeProfile(profile);
    const run = (load: Partial<NativeMediumLoad>) =>
      loadNativeBinding().binding.mediumLoad(native, { write: false, bytes: 4096, depth: 1, requests: 60_000, sync: false, ...load });
    const near = (what: string, actual: number, wanted: number) => expect([what, Math.abs(actual / wanted - 1) < 0.02, actual, wanted]).toEqual([what, true, actual, wanted]);
    for (const write of [false, true]) {
      const name = write ? 'write' : 'read';
      const published = write ? profile.write : profile.read;
      const alone = run({ write });
      near(`${name} median`, alone.medianNs / 1000, published.medianUs.value);
      near(`${name} p99`, alone.p99Ns / 1000, published.p99Us.value);
      const depth = profile.queueDepth.value;
      near(`${name} iops`, run({ write, depth, requests: 400_000 }).perSecond, published.iops.value);
      near(`${name} iops of 512 bytes`, run({ write, bytes: 512, depth, requests: 400_000 }).perSecond, (published.iops512 ?? published.iops).value);
      const large = 2 ** 20;
      near(`${name} bandwidth`, run({ write, bytes: large, depth: 64, requests: 2000 }).bytesPerSecond / 1e6, published.megabytesPerSecond.value);
    }
    if (profile.burst !== undefined) {
      const tooMuch = Math.ceil((4 * profile.burst.gigabytes.value * 1e9) / 2 ** 24);
      near('behind the burst', run({ write: true, bytes: 2 ** 24, depth: 32, requests: tooMuch }).bytesPerSecond / 1e6, profile.burst.sustainedMegabytesPerSecond.value);
    }
    const syncs = run({ write: true, sync: true });
    near('sync median', syncs.medianNs / 1000, profile.sync.medianUs.value);
    near('sync p99', syncs.p99Ns / 1000, profile.sync.p99Us.value);
  });
});
