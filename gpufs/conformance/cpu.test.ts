// The cpu device. Each wait strategy meets each engine and each policy once; the other pairs share no code that these do not run.
import { describe, test } from 'vitest';
import { mount } from '../index.ts';
import type { IoName, PolicyName, WaitName } from '../options.ts';
import { describeConformance } from './conformance.ts';
import { nativePresence } from './native_device.ts';

const { missing, noUring } = nativePresence();

const strategies: [WaitName, IoName, PolicyName][] = [
  ['spin', 'pread', 'clock'],
  ['spin', 'uring', 'fifo'],
  ['replay', 'uring', 'clock'],
  ['replay', 'pread', 'fifo'],
];

for (const [wait, io, policy] of strategies) {
  const name = `cpu, wait ${wait}, io ${io}, policy ${policy}`;
  const skipped = missing ?? (io === 'uring' ? noUring : undefined);
  if (skipped === undefined) {
    describeConformance(name, (options) =>
      mount({ workers: 2, ...options, device: 'cpu', wait, cache: { ...options.cache, policy }, daemon: { ...options.daemon, io } }),
    );
  } else {
    describe.skip(name, () => test(`SKIP ${skipped}`, () => undefined));
  }
}
