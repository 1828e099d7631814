import { expect, test } from 'vitest';
import { bindingForTests } from '../binding_for_tests.ts';
import { figuresOf } from '../cli/media.ts';
import { WarpfsError } from '../errors.ts';
import { mountWith } from '../mount.ts';
import type { NativeMediumReport } from '../native_medium.ts';
import { resolveOptions } from '../options.ts';
import { checkProfile } from './check_profile.ts';
import { media, mediumNames, profileOf } from './media.ts';
import { nativeProfile } from './native_profile.ts';
import { type MediumProfile, mediumProfileSchema } from './profile.ts';
import { describeMedium, wasLate } from './report.ts';
import { resolveMedium } from './resolve_medium.ts';

const profiles: [string, MediumProfile][] = Object.entries(media);

test('the media that were asked for are there', () => {
  expect(mediumNames).toEqual([
    'raw', 'optane_p5800x', 'optane_p5800x_10', 'samsung_980_pro', 'samsung_990_pro', 'samsung_pm1743', 'micron_9650',
    'apple_m1', 'apple_m4', 'apple_m4_pro', 'apple_m4_max', 'apple_m5', 'rdma_thunderbolt_5', 'tcp',
  ]);
});

test.each(profiles)('%s is valid, and each of its numbers says where it comes from', (_, profile) => {
  expect(mediumProfileSchema.safeParse(profile).error).toBeUndefined();
  checkProfile(profile);
  const figures = figuresOf(profile);
  expect(figures.length).toBeGreaterThanOrEqual(12);
  for (const [path, { value, source }] of figures) {
    expect([path, typeof value]).toEqual([path, path === 'duplex' ? 'string' : 'number']);
    // A name and a year or a number: something that can be looked up; or what it was estimated from.
    expect(source).toMatch(/^estimated: .{20,}|[A-Za-z]{3,}.*\d/);
  }
});

const samsung = media.samsung_990_pro;

test.each<[string, unknown, string]>([
  ['a slip', 'samsung_990_por', 'option medium: "samsung_990_por" is no medium that is known; did you mean samsung_990_pro? known: raw, optane_p5800x,'],
  ['a name as on the box', 'Samsung 990 Pro', 'did you mean samsung_990_pro?'],
  ['nothing like it', 'a floppy disk of 1981', 'is no medium that is known; known: raw, optane_p5800x'],
  ['a number', 7, 'option medium: 7 is not the name of a medium or a profile; known: raw'],
  ['a profile without its numbers', { title: 'mine' }, 'option medium.queueDepth: undefined is not a number with its source'],
  ['a number without a source', { ...samsung, queueDepth: { value: 4 } }, 'option medium.queueDepth.source: undefined does not say where the number comes from'],
  ['a number below', { ...samsung, read: { ...samsung.read, iops: { value: -1, source: 'a test of the rules' } } }, 'option medium.read.iops.value: -1 is not a number above 0'],
  ['a name that no profile has', { ...samsung, colour: 'black' }, 'option medium.colour does not exist in the profile of a medium'],
  ['a percentile below the median', { ...samsung, read: { ...samsung.read, p99Us: { value: 1, source: 'a test of the rules' } } }, 'option medium.read.p99Us: 1 is less than the median, 45.45'],
  ['a queue that is too short', { ...samsung, queueDepth: { value: 8, source: 'a test of the rules' } }, 'option medium.queueDepth: 8 is too small for the iops of read: they need 64 requests under way'],
  ['more than the bandwidth', { ...samsung, read: { ...samsung.read, megabytesPerSecond: { value: 100, source: 'a test of the rules' } } }, 'option medium.read.iops: 1400000 is more than read.megabytesPerSecond carries, 24414 of 4 KiB'],
  ['a burst that is slower than what follows', { ...samsung, burst: { ...samsung.burst, sustainedMegabytesPerSecond: { value: 9000, source: 'a test of the rules' } } }, 'option medium.burst.sustainedMegabytesPerSecond: 9000 is more than write.megabytesPerSecond'],
])('%s is refused', (_, medium, message) => {
  expect(() => resolveMedium(medium)).toThrow(message);
  expect(() => resolveMedium(medium)).toThrow(WarpfsError);
});

test('a profile of your own is taken', () => {
  const mine: MediumProfile = { ...samsung, title: 'mine' };
  expect(resolveMedium(mine)).toEqual(mine);
  expect(profileOf(mine)).toBe(mine);
  expect(profileOf('raw')).toBeUndefined();
  expect(profileOf('tcp')).toBe(media.tcp);
});

test('what goes with a medium', () => {
  const medium = 'tcp';
  expect(resolveOptions({ root: '/tmp', medium }).medium).toBe('tcp');
  expect(() => resolveOptions({ root: '/tmp', medium, check: true })).toThrow('option medium: "tcp" does not go with option check');
  expect(() => resolveOptions({ root: '/tmp', medium, fill: 'map' }, 'cuda')).toThrow('option fill: "map" does not go with a medium');
  expect(() => resolveOptions({ root: '/tmp', medium, fill: 'map' })).toThrow('option fill: "map" does not go with a medium');
  expect(resolveOptions({ root: '/tmp', medium, fill: 'push' }, 'cuda').fill).toBe('push');
  expect(resolveOptions({ root: '/tmp', medium: 'raw', check: true }).medium).toBe('raw');
});

test('the addon gets plain numbers, and nothing for raw', async () => {
  const binding = bindingForTests();
  const raw = await mountWith(() => binding, { root: '/tmp', device: 'cpu' });
  expect(raw.device.medium).toBe('raw');
  expect(binding.configs[0]).not.toHaveProperty('medium');
  const shaped = await mountWith(() => binding, { root: '/tmp', device: 'cpu', medium: 'samsung_980_pro' });
  expect(shaped.device.medium).toBe('samsung_980_pro');
  expect(binding.configs[1]?.medium).toEqual(nativeProfile(media.samsung_980_pro));
  expect(binding.configs[1]?.medium).toMatchObject({
    queueDepth: 512, duplex: false, burstBytes: 114e9, sustainedBytesPerSecond: 2e9,
    read: { medianNs: 1e9 / 22_000, iops: 1e6, smallIops: 1e6, bytesPerSecond: 7e9 }, write: { bytesPerSecond: 5e9 }, sync: { medianNs: 1e6, p99Ns: 3e6 },
  });
  expect(nativeProfile(media.optane_p5800x)).toMatchObject({ duplex: true, burstBytes: 0, sustainedBytesPerSecond: 6.2e9, read: { smallIops: 4.9e6 } });
  const mine = await mountWith(() => binding, { root: '/tmp', device: 'cpu', medium: { ...samsung, title: 'a drive of mine' } });
  expect(mine.device.medium).toBe('a drive of mine');
});

test('a report says whether the machine was fast enough', () => {
  const times = { medianNs: 300, p99Ns: 9200, maxNs: 201_000 };
  const none = { answers: 0, wanted: times, given: times };
  const report: NativeMediumReport = { answers: 20_000, late: times, lateShare: 0.012, read: none, write: none, sync: none };
  expect(wasLate(report)).toBe(false);
  expect(describeMedium('tcp', report)).toBe('medium tcp; 1.20 % of 20,000 answers came later than 5 % of their time; late by 0.3 us (median), 9.2 us (99th percentile), 201 us (most)');
  expect(describeMedium('tcp', { ...report, lateShare: 0.4 })).toContain('the medium was late: this machine did not allow tcp; 40.0 %');
  expect(describeMedium('tcp', { ...report, answers: 0, lateShare: 0 })).toBe('medium tcp: nothing was asked of it');
});
