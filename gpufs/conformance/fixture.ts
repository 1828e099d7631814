// What every part of the suite needs: a folder of its own per test, mounts that never outlive it, and bytes that can be recognized.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { Mount } from '../mount.ts';
import type { MountOptions } from '../options.ts';
import type { Operation, StepResult } from '../program.ts';

/** Adds the device and the strategy that the suite is run for. */
export type MakeMount = (options: MountOptions) => Promise<Mount>;

export interface Fixture {
  /** The folder of this test. */
  root: string;
  mounted(options?: Partial<MountOptions>): Promise<Mount>;
  path(name: string): string;
  write(name: string, bytes: Uint8Array): void;
  /** What the host sees. */
  bytes(name: string): Uint8Array;
}

/** Small enough that every test evicts, large enough that nothing is pinned out. */
export const SMALL_CACHE = { lines: 64, lineBytes: 4096 };
const TIMEOUT_MS = 10_000;

export function useFixture(makeMount: MakeMount): Fixture {
  const mounts: Mount[] = [];
  const fixture: Fixture = {
    root: '',
    async mounted(options = {}) {
      const fs = await makeMount({ root: fixture.root, cache: SMALL_CACHE, timeoutMs: TIMEOUT_MS, ...options });
      mounts.push(fs);
      return fs;
    },
    path: (name) => join(fixture.root, name),
    write: (name, bytes) => writeFileSync(fixture.path(name), bytes),
    bytes: (name) => new Uint8Array(readFileSync(fixture.path(name))),
  };
  beforeEach(() => {
    fixture.root = mkdtempSync(join(tmpdir(), 'warpfs-conformance-'));
  });
  afterEach(async () => {
    // A test that needs unmount to succeed has called it: this one only lets go.
    await Promise.all(mounts.splice(0).map((fs) => fs.unmount({ discard: true }).catch(() => undefined)));
    rmSync(fixture.root, { recursive: true, force: true });
  });
  return fixture;
}

/** Bytes that tell their own offset within 64 KB and more, and the seed of their writer. */
export function pattern(length: number, seed = 0, from = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const at = from + i;
    bytes[i] = (at * 31 + (at >>> 8) * 17 + (at >>> 16) * 5 + seed * 101 + 1) & 255;
  }
  return bytes;
}

/** `undefined` where they are equal: an assertion over millions of bytes that stays quick and says where. */
export function firstDifference(got: Uint8Array, wanted: Uint8Array): string | undefined {
  if (Buffer.compare(got, wanted) === 0) return undefined;
  const at = got.findIndex((byte, index) => byte !== wanted[index]);
  if (at < 0) return `${got.length} bytes, wanted ${wanted.length}`;
  return `byte ${at}: ${got[at]}, wanted ${wanted[at]} (${got.length} bytes, wanted ${wanted.length})`;
}

export async function runWarp(fs: Mount, ...program: Operation[]): Promise<StepResult[]> {
  return (await runWarps(fs, [program]))[0] as StepResult[];
}

export function runWarps(fs: Mount, programs: Operation[][]): Promise<StepResult[][]> {
  return fs.run(programs);
}

export function results(steps: readonly StepResult[]): number[] {
  return steps.map((step) => step.result);
}

export function resultOf(steps: readonly StepResult[] | undefined, step: number): StepResult {
  const found = steps?.at(step);
  if (found === undefined) throw new Error(`there is no step ${step}`);
  return found;
}

/** The data of one step; a step without data is a mistake of the test. */
export function dataOf(steps: readonly StepResult[] | undefined, step: number): Uint8Array {
  const { data } = resultOf(steps, step);
  if (data === undefined) throw new Error(`step ${step} has no data`);
  return data;
}

export function times<Value>(count: number, make: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
