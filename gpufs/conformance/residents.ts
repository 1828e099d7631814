import { describe, expect, test } from 'vitest';
import { type Fixture, results, runWarps, times } from './fixture.ts';
import { barrier } from './operations.ts';

export function describeResidents(fixture: Fixture): void {
  describe('barriers', () => {
    test('a barrier over as many warps as fit', async () => {
      const fs = await fixture.mounted({ residentWarps: 8 });
      expect((await runWarps(fs, times(8, () => [barrier, barrier]))).flatMap(results)).toEqual(times(16, () => 0));
    });

    test('a barrier over more warps than fit is refused before anything runs', async () => {
      const fs = await fixture.mounted({ residentWarps: 8, timeoutMs: 500 });
      await expect(runWarps(fs, times(9, () => [barrier]))).rejects.toMatchObject({ code: 'ERR_WARPFS_RESIDENT' });
      expect((await runWarps(fs, times(8, () => [barrier]))).flatMap(results)).toEqual(times(8, () => 0));
    });

    test('many barriers of many warps', async () => {
      const fs = await fixture.mounted();
      const warps = await runWarps(fs, times(64, () => times(20, () => barrier)));
      expect(warps.flatMap(results)).toEqual(times(64 * 20, () => 0));
    });
  });
}
