// What goes wrong in a process that a mount has to itself is told as it would be in this one, and what ends that process ends the mount alone.
import { describe, expect, test } from 'vitest';
import { mountForFaults } from '../faults_for_tests.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { nativeConfig } from '../native_config.ts';
import { resolveOptions } from '../options.ts';
import { mountInOwnProcess } from '../remote/remote_mount.ts';
import { dataOf, firstDifference, pattern, resultOf, runWarp, SMALL_CACHE, useFixture } from './fixture.ts';
import { close, compute, failed, fsync, open, read, write } from './operations.ts';
import { isRunning, mountInOwnProcessForTests, ownProcessMissing, pidOf, WHY } from './own_process.ts';
import { testDevice } from './test_device.ts';

const missing = ownProcessMissing();
const data = pattern(30_000, 3);

describe.skipIf(missing !== undefined)(missing === undefined ? 'a mount in a process of its own' : `SKIP ${missing}`, () => {
  const fixture = useFixture(mountInOwnProcessForTests);
  const withFaults = () => mountForFaults({ root: fixture.root, cache: SMALL_CACHE, device: testDevice }, { ownProcess: WHY });

  test('says where it is and why, and its process ends with it', async () => {
    const fs = await fixture.mounted();
    expect(fs.describe().process).toMatch(/^a process of its own \(\d+\): a test wants it$/);
    expect(fs.device.process).toBe(fs.describe().process);
    const pid = pidOf(fs);
    expect(pid).not.toBe(process.pid);
    const other = await fixture.mounted();
    expect(pidOf(other)).not.toBe(pid);
    expect([isRunning(pid), isRunning(pidOf(other))]).toEqual([true, true]);
    await fs.unmount();
    expect([isRunning(pid), isRunning(pidOf(other))]).toEqual([false, true]);
    await runWarp(other, compute(1));
  });

  test('counts as it would in this process, behind every call', async () => {
    fixture.write('a.bin', data);
    const fs = await fixture.mounted();
    expect([fs.stats().misses, fs.describe().requestsServed]).toEqual([0, 0]);
    await runWarp(fs, open('a.bin'), read(0, 8192));
    expect(fs.stats().misses).toBe(2);
    expect(fs.describe().requestsServed).toBeGreaterThanOrEqual(2);
    await runWarp(fs, open('a.bin'), read(0, 8192));
    expect(fs.stats()).toMatchObject({ hits: 2, misses: 2 });
  });

  test('programs with more bytes than go over in one piece', async () => {
    const long = pattern(3 * 2 ** 20 + 5, 8);
    long.fill(0, 2 ** 20, 2 ** 21); // as buffers are where nothing arrives
    const fs = await fixture.mounted();
    const steps = await runWarp(fs, open('long.bin', 'w+'), write(0, long), read(0, long.length + 1));
    expect(resultOf(steps, 1).result).toBe(long.length);
    expect(firstDifference(dataOf(steps, 2), long)).toBeUndefined();
    await fs.unmount();
    expect(firstDifference(fixture.bytes('long.bin'), long)).toBeUndefined();
  });

  test('what the addon refuses has its code and its words', async () => {
    const config = nativeConfig(resolveOptions({ root: fixture.root, cache: SMALL_CACHE }, 'cpu'), 1);
    const told = async (make: () => unknown) => {
      const { code, message } = await Promise.resolve().then(make).then(() => new Error('it was not refused'), (error: Error) => error) as Error & { code?: string };
      return { code, message };
    };
    const wrong = { ...config, lineBytes: 1000 };
    const here = await told(() => loadNativeBinding().binding.mount(wrong));
    expect(here).toEqual({ code: 'EINVAL', message: expect.stringContaining('lineBytes: 1000') });
    expect(await told(() => mountInOwnProcess(wrong, WHY))).toEqual(here);
  });

  test('faults come and go while it is mounted, and bytes that cannot be written keep it mounted', async () => {
    const { fs, inject, lift } = await withFaults();
    await runWarp(fs, open('a.bin', 'w+'), write(0, data), fsync(), close());
    inject({ call: 1, error: 'EIO', forGood: true, kinds: ['open'] });
    expect(resultOf(await runWarp(fs, open('a.bin')), 0).result).toBe(failed('EIO'));
    const { hostCalls, hostFaults } = fs.describe();
    expect(hostFaults).toBeGreaterThan(0);
    expect(hostFaults).toBe(hostCalls);
    lift();
    await runWarp(fs, open('a.bin', 'r+'), write(100, pattern(5000, 9)));
    inject({ call: 1, error: 'ENOSPC', forGood: true, kinds: ['write'] });
    await expect(fs.sync()).rejects.toMatchObject({ name: 'WarpfsError', code: 'ENOSPC' });
    await expect(fs.unmount()).rejects.toMatchObject({ name: 'WarpfsError', code: 'ENOSPC' });
    lift();
    await fs.unmount();
    const wanted = data.slice();
    wanted.set(pattern(5000, 9), 100);
    expect(firstDifference(fixture.bytes('a.bin'), wanted)).toBeUndefined();
  });

  test('a discard lets go of bytes that cannot be written, and says so', async () => {
    const { fs, inject } = await withFaults();
    const pid = pidOf(fs);
    await runWarp(fs, open('a.bin', 'w+'), write(0, data));
    inject({ call: 1, error: 'EDQUOT', forGood: true, kinds: ['write'] });
    await expect(fs.unmount({ discard: true })).rejects.toMatchObject({ name: 'WarpfsError', code: 'EDQUOT' });
    expect(isRunning(pid)).toBe(false);
    await fs.unmount();
  });

  test('a process that is killed ends what runs with a typed error, and a new mount has a new one', async () => {
    fixture.write('a.bin', data);
    const fs = await fixture.mounted();
    const pid = pidOf(fs);
    const running = fs.run([[{ op: 'compute', steps: 2 ** 31 }]]);
    process.kill(pid, 'SIGKILL');
    const lost = {
      name: 'WarpfsError', code: 'EIO',
      message: expect.stringMatching(`the process of this mount \\(${pid}\\) was ended by SIGKILL\\. This mount is lost; what kernels wrote and nobody synced is lost with it\\. A new mount works`),
    };
    await expect(running).rejects.toMatchObject(lost);
    await expect(fs.run([[{ op: 'compute', steps: 1 }]])).rejects.toMatchObject(lost);
    await expect(fs.sync()).rejects.toMatchObject(lost);
    expect(fs.describe().process).toContain(String(pid));
    await expect(fs.unmount()).rejects.toMatchObject(lost);
    await expect(fs.unmount({ discard: true })).rejects.toMatchObject(lost);
    await fs.unmount();
    const next = await fixture.mounted();
    expect(pidOf(next)).not.toBe(pid);
    expect(firstDifference(dataOf(await runWarp(next, open('a.bin'), read(0, data.length)), 1), data)).toBeUndefined();
  });

  test('one that is killed while nothing runs is told by the next call', async () => {
    const fs = await fixture.mounted();
    process.kill(pidOf(fs), 'SIGKILL');
    await expect(fs.sync()).rejects.toMatchObject({ code: 'EIO', message: expect.stringContaining('was ended by SIGKILL') });
  });
});
