// The faults of the world, under both ways of waiting.
import { describe, test } from 'vitest';
import { useFixture } from './fixture.ts';
import { describeStress } from './stress.ts';
import { mountWithStrategy, mtlioStrategies, type Strategy, strategyMissing, strategyName } from './test_device.ts';

const strategies: Strategy[] = [
  ['spin', 'uring', 'clock'],
  ['replay', 'pread', 'fifo'],
  ...mtlioStrategies,
];

for (const strategy of strategies) {
  const name = strategyName(strategy);
  const skipped = strategyMissing(strategy);
  if (skipped === undefined) describe(name, () => describeStress(useFixture(mountWithStrategy(strategy))));
  else describe.skip(name, () => test(`SKIP ${skipped}`, () => undefined));
}
