// 65,536 files open at once, as many as the table of a mount is asked to hold.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fixture, resultOf, runWarps, times, useFixture } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { barrier, close, failed, gather, open } from './operations.ts';
import { mountOnTestDevice } from './test_device.ts';

const FILES_WANTED = 65_536;
/** What node, the addon and the test need for themselves. */
const OTHER_FILES = 512;
const WARPS = 64;
const FILES_OF_FOLDER = 1024;
/** In memory where there is such a folder: so many files take a disk a minute to make and to remove. */
const MEMORY_FOLDER = '/dev/shm';

const { missing } = nativePresence();

function limits(): { soft: string; hard: string } {
  const [soft = '0', hard = '0'] = execFileSync('prlimit', ['--pid', String(process.pid), '--nofile', '--raw', '--noheadings', '-o', 'SOFT,HARD'], { encoding: 'utf8' })
    .trim()
    .split(/\s+/);
  return { soft, hard };
}

function setLimits(soft: string, hard: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${soft}:${hard}`], { stdio: 'ignore' });
}

/** How many files this process may open, after asking for enough of them. */
function raisedLimit(): number {
  if (process.platform !== 'linux') return 10_000;
  const wanted = String(FILES_WANTED + OTHER_FILES);
  try {
    setLimits(wanted, wanted); // root may
  } catch {
    const { hard } = limits();
    setLimits(hard, hard);
  }
  return Number(limits().soft);
}

async function openAll(fixture: Fixture, root: string, files: number): Promise<void> {
  const name = (index: number) => `${index % FILES_OF_FOLDER}/f${index}`;
  for (const folder of times(Math.min(files, FILES_OF_FOLDER), (index) => index)) mkdirSync(join(root, String(folder)));
  for (let index = 0; index < files; index++) writeFileSync(join(root, name(index)), Uint32Array.of(index));
  const fs = await fixture.mounted({ root, maxOpenFiles: files, cache: { lines: 1024, lineBytes: 512 } });
  const share = files / WARPS;
  const first = (warp: number) => Math.floor(warp * share);
  const mine = (warp: number) => times(first(warp + 1) - first(warp), (index) => first(warp) + index);
  // All are open before one of them is read; one more does not fit.
  const warps = await runWarps(
    fs,
    times(WARPS, (warp) => [
      ...mine(warp).map((index) => open(name(index))), barrier, ...mine(warp).map((_, file) => gather([0], file)),
      open('0/one_more', warp === 0 ? 'c+' : 'r'), barrier, ...mine(warp).map((_, file) => close(file)),
    ]),
  );
  warps.forEach((steps, warp) => {
    const count = mine(warp).length;
    mine(warp).forEach((index, file) => {
      const opened = resultOf(steps, file).result;
      const value = resultOf(steps, count + 1 + file).values?.[0];
      const closed = resultOf(steps, 2 * count + 3 + file).result;
      if (opened < 0 || value !== index || closed !== 0) throw new Error(`file ${index}: open ${opened}, value ${value}, close ${closed}`);
    });
  });
  expect(resultOf(warps[0], 2 * mine(0).length + 1).result).toBe(failed('ENFILE'));
  expect(fs.describe().hostOpens).toBeGreaterThanOrEqual(files);
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'open files' : `SKIP ${missing}`, () => {
  const fixture = useFixture((options) => mountOnTestDevice({ ...options, residentWarps: WARPS, timeoutMs: 60_000 }));
  const before = process.platform === 'linux' ? limits() : undefined;
  let limit = 0;
  beforeAll(() => {
    limit = raisedLimit();
  });
  afterAll(() => {
    if (before !== undefined) setLimits(before.soft, before.hard);
  });

  test(`${FILES_WANTED} at once, each with its own bytes`, { timeout: 120_000 }, async () => {
    const files = Math.min(FILES_WANTED, limit - OTHER_FILES);
    if (files < FILES_WANTED) console.warn(`SKIP ${FILES_WANTED - files} of ${FILES_WANTED} open files: this process may open ${limit}; raise RLIMIT_NOFILE (ulimit -n) to ${FILES_WANTED + OTHER_FILES}`);
    const root = mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'warpfs-scale-'));
    try {
      await openAll(fixture, root, files);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
