// The model against each number of each profile, in virtual time; and mounts with a medium, in real time, without a bound on how late they may be.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativePresence } from '../conformance/native_device.ts';
import { mount } from '../mount.ts';
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

describe.skipIf(missing !== undefined)(missing === undefined ? 'a mount with a medium' : `SKIP ${missing}`, () => {
  let root: string;
  const bytes = Uint8Array.from({ length: 64 * 4096 }, (_, index) => (index * 7) % 251);
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'warpfs-media-'));
    writeFileSync(join(root, 'a.bin'), bytes);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const variants = (['spin', 'replay'] as const).flatMap((wait) => (['pread', 'uring'] as const).map((io) => ({ wait, io })));
  test.each(variants)('reads, writes and syncs as ever, and says how late it was: $wait, $io', async ({ wait, io }) => {
    await using fs = await mount({ root, device: 'cpu', medium: 'apple_m1', wait, cache: { lines: 32 }, daemon: { threads: 2, io } });
    expect(fs.device.medium).toBe('apple_m1');
    const programs = Array.from({ length: 8 }, (_, warp) => [
      { op: 'open', path: 'a.bin', mode: 'r' } as const,
      { op: 'read', file: 0, offset: warp * 8192, length: 8192 } as const,
      { op: 'open', path: `${wait}-${io}-${warp}`, mode: 'w+' } as const,
      { op: 'write', file: 1, offset: 0, data: bytes.subarray(0, 5000) } as const,
      { op: 'fsync', file: 1 } as const,
      { op: 'read', file: 1, offset: 0, length: 5000 } as const,
    ] as const);
    const results = await fs.run(programs);
    for (const [warp, [, read, , written, synced, again]] of results.entries()) {
      expect(Buffer.compare(read.data, bytes.subarray(warp * 8192, warp * 8192 + 8192))).toBe(0);
      expect([written.result, synced.result]).toEqual([5000, 0]);
      expect(Buffer.compare(again.data, bytes.subarray(0, 5000))).toBe(0);
      // Nothing comes before its time: 17.5 ms is the median of a sync, and the fastest are not much faster.
      if (wait === 'spin') expect(synced.nanoseconds).toBeGreaterThan(15e6);
    }
    await fs.sync();
    const { medium } = fs.describe();
    expect(medium?.sync.answers).toBe(8);
    expect(medium?.read.answers).toBeGreaterThanOrEqual(8);
    expect(medium?.write.answers).toBeGreaterThanOrEqual(8);
    expect(medium?.answers).toBe((medium?.read.answers ?? 0) + (medium?.write.answers ?? 0) + 8);
    expect(medium?.sync.given.medianNs).toBeGreaterThanOrEqual(medium?.sync.wanted.medianNs ?? Infinity);
    expect(medium?.lateShare).toBeLessThanOrEqual(1);
  });

  test('an error waits like any answer, and a mount can be let go of', async () => {
    const fs = await mount({ root, device: 'cpu', medium: 'tcp', faults: { call: 1, error: 'EIO', forGood: true, kinds: ['read'] } });
    const [[, read]] = await fs.run([[{ op: 'open', path: 'a.bin', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: 4096 }]]);
    expect(read.result).toBe(-5);
    expect(read.nanoseconds).toBeGreaterThan(100e3);
    await fs.unmount({ discard: true }).catch(() => undefined);
  });

  test('raw says nothing of a medium', async () => {
    await using fs = await mount({ root, device: 'cpu' });
    expect(fs.describe()).not.toHaveProperty('medium');
  });
});
