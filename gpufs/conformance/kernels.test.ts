// Kernels on the cpu device, compiled by the compiler of this machine.
import { describe, test } from 'vitest';
import { mount } from '../index.ts';
import type { PolicyName, WaitName } from '../options.ts';
import { findCompiler } from '../system_compiler.ts';
import { describeKernels } from './kernels.ts';
import { nativePresence } from './native_device.ts';

const missing = nativePresence().missing ?? (findCompiler() === undefined ? 'there is no C++ compiler for kernels' : undefined);

const strategies: [WaitName, PolicyName][] = [['spin', 'clock'], ['replay', 'fifo']];

for (const [wait, policy] of strategies) {
  const name = `kernels on cpu, wait ${wait}, policy ${policy}`;
  if (missing === undefined) {
    describeKernels(name, (options) => mount({ ...options, device: 'cpu', wait, workers: 2, cache: { ...options.cache, policy } }));
  } else {
    describe.skip(name, () => test(`SKIP ${missing}`, () => undefined));
  }
}
