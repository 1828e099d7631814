// Every call of the host fails once, on each engine. Usually a part of the calls; all with WARPFS_FAULTS=all, as `npm run test:faults` has it.
import { describe, expect, test } from 'vitest';
import type { IoName } from '../options.ts';
import { nativePresence } from './native_device.ts';
import { type Disorder, failEachCall } from './nth_call.ts';
import { mtlioStrategies } from './test_device.ts';

const all = process.env['WARPFS_FAULTS'] === 'all';
const EVERY = 4;

const disorders: Disorder[] = [
  { error: 'EIO' },
  { error: 'EIO', forGood: true },
  { error: 'ENOSPC' },
  { error: 'ENOSPC', forGood: true },
  { error: 'EDQUOT' },
  { error: 'EINTR' },
  { error: 'short' },
  { error: 'short', forGood: true },
];

const { missing, noUring } = nativePresence();
for (const io of ['pread', 'uring', ...mtlioStrategies.map(([, name]) => name)] satisfies IoName[]) {
  const skipped = missing ?? (io === 'uring' ? noUring : undefined);
  if (skipped !== undefined) {
    describe.skip(`the n-th call of the host fails, ${io}`, () => test(`SKIP ${skipped}`, () => undefined));
    continue;
  }
  describe(`the n-th call of the host fails, ${io}`, () => {
    test.each(disorders.map((disorder, index) => [`${disorder.error}${disorder.forGood === true ? ' for good' : ''}`, disorder, index] as const))(
      '%s',
      { timeout: 300_000 },
      async (_name, disorder, index) => {
        const { faults, calls } = await failEachCall(io, disorder, all ? { first: 1, every: 1 } : { first: 1 + (index % EVERY), every: EVERY });
        expect(calls).toBeGreaterThan(disorder.error === 'short' ? 30 : 60);
        expect(faults).toBeGreaterThanOrEqual(Math.floor(calls / (all ? 1 : EVERY)) - 1);
      },
    );
  });
}
