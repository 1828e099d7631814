// The corners of POSIX and the promises of consistency on the cpu device, under both ways of waiting, each engine and each policy.
import { describe, test } from 'vitest';
import { mount } from '../index.ts';
import type { IoName, PolicyName, WaitName } from '../options.ts';
import { describeConsistency } from './consistency.ts';
import { useFixture } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { describePosix } from './posix.ts';
import { describeQuotas } from './quotas.ts';
import { describeRefused } from './refused.ts';

const { missing, noUring } = nativePresence();

const strategies: [WaitName, IoName, PolicyName][] = [
  ['spin', 'pread', 'clock'],
  ['replay', 'uring', 'fifo'],
];

for (const [wait, io, policy] of strategies) {
  const name = `cpu, wait ${wait}, io ${io}, policy ${policy}`;
  const skipped = missing ?? (io === 'uring' ? noUring : undefined);
  if (skipped === undefined) {
    describe(name, () => {
      const fixture = useFixture((options) => mount({ workers: 2, ...options, device: 'cpu', wait, cache: { ...options.cache, policy }, daemon: { ...options.daemon, io } }));
      describePosix(fixture);
      describeRefused(fixture);
      describeConsistency(fixture);
      describeQuotas(fixture);
    });
  } else {
    describe.skip(name, () => test(`SKIP ${skipped}`, () => undefined));
  }
}
