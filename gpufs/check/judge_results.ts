// What each result must be whatever the order was: the right errno, no error that nothing explains, a count that fits.
import { ERRNO } from '../../native/abi/abi.ts';
import { describeErrno } from '../errors.ts';
import { isExplained } from './errno_rules.ts';
import { type Act, describeAct, type FileHistory, hasEnded, type Precedes } from './history.ts';
import type { FaultName, Judgement, Observed } from './observed.ts';
import { describeStep, refusal, type Step } from './steps.ts';

export function judgeResults(
  warps: readonly (readonly Step[])[],
  observed: Observed,
  histories: readonly FileHistory[],
  precedes: Precedes,
  faults: ReadonlySet<FaultName>,
): Judgement | undefined {
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
      const what = wrongResult(step, result, refusal(step, results), faults);
      if (what !== undefined) return wrong(what);
    }
  }
  for (const history of histories) {
    const finding = judgeOpens(history, precedes);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

function wrongResult(step: Step, result: number, refused: number | undefined, faults: ReadonlySet<FaultName>): string | undefined {
  if (result < 0 && isExplained(step, result, faults)) return undefined;
  if (refused !== undefined) return result === refused ? undefined : `${show(result)}, wanted ${show(refused)}`;
  if (result < 0) {
    // Whether the file was there is judged by the order of the opens.
    return step.work === 'open' && result === -ERRNO.ENOENT.number && step.opened?.mode !== 'w+' ? undefined : `${show(result)}, which nothing explains`;
  }
  switch (step.work) {
    case 'open':
      return undefined; // handles are the device's own
    case 'read':
    case 'prefetch':
      return result <= step.length ? undefined : `${result} bytes, but only ${step.length} were asked for`;
    case 'write':
      if (result === step.length || (result > 0 && result < step.length && canCutShort(faults))) return undefined;
      return `${result} bytes, wanted ${step.length}`;
    default:
      return result === 0 ? undefined : `${show(result)}, wanted 0`;
  }
}

/** A call that failed behind its first bytes tells how many they were. */
function canCutShort(faults: ReadonlySet<FaultName>): boolean {
  return faults.has('eio') || faults.has('enospc') || faults.has('die');
}

/** A file is found if it was there or somebody may have created it, and is missed only if nobody surely has. */
function judgeOpens({ path, initial, acts }: FileHistory, precedes: Precedes): Judgement | undefined {
  if (initial !== undefined) {
    const missed = acts.find(({ step, ended, result }) => ended && step.work === 'open' && result === -ERRNO.ENOENT.number);
    return missed === undefined ? undefined : wrongOpen(missed, `${show(missed.result)}, but ${path} is there`);
  }
  const creates = acts.filter(({ step }) => step.work === 'open' && step.opened?.mode === 'w+');
  for (const act of acts) {
    const { step, ended, result } = act;
    if (!ended || step.work !== 'open' || step.opened?.mode === 'w+') continue;
    if (result >= 0 && creates.every((create) => precedes(act, create))) return wrongOpen(act, `a handle, but there is no ${path}`);
    const there = creates.find((create) => create.result >= 0 && precedes(create, act));
    if (result === -ERRNO.ENOENT.number && there !== undefined) return wrongOpen(act, `${show(result)}, but ${describeAct(there)} has created it`);
  }
  return undefined;
}

function wrongOpen({ step }: Act, what: string): Judgement {
  return { kind: 'wrong_result', message: `${describeStep(step)}: ${what}`, warp: step.warp, step: step.step };
}

function show(result: number): string {
  return result < 0 ? `${result} (${describeErrno(result)})` : `${result}`;
}
