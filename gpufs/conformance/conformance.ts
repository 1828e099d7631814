// What every device promises under every strategy. A new device passes by handing its mounts to describeConformance.
import { describe } from 'vitest';
import { type MakeMount, useFixture } from './fixture.ts';
import { describeHandles } from './handles.ts';
import { describeLimits } from './limits.ts';
import { describeReads } from './reads.ts';
import { describeResidents } from './residents.ts';
import { describeWrites } from './writes.ts';

export function describeConformance(name: string, makeMount: MakeMount): void {
  describe(name, () => {
    const fixture = useFixture(makeMount);
    describeReads(fixture);
    describeWrites(fixture);
    describeHandles(fixture);
    describeLimits(fixture);
    describeResidents(fixture);
  });
}
