// The corners of POSIX and the promises of consistency, under both ways of waiting, each engine and each policy.
import { describe, test } from 'vitest';
import { describeConsistency } from './consistency.ts';
import { useFixture } from './fixture.ts';
import { describePosix } from './posix.ts';
import { describeQuotas } from './quotas.ts';
import { describeRefused } from './refused.ts';
import { mountWithStrategy, mtlioStrategies, type Strategy, strategyMissing, strategyName } from './test_device.ts';

const strategies: Strategy[] = [
  ['spin', 'pread', 'clock'],
  ['replay', 'uring', 'fifo'],
  ...mtlioStrategies,
];

for (const strategy of strategies) {
  const name = strategyName(strategy);
  const skipped = strategyMissing(strategy);
  if (skipped === undefined) {
    describe(name, () => {
      const fixture = useFixture(mountWithStrategy(strategy));
      describePosix(fixture);
      describeRefused(fixture);
      describeConsistency(fixture);
      describeQuotas(fixture);
    });
  } else {
    describe.skip(name, () => test(`SKIP ${skipped}`, () => undefined));
  }
}
