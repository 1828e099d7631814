// Many warps over few lines, disks that are full, files that somebody else makes shorter: right results or named errors, and a mount that works afterwards.
import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errnoName } from '../errors.ts';
import type { Mount } from '../mount.ts';
import type { StepResult } from '../program.ts';
import { dataOf, firstDifference, type Fixture, pattern, resultOf, results, runWarp, runWarps, times } from './fixture.ts';
import { close, compute, failed, fsync, map, open, read, stat, truncate, unmap, write } from './operations.ts';

const WARPS = 10_000;
const TMPFS_BYTES = 256 * 1024;
const isRoot = process.getuid?.() === 0;

/** A folder that holds 256 KB and no more; undefined where this machine lets us have none. */
function fullDisk(fixture: Fixture): string | undefined {
  const folder = fixture.path('disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${TMPFS_BYTES}`, 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    return undefined;
  }
}

async function onFullDisk(fixture: Fixture, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = fullDisk(fixture);
  if (folder === undefined) {
    console.warn(`SKIP a full tmpfs: ${isRoot ? 'this machine mounts none' : 'only root may mount one'}`);
    return;
  }
  try {
    await work(folder);
  } finally {
    execFileSync('umount', ['-l', folder]);
  }
}

function namedOrDone(steps: readonly StepResult[]): void {
  for (const { result } of steps) if (result < 0) expect(errnoName(result), String(result)).toBeDefined();
}

async function expectUsable(fixture: Fixture, fs: Mount): Promise<void> {
  fixture.write('good', pattern(9000, 5));
  const steps = await runWarp(fs, open('good', 'r+'), read(0, 9000), write(9000, pattern(100, 6)), fsync(), close());
  expect(results(steps).slice(1)).toEqual([9000, 100, 0, 0]);
  expect(firstDifference(dataOf(steps, 1), pattern(9000, 5))).toBeUndefined();
  expect(fixture.bytes('good')).toHaveLength(9100);
}

