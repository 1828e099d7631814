// The promises of every device. Each wait strategy meets each engine and each policy once; the other pairs share no code that these do not run.
import { describe, test } from 'vitest';
import { describeConformance } from './conformance.ts';
import { mountWithStrategy, mtlioStrategies, type Strategy, strategyMissing, strategyName } from './test_device.ts';

const strategies: Strategy[] = [
  ['spin', 'pread', 'clock'],
  ['spin', 'uring', 'fifo'],
  ['replay', 'uring', 'clock'],
  ['replay', 'pread', 'fifo'],
  ...mtlioStrategies,
];

for (const strategy of strategies) {
  const name = strategyName(strategy);
  const skipped = strategyMissing(strategy);
  if (skipped === undefined) describeConformance(name, mountWithStrategy(strategy));
  else describe.skip(name, () => test(`SKIP ${skipped}`, () => undefined));
}
