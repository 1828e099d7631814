// The faults of the world on the cpu device, under both ways of waiting.
import { describe, test } from 'vitest';
import { mount } from '../index.ts';
import type { IoName, PolicyName, WaitName } from '../options.ts';
import { useFixture } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { describeStress } from './stress.ts';

const { missing, noUring } = nativePresence();

const strategies: [WaitName, IoName, PolicyName][] = [
  ['spin', 'uring', 'clock'],
  ['replay', 'pread', 'fifo'],
];

for (const [wait, io, policy] of strategies) {
  const name = `cpu, wait ${wait}, io ${io}, policy ${policy}`;
  const skipped = missing ?? (io === 'uring' ? noUring : undefined);
  if (skipped === undefined) {
    describe(name, () => {
      describeStress(useFixture((options) => mount({ workers: 2, ...options, device: 'cpu', wait, cache: { ...options.cache, policy }, daemon: { ...options.daemon, io } })));
    });
  } else {
    describe.skip(name, () => test(`SKIP ${skipped}`, () => undefined));
  }
}
