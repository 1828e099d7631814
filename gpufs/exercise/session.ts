// Sessions against a mount: each round is run, judged, and where everything must be on the host compared with its files.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IoName, MountOptions, PolicyName, WaitName } from '../options.ts';
import type { Operation, StepResult } from '../program.ts';
import type { Action, Geometry, Round, Session } from './action.ts';
import { Mismatch, wrongByte } from './mismatch.ts';
import { RoundWriter } from './round.ts';
import { type Snapshot, World } from './world.ts';

/** What is exercised: a mount, or something in front of one. */
export interface Subject {
  run(programs: Operation[][]): Promise<StepResult[][]>;
  sync(): Promise<void>;
  unmount(options?: { discard?: boolean }): Promise<void>;
}

export type MakeSubject = (options: MountOptions) => Promise<Subject>;

export interface Strategy {
  /** Where the files are; the usual place is in memory. */
  folder?: string | undefined;
  wait: WaitName;
  io: IoName;
  policy: PolicyName;
  device: 'auto' | 'cpu' | 'cuda' | 'metal';
}

export interface Failure {
  message: string;
  /** The operation whose result is wrong. */
  operation: number | undefined;
  /** What was asked for in the same run before it, or all of it. */
  last: { warp: number; action: Action }[];
}

/** A folder in memory, where there is one: what is looked for does not lie in the disk, and its syncs would take most of the time. */
const MEMORY_FOLDER = '/dev/shm';

/** A new folder beneath this one, or beneath the usual one. */
export function makeFolder(folder: string | undefined): string {
  return mkdtempSync(join(folder ?? (existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir()), 'warpfs-exercise-'));
}

const RESIDENT_WARPS = 16;
const OPEN_FILES_MAX = 256;
const TIMEOUT_MS = 20_000;

export function mountOptions(root: string, { wait, io, policy, device }: Strategy, geometry: Geometry): MountOptions {
  const { lines, lineBytes, ring, threads, workers, dirtyLines } = geometry;
  return {
    root, device, wait, workers, ring, cache: { lines, lineBytes, policy }, daemon: { io, threads },
    residentWarps: RESIDENT_WARPS, maxOpenFiles: OPEN_FILES_MAX, timeoutMs: TIMEOUT_MS,
    ...(dirtyLines === undefined ? {} : { maxDirtyBytes: dirtyLines * lineBytes }),
  };
}

/** Runs what was written and judges it. */
export async function playRound(subject: Subject, writer: RoundWriter, syncs: boolean, root: string): Promise<Failure | undefined> {
  const failure = (message: string, operation?: number): Failure => ({ message, operation, last: writer.upTo(operation) });
  try {
    writer.judge(await subject.run(writer.programs));
    if (syncs) {
      await subject.sync();
      compareHost(root, writer.world);
    }
    return undefined;
  } catch (error) {
    if (error instanceof Mismatch) return failure(error.message, error.operation);
    return failure(error instanceof Error ? error.message : String(error));
  }
}

/** Ends a session: everything must have reached the files. */
export async function endSession(subject: Subject, world: World, root: string): Promise<Failure | undefined> {
  try {
    await subject.unmount();
    compareHost(root, world);
    return undefined;
  } catch (error) {
    return { message: `after unmount: ${error instanceof Error ? error.message : String(error)}`, operation: undefined, last: [] };
  }
}

/** Throws a Mismatch where the folder of the host is not what the model says. */
export function compareHost(root: string, world: World): void {
  const found = readdirSync(root).toSorted();
  const wanted = [...world.names.keys()].toSorted();
  if (found.join(' ') !== wanted.join(' ')) throw new Mismatch(undefined, `the host has the files [${found.join(' ')}], wanted [${wanted.join(' ')}]`);
  for (const [name, file] of world.names) {
    const wrong = wrongByte(file, 0, readFileSync(join(root, name)), file.size, world.history);
    if (wrong !== undefined) throw new Mismatch(undefined, `${name} on the host: ${wrong}`);
  }
}

/** A session again, from the files that it began with, in a folder of its own; operations that mean nothing any more are left out. */
export async function replaySession(session: Session, snapshot: Snapshot, strategy: Strategy, make: MakeSubject): Promise<Failure | undefined> {
  const root = makeFolder(strategy.folder);
  const world = new World(snapshot);
  try {
    for (const [name, bytes] of snapshot) writeFileSync(join(root, name), bytes);
    const subject = await make(mountOptions(root, strategy, session.geometry));
    try {
      for (const round of session.rounds) {
        const failure = await playRound(subject, rewrite(round, world, session.geometry, strategy), round.syncs, root);
        if (failure !== undefined) return failure;
      }
      return await endSession(subject, world, root);
    } finally {
      await subject.unmount({ discard: true }).catch(() => undefined);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function rewrite({ warps, segments }: Round, world: World, geometry: Geometry, { wait }: Strategy): RoundWriter {
  const writer = new RoundWriter(world, { warps, geometry, replay: wait === 'replay' });
  for (const { kind, actions } of segments) {
    writer.begin(kind);
    for (const { warp, action } of actions) writer.add(warp, action);
  }
  return writer;
}