export function describeStress(fixture: Fixture): void {
  describe('many warps', () => {
    test(`${WARPS} warps read and write through 32 lines`, async () => {
      const content = pattern(WARPS * 100);
      fixture.write('a.bin', content);
      const fs = await fixture.mounted({ cache: { lines: 32 } });
      const place = (warp: number) => Math.imul(warp, 7919) % WARPS * 100;
      const warps = await runWarps(fs, times(WARPS, (warp) => [open('a.bin', 'r+'), read(place(warp), 60), write(place(warp) + 70, pattern(16, warp)), close()]));
      const after = Uint8Array.from(content);
      warps.forEach((steps, warp) => {
        if (resultOf(steps, 1).result !== 60 || resultOf(steps, 2).result !== 16 || resultOf(steps, 3).result !== 0) expect(results(steps).slice(1), `warp ${warp}`).toEqual([60, 16, 0]);
        const difference = firstDifference(dataOf(steps, 1), content.subarray(place(warp), place(warp) + 60));
        if (difference !== undefined) throw new Error(`warp ${warp}: ${difference}`);
        after.set(pattern(16, warp), place(warp) + 70);
      });
      await fs.unmount();
      expect(firstDifference(fixture.bytes('a.bin'), after)).toBeUndefined();
    });
  });

  describe('a full disk', () => {
    test('what does not fit is reported and kept, and is on the disk once there is room', () =>
      onFullDisk(fixture, async (folder) => {
        writeFileSync(join(folder, 'filler'), new Uint8Array(TMPFS_BYTES / 2));
        writeFileSync(join(folder, 'a.bin'), pattern(8192));
        const fs = await fixture.mounted({ root: folder, cache: { lines: 128 } });
        const data = pattern(200_000, 7);
        const steps = await runWarp(fs, open('a.bin', 'r+'), write(0, data), fsync(), read(0, 300_000), stat());
        expect(resultOf(steps, 2).result).toBe(failed('ENOSPC'));
        expect(results(steps).slice(3)).toEqual([200_000, 0]);
        expect(firstDifference(dataOf(steps, 3), data)).toBeUndefined();
        await expect(fs.sync()).rejects.toMatchObject({ code: 'ENOSPC' });
        unlinkSync(join(folder, 'filler'));
        await retry(() => fs.sync());
        expect(firstDifference(fixture.bytes('disk/a.bin'), data)).toBeUndefined();
        await retry(() => fs.unmount());
      }));

    test('a cache that cannot let go of its lines refuses writes by name, and loses none that it took', () =>
      onFullDisk(fixture, async (folder) => {
        writeFileSync(join(folder, 'filler'), new Uint8Array(TMPFS_BYTES - 32 * 1024));
        writeFileSync(join(folder, 'a.bin'), new Uint8Array(0));
        const fs = await fixture.mounted({ root: folder, cache: { lines: 8 } });
        const pieces = times(30, (index) => index);
        const steps = await runWarp(fs, open('a.bin', 'r+'), ...pieces.map((index) => write(index * 4096, pattern(4096, index + 1))));
        namedOrDone(steps);
        const taken = pieces.filter((index) => resultOf(steps, index + 1).result === 4096);
        expect(taken.length).toBeGreaterThan(0);
        expect(taken.length).toBeLessThan(30);
        for (const index of pieces.filter((piece) => !taken.includes(piece))) expect(resultOf(steps, index + 1).result).toBe(failed('ENOSPC'));
        unlinkSync(join(folder, 'filler'));
        await retry(() => fs.sync());
        const bytes = fixture.bytes('disk/a.bin');
        for (const index of taken) expect(firstDifference(bytes.subarray(index * 4096, (index + 1) * 4096), pattern(4096, index + 1)), `piece ${index}`).toBeUndefined();
        const again = await runWarp(fs, open('a.bin', 'r+'), ...pieces.map((index) => write(index * 4096, pattern(4096, index + 1))));
        expect(results(again).slice(1)).toEqual(times(30, () => 4096));
        await retry(() => fs.unmount());
        for (const index of pieces) expect(firstDifference(fixture.bytes('disk/a.bin').subarray(index * 4096, (index + 1) * 4096), pattern(4096, index + 1))).toBeUndefined();
      }));
  });

  describe('a file that somebody else makes shorter', () => {
    test('while it is open between two runs', async () => {
      fixture.write('a.bin', pattern(50_000));
      const fs = await fixture.mounted();
      await runWarp(fs, open('a.bin', 'r+'), read(0, 50_000), write(100, pattern(10, 2)));
      truncateSync(fixture.path('a.bin'), 1000);
      const steps = await runWarp(fs, open('a.bin', 'r+'), read(0, 50_000), write(20_000, pattern(10, 3)), fsync(), truncate(30_000), close());
      namedOrDone(steps);
      await fs.sync().catch((error: { code: string }) => expect(error.code).toMatch(/^E/));
      await expectUsable(fixture, fs);
    });

    test('while warps read it, write it and have it mapped', async () => {
      fixture.write('a.bin', pattern(200_000));
      const fs = await fixture.mounted({ cache: { lines: 32 } });
      const work = (warp: number) =>
        times(20, (turn) => [map(((warp * 20 + turn) % 48) * 4096, 100, 'r+'), compute(2000), unmap(1 + turn * 5, pattern(50, warp)), read(warp * 3000, 9000), write(warp * 5000, pattern(700, turn))]).flat();
      const running = runWarps(fs, times(16, (warp) => [open('a.bin', 'r+'), ...work(warp), close()]));
      let rounds = 0;
      const timer = setInterval(() => truncateSync(fixture.path('a.bin'), rounds++ % 2 === 0 ? 0 : 150_000), 2);
      const warps = await running.finally(() => clearInterval(timer));
      for (const steps of warps) namedOrDone(steps);
      await fs.sync().catch((error: { code: string }) => expect(error.code).toMatch(/^E/));
      await expectUsable(fixture, fs);
      // Nobody has it open any more: what is read now is what is there.
      const steps = await runWarp(fs, open('a.bin'), read(0, 300_000), close());
      expect(firstDifference(dataOf(steps, 1), fixture.bytes('a.bin'))).toBeUndefined();
    });
  });
}

/** A failure that is still owed to somebody is told once, also where the bytes are on the disk by then. */
async function retry(call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch {
    await call();
  }
}
