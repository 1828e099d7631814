// The sandbox as a mount has it. What a thread inside cannot do is shown by native/host/daemon_test_sandbox.cpp, which can run code there.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { loadNativeBinding } from '../native_binding.ts';
import { pattern, runWarp, useFixture } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { close, fsync, open, read, write } from './operations.ts';
import { mountOnTestDevice } from './test_device.ts';

const { missing } = nativePresence();
const here = missing ?? loadNativeBinding().binding.host().sandbox;
const whole = /^landlock \d+ \+ seccomp$/;

/** Threads of this process that a filter of system calls is around. */
function threadsInside(): number {
  return readdirSync('/proc/self/task').filter((task) => /^Seccomp:\t2$/m.test(statusOf(task))).length;
}

function statusOf(task: string): string {
  try {
    return readFileSync(`/proc/self/task/${task}/status`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

describe.skipIf(missing !== undefined)(`sandbox${missing === undefined ? '' : `: SKIP ${missing}`}`, () => {
  const fixture = useFixture(mountOnTestDevice);

  test('auto takes what there is, off takes nothing', async () => {
    const locked = await fixture.mounted();
    expect(locked.device.sandbox).toBe(here);
    expect(locked.describe().sandbox).toBe(here);
    const free = await fixture.mounted({ sandbox: 'off' });
    expect(free.device.sandbox).toBe('none: switched off');
    if (!whole.test(here)) await expect(fixture.mounted({ sandbox: 'required' })).rejects.toThrow(/sandbox 'required' needs landlock and seccomp; missing: /);
  });

  const partly = whole.test(here) ? undefined : `this machine has ${here}`;
  test.skipIf(partly !== undefined)(`the threads that serve are inside, Node is not${partly === undefined ? '' : `: SKIP ${partly}`}`, async () => {
    const before = threadsInside();
    const fs = await fixture.mounted({ sandbox: 'required', daemon: { threads: 2 } });
    const data = pattern(20_000, 3);
    const steps = await runWarp(fs, open('new.bin', 'w+'), write(0, data), fsync(), read(0, data.length), close());
    expect(steps.map(({ result }) => result).slice(1)).toEqual([data.length, 0, data.length, 0]);
    expect(threadsInside()).toBeGreaterThanOrEqual(before + 3); // two that poll, and one of the pool for the sync
    expect(statusOf(String(process.pid))).toMatch(/^Seccomp:\t0$/m);
    expect(fixture.bytes('new.bin')).toEqual(data);
    await fs.unmount();
    expect(threadsInside()).toBe(before);
  });
});
