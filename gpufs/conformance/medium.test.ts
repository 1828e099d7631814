// Mounts with a medium, in real time: nothing comes early, and everything is as ever. There is no bound on how late anything may be.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativePresence } from './native_device.ts';
import { mountOnTestDevice, mountWithStrategy, mtlioStrategies, strategyMissing, strategyName, type Strategy, testDevice } from './test_device.ts';

const { missing } = nativePresence();

/** Kernels of Metal have no clock: their steps take 0 ns. */
const hasClock = testDevice !== 'metal';

describe.skipIf(missing !== undefined)(missing === undefined ? `a mount with a medium, ${testDevice}` : `SKIP ${missing}`, () => {
  let root: string;
  const bytes = Uint8Array.from({ length: 64 * 4096 }, (_, index) => (index * 7) % 251);
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'warpfs-medium-'));
    writeFileSync(join(root, 'a.bin'), bytes);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const strategies = (['spin', 'replay'] as const).flatMap((wait) => (['pread', 'uring'] as const).map((io): Strategy => [wait, io, 'clock'])).concat(mtlioStrategies);
  describe.each(strategies)('wait %s, io %s', (...strategy) => {
    const hindrance = strategyMissing(strategy);
    test.skipIf(hindrance !== undefined)(hindrance === undefined ? 'reads, writes and syncs as ever, and says how late it was' : `SKIP ${hindrance}`, async () => {
      const [wait, io] = strategy;
      await using fs = await mountWithStrategy(strategy)({ root, medium: 'apple_m1', cache: { lines: 32 }, daemon: { threads: 2 } });
      expect(fs.device.medium, strategyName(strategy)).toBe('apple_m1');
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
        if (wait === 'spin' && hasClock) expect(synced.nanoseconds).toBeGreaterThan(15e6);
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
  });

  test('an error waits like any answer, and a mount can be let go of', async () => {
    const fs = await mountOnTestDevice({ root, medium: 'tcp', faults: { call: 1, error: 'EIO', forGood: true, kinds: ['read'] } });
    const [[, read]] = await fs.run([[{ op: 'open', path: 'a.bin', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: 4096 }]]);
    expect(read.result).toBe(-5);
    if (hasClock) expect(read.nanoseconds).toBeGreaterThan(100e3);
    await fs.unmount({ discard: true });
  });

  test.skipIf(testDevice !== 'cuda')('a GPU reads nothing past the medium', async () => {
    await using fs = await mountOnTestDevice({ root, medium: 'tcp' });
    expect(fs.device.fill).toMatch(/^pull: .*; not map, which would go past the medium$/);
  });

  test('raw says nothing of a medium', async () => {
    await using fs = await mountOnTestDevice({ root });
    expect(fs.device.medium).toBe('raw');
    expect(fs.describe()).not.toHaveProperty('medium');
  });
});
