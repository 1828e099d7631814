// Opens where names stay what they are: a file that is there is there for good, and one that somebody creates is there from then on.
import { ERRNO } from '../../native/abi/abi.ts';
import { type Act, describeAct, type FileHistory, type Precedes } from './history.ts';
import { show } from './judge_results.ts';
import type { FaultName, Judgement, Observed } from './observed.ts';
import { describeStep } from './steps.ts';

/** A file is found if it was there or somebody may have created it, and is missed only if nobody surely has. */
export function judgeOpens({ path, initial, acts }: FileHistory, precedes: Precedes): Judgement | undefined {
  if (initial !== undefined) {
    const missed = acts.find(({ step, ended, result }) => ended && step.work === 'open' && result === -ERRNO.ENOENT.number);
    return missed === undefined ? undefined : wrongOpen(missed, `${show(missed.result)}, but ${path} is there`);
  }
  const creates = acts.filter(makes);
  for (const act of acts) {
    const { step, ended, result } = act;
    if (!ended || step.work !== 'open' || makes(act)) continue;
    if (result >= 0 && creates.every((create) => precedes(act, create))) return wrongOpen(act, `a handle, but there is no ${path}`);
    const there = creates.find((create) => create.result >= 0 && precedes(create, act));
    if (result === -ERRNO.ENOENT.number && there !== undefined) return wrongOpen(act, `${show(result)}, but ${describeAct(there)} has created it`);
  }
  return undefined;
}

/** A file that was there, or was created, is there at the end; nothing else is. */
export function judgePresence({ path, initial, acts }: FileHistory, { files }: Observed, faults: ReadonlySet<FaultName>): Judgement | undefined {
  if (files === undefined || !files.has(path)) return undefined; // nobody looked
  const found = files.get(path) !== undefined;
  const creates = acts.filter(makes);
  const must = initial !== undefined || creates.some(({ result }) => result >= 0);
  const wrong = (message: string): Judgement => ({ kind: 'wrong_file', message, warp: -1, step: -1 });
  if (must && !found) return wrong(`${path} is gone at the end`);
  if (found && !must && creates.length === 0 && faults.size === 0) return wrong(`${path} is there at the end, but nobody created it`);
  return undefined;
}

/** An open that makes the file where there is none. */
function makes({ step }: Act): boolean {
  return step.work === 'open' && (step.opened?.mode === 'w+' || step.opened?.mode === 'c+');
}

function wrongOpen({ step }: Act, what: string): Judgement {
  return { kind: 'wrong_result', message: `${describeStep(step)}: ${what}`, warp: step.warp, step: step.step };
}
