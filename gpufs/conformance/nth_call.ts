// For n = 1, 2, 3, ... the n-th call of the host fails, until a run sees no fault: every answer is right or a named errno, what was synced is
// in the file, and once the disk is well again nothing is lost. After SQLite's loop over I/O errors.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoName, WarpfsError } from '../errors.ts';
import type { FaultOptions } from '../fault_options.ts';
import { type FaultyMount, mountForFaults } from '../faults_for_tests.ts';
import type { IoName, MountOptions } from '../options.ts';
import type { Operation, StepResult } from '../program.ts';
import { DoubtfulFile } from './doubtful_file.ts';
import { pattern } from './fixture.ts';
import { testDevice } from './test_device.ts';

export type Disorder = Pick<FaultOptions, 'error' | 'forGood'>;

/** A hang would show as ETIMEDOUT, which no disk was told to say. */
const TIMEOUT_MS = 5000;
const LINE_BYTES = 512;
/** The files are larger, so that bytes are written back all the time. */
const LINES = 8;
const CALLS_MAX = 2000;
/** How many calls an unmount of this workload makes at most. */
const UNMOUNT_CALLS_MAX = 24;

/** One run each; within it the file is its only open. */
const workload: [path: string, ...Operation[]][] = [
  ['a.bin', { op: 'open', path: 'a.bin', mode: 'r+' }, write(100, 700, 1), read(0, 3000), write(1900, 1200, 2), { op: 'fsync', file: 0 }, { op: 'close', file: 0 }],
  ['b.bin', { op: 'open', path: 'b.bin', mode: 'w+' }, write(0, 5000, 3), { op: 'fsync', file: 0 }, write(1000, 3000, 4), { op: 'close', file: 0 }],
  ['c.bin', { op: 'open', path: 'c.bin', mode: 'w+' }, write(600, 900, 5), { op: 'fsync', file: 0 }, { op: 'close', file: 0 }],
  ['b.bin', { op: 'open', path: 'b.bin', mode: 'r+' }, read(0, 6000), write(4700, 1000, 6), { op: 'fsync', file: 0 }, { op: 'close', file: 0 }],
  ['a.bin', { op: 'open', path: 'a.bin', mode: 'r' }, read(0, 4000), { op: 'close', file: 0 }],
];

function write(offset: number, length: number, seed: number): Operation {
  return { op: 'write', file: 0, offset, data: pattern(length, seed, offset) };
}

function read(offset: number, length: number): Operation {
  return { op: 'read', file: 0, offset, length };
}

export interface NthCallReport {
  /** Runs that saw a fault. */
  faults: number;
  /** Calls of a run without one, but for those of its unmount. */
  calls: number;
}

/** Throws on the first thing that is wrong, and says at which n. */
export async function failEachCall(io: IoName, disorder: Disorder, { first, every }: { first: number; every: number }): Promise<NthCallReport> {
  let faults = 0;
  for (let call = first; call <= CALLS_MAX; call += every) {
    try {
      const { sawFault, calls } = await runOnce(io, { ...disorder, call });
      if (sawFault) faults++;
      else if (call > calls + UNMOUNT_CALLS_MAX) return { faults, calls };
    } catch (error) {
      throw new Error(`${io}, call ${call} ${disorder.error}${disorder.forGood === true ? ' for good' : ''}: ${(error as Error).message}`, { cause: error });
    }
  }
  throw new Error(`the workload makes more than ${CALLS_MAX} calls`);
}

async function runOnce(io: IoName, fault: FaultOptions): Promise<{ sawFault: boolean; calls: number }> {
  const root = mkdtempSync(join(tmpdir(), 'warpfs-nth-call-'));
  const files = new Map(['a.bin', 'b.bin', 'c.bin'].map((name) => [name, new DoubtfulFile(name === 'b.bin' ? undefined : pattern(2500, 7))]));
  for (const [name, file] of files) if (file.exists === true) writeFileSync(join(root, name), file.bytes);
  const options: MountOptions = {
    root, device: testDevice, cache: { lines: LINES, lineBytes: LINE_BYTES }, ring: { count: 1 }, daemon: { io }, residentWarps: 1, workers: 1, timeoutMs: TIMEOUT_MS,
    // Elsewhere a warp may read a file where it lies, and no call of the host is made.
    ...(testDevice === 'cuda' ? { fill: 'pull' } : {}),
  };
  const mounted = await mountForFaults(options);
  const { fs } = mounted;
  try {
    mounted.inject(fault);
    for (const [path, ...steps] of workload) {
      const [results] = await fs.run([steps]);
      const file = files.get(path) as DoubtfulFile;
      checkResults(steps, results as StepResult[], file, fault);
      const synced = steps.findIndex(({ op }) => op === 'fsync');
      const writtenSince = steps.findLastIndex(({ op }) => op === 'write') > synced;
      if (results?.[synced]?.result === 0 && !writtenSince) checkHost(root, path, file, 'after fsync');
    }
    const { hostFaults, hostCalls } = fs.describe();
    const ended = await succeeds(() => fs.unmount(), fault);
    if (!ended) await recover(mounted, files, fault);
    for (const [path, file] of files) checkHost(root, path, file, 'after unmount');
    return { sawFault: hostFaults > 0 || !ended, calls: hostCalls };
  } finally {
    await fs.unmount({ discard: true }).catch(() => undefined);
    rmSync(root, { recursive: true });
  }
}

