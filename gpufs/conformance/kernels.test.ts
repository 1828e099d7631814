// Kernels, compiled by the compiler of this machine.
import { describe, test } from 'vitest';
import type { PolicyName, WaitName } from '../options.ts';
import { describeKernels } from './kernels.ts';
import { nativePresence } from './native_device.ts';
import { kernelsMissing, mountOnTestDevice, testDevice } from './test_device.ts';

const missing = nativePresence().missing ?? kernelsMissing();

const strategies: [WaitName, PolicyName][] = [['spin', 'clock'], ['replay', 'fifo']];

for (const [wait, policy] of strategies) {
  const name = `kernels on ${testDevice}, wait ${wait}, policy ${policy}`;
  if (missing === undefined) describeKernels(name, (options) => mountOnTestDevice({ ...options, wait, cache: { ...options.cache, policy } }));
  else describe.skip(name, () => test(`SKIP ${missing}`, () => undefined));
}
