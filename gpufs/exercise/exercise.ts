// The exerciser: random operations through gpu calls, compared with plain bytes, in the manner of fsx. A run is a function of its seed but for
// the order in which warps and host meet.
import { rmSync } from 'node:fs';
import { mount } from '../mount.ts';
import type { Operation, StepResult } from '../program.ts';
import { Random } from '../random.ts';
import type { ActionKind, Session } from './action.ts';
import { Generator } from './generator.ts';
import { endSession, type Failure, makeFolder, type MakeSubject, mountOptions, playRound, replaySession, type Strategy } from './session.ts';
import { shrinkSession } from './shrink.ts';
import { type Snapshot, World } from './world.ts';

export interface ExerciseSettings extends Strategy {
  seed: number;
  operations: number;
  without?: ReadonlySet<ActionKind>;
  /** Tests put something in front of the mount. */
  makeSubject?: MakeSubject;
  progress?: (done: number, total: number) => void;
  /** How long a failure is made smaller; 0: not at all. */
  shrinkMs?: number;
}

export interface ExerciseFailure extends Failure {
  /** How many operations were run up to the end of the round that failed. */
  operations: number;
  session: Session;
  /** Undefined where it did not fail again, or nobody asked. */
  smallest: { session: Session; message: string } | undefined;
}

export interface ExerciseResult {
  seed: number;
  operations: number;
  rounds: number;
  mounts: number;
  seconds: number;
  failure: ExerciseFailure | undefined;
}

const ROUNDS_OF_SESSION_MAX = 24;
const SHRINK_MS_USUAL = 20_000;

export async function exercise(settings: ExerciseSettings): Promise<ExerciseResult> {
  const { seed, operations, without = new Set<ActionKind>(), makeSubject = realSubject, progress } = settings;
  const root = makeFolder(settings.folder);
  const generator = new Generator({ seed, replay: settings.wait === 'replay', without });
  const lengths = new Random(seed + 1);
  const world = new World();
  const started = performance.now();
  let rounds = 0;
  let mounts = 0;
  let failure: ExerciseFailure | undefined;
  try {
    while (failure === undefined && generator.operations < operations) {
      const snapshot = world.snapshot();
      const session: Session = { geometry: generator.geometry(), rounds: [] };
      const subject = await makeSubject(mountOptions(root, settings, session.geometry));
      mounts++;
      try {
        let failed: Failure | undefined;
        const count = 1 + lengths.below(ROUNDS_OF_SESSION_MAX);
        for (let i = 0; i < count && failed === undefined && generator.operations < operations; i++) {
          const { round, writer } = generator.round(world, session.geometry);
          session.rounds.push(round);
          failed = await playRound(subject, writer, round.syncs, root);
          rounds++;
          progress?.(Math.min(generator.operations, operations), operations);
        }
        failed ??= await endSession(subject, world, root);
        if (failed !== undefined) failure = { ...failed, operations: generator.operations, session, ...(await made(failed, session, snapshot, settings, makeSubject)) };
      } finally {
        await subject.unmount({ discard: true }).catch(() => undefined);
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return { seed, operations: generator.operations, rounds, mounts, seconds: (performance.now() - started) / 1000, failure };
}

async function made(failed: Failure, session: Session, snapshot: Snapshot, settings: ExerciseSettings, make: MakeSubject): Promise<Pick<ExerciseFailure, 'smallest'>> {
  const { shrinkMs = SHRINK_MS_USUAL } = settings;
  if (shrinkMs === 0) return { smallest: undefined };
  const end = performance.now() + shrinkMs;
  let { message } = failed;
  const fails = async (candidate: Session): Promise<boolean> => {
    const failure = await replaySession(candidate, snapshot, settings, make);
    if (failure !== undefined) message = failure.operation === undefined ? failure.message : `operation ${failure.operation}: ${failure.message}`;
    return failure !== undefined;
  };
  const shrunk = await shrinkSession(session, fails, () => performance.now() < end);
  return { smallest: shrunk.again ? { session: shrunk.session, message } : undefined };
}

export const realSubject: MakeSubject = async (options) => {
  const fs = await mount(options);
  return {
    run: (programs: Operation[][]): Promise<StepResult[][]> => fs.run(programs),
    sync: () => fs.sync(),
    unmount: (how) => fs.unmount(how),
  };
};
