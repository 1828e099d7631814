// What each result must be whatever the order was: the right errno, no error that nothing explains, a count that fits.
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import { describeErrno } from '../errors.ts';
import { isExplained } from './errno_rules.ts';
import { hasEnded } from './history.ts';
import type { FaultName, Judgement, Observed } from './observed.ts';
import { describeStep, refusal, type Step } from './steps.ts';

export function judgeResults(
  warps: readonly (readonly Step[])[],
  observed: Observed,
  faults: ReadonlySet<FaultName>,
): Judgement | undefined {
  const alone = warps.length === 1;
  for (const [warp, steps] of warps.entries()) {
    const results = observed.results[warp] ?? [];
    for (const step of steps) {
      const wrong = (what: string): Judgement => ({ kind: 'wrong_result', message: `${describeStep(step)}: ${what}`, warp, step: step.step });
      if (!hasEnded(observed, warp, step.step)) {
        if (faults.has('die')) break;
        return wrong('it did not end');
      }
      const result = results[step.step]?.result;
      if (result === undefined) return wrong('it has no result');
      const what = wrongResult(step, result, refusal(step, results), faults, alone);
      if (what !== undefined) return wrong(what);
    }
  }
  return undefined;
}

/** What a call may say of itself where nothing was broken on purpose. Whether it may say so here is judged by the order of the calls. */
const ownErrors: Partial<Record<Step['work'], readonly ErrnoName[]>> = {
  open: ['ENOENT', 'EEXIST'], unlink: ['ENOENT'], rename: ['ENOENT'], gather: ['ERANGE'], scatter: ['ERANGE'], add: ['ERANGE'], unmap: ['ESTALE'], map_sync: ['ESTALE'],
};

function wrongResult(step: Step, result: number, refused: number | undefined, faults: ReadonlySet<FaultName>, alone: boolean): string | undefined {
  if (result < 0 && isExplained(step, result, faults)) return undefined;
  if (refused !== undefined) return result === refused ? undefined : `${show(result)}, wanted ${show(refused)}`;
  if (result < 0) {
    const own = ownErrors[step.work]?.some((name) => result === -ERRNO[name].number) === true && fitsMode(step, result);
    // Others may have every line of the set pinned.
    const pinned = step.work === 'map' && result === -ERRNO.EAGAIN.number && !alone;
    return own || pinned ? undefined : `${show(result)}, which nothing explains`;
  }
  switch (step.work) {
    case 'open':
      return undefined; // handles are the device's own
    case 'read':
    case 'prefetch':
    case 'map':
      return result <= step.length ? undefined : `${result} bytes, but only ${step.length} were asked for`;
    case 'write':
      if (result === step.length || (result > 0 && result < step.length && canCutShort(faults))) return undefined;
      return `${result} bytes, wanted ${step.length}`;
    case 'gather':
    case 'scatter':
    case 'add':
      return result === step.indices.length ? undefined : `${result} elements, wanted ${step.indices.length}`;
    case 'poll':
      return result <= 1 ? undefined : `${show(result)}, wanted 0 or 1`;
    default:
      return result === 0 ? undefined : `${show(result)}, wanted 0`;
  }
}

/** Modes that make a file miss none, and only the one that is exclusive minds one that is there. */
function fitsMode({ work, opened }: Step, result: number): boolean {
  if (work !== 'open') return true;
  const wanted = opened?.mode === 'wx+' ? 'EEXIST' : opened?.mode === 'r' || opened?.mode === 'r+' ? 'ENOENT' : undefined;
  return wanted !== undefined && result === -ERRNO[wanted].number;
}

/** A call that failed behind its first bytes tells how many they were. */
function canCutShort(faults: ReadonlySet<FaultName>): boolean {
  return faults.has('eio') || faults.has('enospc') || faults.has('die');
}

export function show(result: number): string {
  return result < 0 ? `${result} (${describeErrno(result)})` : `${result}`;
}