/** The disk is well again: what was owed is told once more, then everything works, and nothing that was acknowledged is lost. */
async function recover({ fs, ...faults }: FaultyMount, files: Map<string, DoubtfulFile>, fault: FaultOptions): Promise<void> {
  faults.lift();
  await succeeds(() => fs.sync(), fault);
  await fs.sync();
  for (const [path, file] of files) {
    // A line that was being filled for a call that ended in an error keeps the answer of its own fill for whoever comes next.
    const tries: Operation[] = Array.from({ length: LINES }, () => read(0, 8000));
    const [results] = await fs.run([[{ op: 'open', path, mode: 'r' }, ...tries, read(0, 8000), { op: 'close', file: 0 }]]);
    const opened = results?.[0]?.result as number;
    if (errnoName(opened) === 'ENOENT' && file.exists !== true) continue;
    const got = results?.[LINES + 1] as StepResult;
    const closed = results?.[LINES + 2]?.result;
    if (opened < 0 || got.result < 0 || closed !== 0) throw new Error(`${path} after the fault: open ${opened}, read ${got.result}, close ${closed}`);
    const wrong = file.refuses(got.data as Uint8Array);
    if (wrong !== undefined) throw new Error(`${path} read after the fault: ${wrong}`);
  }
  await fs.unmount();
}

function checkResults(steps: readonly Operation[], results: readonly StepResult[], file: DoubtfulFile, fault: FaultOptions): void {
  let opened = false;
  let refusal = 0;
  for (const [index, step] of steps.entries()) {
    const { result, data } = results[index] as StepResult;
    const name = errnoName(result);
    const said = (what: string): Error => new Error(`step ${index} (${step.op} ${'path' in step ? step.path : ''}): ${what}`);
    if (result < 0) {
      const couldBeMissing = step.op === 'open' && step.mode !== 'w+' && file.exists !== true && name === 'ENOENT';
      const expected = opened || step.op === 'open' ? name === fault.error || couldBeMissing : result === refusal;
      if (!expected) throw said(`${name ?? result} is no answer to ${fault.error}`);
    }
    if (step.op === 'open') {
      opened = result >= 0;
      refusal = result;
      if (step.mode === 'w+') {
        if (opened) file.empty();
        else file.mayHaveBeenEmptied();
      }
    } else if (step.op === 'write' && opened) {
      const written = Math.max(result, 0);
      file.write(Number(step.offset), step.data.subarray(0, written));
      if (result < 0) file.mayHaveWritten(Number(step.offset), step.data);
      else if (result === 0) throw said('nothing was written, and no reason given');
    } else if (step.op === 'read' && result >= 0) {
      // Where a later page failed, a read gives the bytes before it. What only goes slower must give all.
      const mayEndEarly = result > 0 && fault.error !== 'short' && fault.error !== 'EINTR';
      const wrong = file.refuses(data as Uint8Array, Number(step.offset), mayEndEarly ? result : step.length);
      if (wrong !== undefined) throw said(wrong);
    }
  }
}

function checkHost(root: string, path: string, file: DoubtfulFile, when: string): void {
  const there = existsSync(join(root, path));
  if (!there && file.exists !== true) return;
  const wrong = there ? file.refuses(readFileSync(join(root, path))) : 'is not there';
  if (wrong !== undefined) throw new Error(`${path} ${when}: ${wrong}`);
}

/** False where it rejects with the error that was injected. */
async function succeeds(call: () => Promise<void>, fault: FaultOptions): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (error instanceof WarpfsError && error.code === fault.error) return false;
    throw error;
  }
}
