// A mount in a process of its own keeps the promises of every device. How items wait is no matter of the process: each half is tried with one way.
import { describe, test } from 'vitest';
import { describeConformance } from './conformance.ts';
import { describeKernels } from './kernels.ts';
import { mountInOwnProcessForTests, ownProcessMissing } from './own_process.ts';
import { kernelsMissing, testDevice } from './test_device.ts';

const name = `${testDevice} in a process of its own`;
const missing = ownProcessMissing();
const noKernels = missing ?? kernelsMissing();

if (missing === undefined) describeConformance(name, (options) => mountInOwnProcessForTests({ ...options, wait: 'spin' }));
else describe.skip(name, () => test(`SKIP ${missing}`, () => undefined));

if (noKernels === undefined) describeKernels(`kernels on ${name}`, (options) => mountInOwnProcessForTests({ ...options, wait: 'replay' }));
else describe.skip(`kernels on ${name}`, () => test(`SKIP ${noKernels}`, () => undefined));
