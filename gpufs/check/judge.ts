// Says what is wrong with one outcome of one concurrent run, if anything. Where the programs leave nothing to chance the reference gives the one
// right outcome; otherwise every byte and every size must be explained by some order of the calls.
import { ReferenceMount } from '../../model/reference/reference_mount.ts';
import type { ReferenceResult } from '../../model/reference/reference_warp.ts';
import { describeErrno } from '../errors.ts';
import type { Disk, FileCase } from './covers.ts';
import { isDeterministic } from './determinism.ts';
import { barriersHold, type FileHistory, fileHistories, orderOf } from './history.ts';
import { judgeBytes } from './judge_bytes.ts';
import { judgeResults } from './judge_results.ts';
import { judgeSizes } from './judge_sizes.ts';
import { activeFaults, type FaultName, type JudgedScenario, type Judgement, type Observed, type ObservedStep } from './observed.ts';
import { describeStep, type Step, stepsOf } from './steps.ts';

export interface Judge {
  /** The results are the same under every schedule, as long as no fault is injected. */
  readonly deterministic: boolean;
  /** Searches that were given up because they were too large: what they were about was let pass. */
  readonly undecided: number;
  judge(observed: Observed): Judgement | undefined;
}

/** For one outcome. Where there are many of one scenario, makeJudge looks at the programs only once. */
export function judge(scenario: JudgedScenario, observed: Observed): Judgement | undefined {
  return makeJudge(scenario).judge(observed);
}

/** The programs must have passed checkPrograms. Every path names a file of its own. */
export function makeJudge(scenario: JudgedScenario): Judge {
  return new ScenarioJudge(scenario);
}

interface Wanted {
  results: ReferenceResult[][];
  files: ReadonlyMap<string, Uint8Array>;
}

class ScenarioJudge implements Judge {
  readonly deterministic: boolean;
  readonly #scenario: JudgedScenario;
  readonly #warps: Step[][];
  readonly #wanted: Wanted | undefined;
  readonly #undecided = { count: 0 };

  constructor(scenario: JudgedScenario) {
    this.#scenario = scenario;
    this.#warps = stepsOf(scenario.programs);
    this.deterministic = isDeterministic(scenario);
    this.#wanted = this.deterministic ? askReference(scenario) : undefined;
  }

  get undecided(): number {
    return this.#undecided.count;
  }

  judge(observed: Observed): Judgement | undefined {
    const { faults: chances, files, lineBytes } = this.#scenario;
    const faults = activeFaults(chances, observed.injected);
    const precedes = orderOf(this.#scenario, barriersHold(this.#warps, observed));
    const histories = fileHistories(this.#warps, files, observed);
    const wrong = judgeResults(this.#warps, observed, histories, precedes, faults);
    if (wrong !== undefined) return wrong;
    if (this.#wanted !== undefined && faults.size === 0) {
      const other = compare(this.#warps, observed, this.#wanted);
      // Where the files were compared as well there is nothing left to explain.
      if (other !== undefined || (observed.finish === 0 && observed.files !== undefined)) return other;
    }
    if (observed.finish !== undefined && observed.finish < 0 && faults.size === 0) {
      return { kind: 'wrong_file', message: `the sync at the end: ${describeErrno(observed.finish)}, which nothing explains`, warp: -1, step: -1 };
    }
    for (const history of histories) {
      const missing = judgePresence(history, observed, faults);
      if (missing !== undefined) return missing;
      const file: FileCase = { history, disk: diskOf(history, observed), precedes, faults, undecided: this.#undecided };
      const finding = judgeBytes(file) ?? judgeSizes(file, lineBytes);
      if (finding !== undefined) return finding;
    }
    return undefined;
  }
}

function askReference({ programs, files }: JudgedScenario): Wanted {
  const reference = new ReferenceMount(Object.fromEntries(files.map(({ path, bytes }) => [path, bytes])));
  const results = reference.run(programs);
  return { results, files: new Map([...reference.files.keys()].map((path) => [path, reference.bytes(path)])) };
}

function compare(warps: readonly (readonly Step[])[], observed: Observed, wanted: Wanted): Judgement | undefined {
  for (const [warp, steps] of warps.entries()) {
    for (const step of steps) {
      const got = observed.results[warp]?.[step.step];
      const right = wanted.results[warp]?.[step.step];
      const what = got === undefined || right === undefined ? 'it has no result' : differenceOf(step, got, right);
      if (what !== undefined) return { kind: 'wrong_result', message: `${describeStep(step)}: ${what}`, warp, step: step.step };
    }
  }
  if (observed.finish !== 0 || observed.files === undefined) return undefined;
  for (const [path, right] of wanted.files) {
    const difference = firstDifference(observed.files.get(path) ?? new Uint8Array(0), right);
    if (difference !== undefined) return { kind: 'wrong_file', message: `${path} at the end: ${difference}`, warp: -1, step: -1 };
  }
  return undefined;
}

function differenceOf(step: Step, got: ObservedStep, right: ReferenceResult): string | undefined {
  // Handles are the device's own; a prefetch is a hint, so it may do less.
  const less = step.work === 'prefetch' && got.result >= 0 && got.result <= right.result;
  const handle = step.work === 'open' && got.result >= 0 && right.result === 0;
  if (got.result !== right.result && !less && !handle) return `result ${got.result}, wanted ${right.result}`;
  if (right.result >= 0 && got.sizeBytes !== right.sizeBytes) return `size ${got.sizeBytes}, wanted ${right.sizeBytes}`;
  if (step.work !== 'read' || step.waitedAgain || right.data === undefined) return undefined;
  return firstDifference(got.data ?? new Uint8Array(0), right.data);
}

function firstDifference(got: Uint8Array, wanted: Uint8Array): string | undefined {
  if (got.length !== wanted.length) return `${got.length} bytes, wanted ${wanted.length}`;
  const at = got.findIndex((byte, index) => byte !== wanted[index]);
  return at < 0 ? undefined : `byte ${at} is ${got[at]}, wanted ${wanted[at]}`;
}

/** A file that was there, or was created, is there at the end; nothing else is. */
function judgePresence({ path, initial, acts }: FileHistory, { files }: Observed, faults: ReadonlySet<FaultName>): Judgement | undefined {
  if (files === undefined || !files.has(path)) return undefined; // nobody looked
  const found = files.get(path) !== undefined;
  const creates = acts.filter(({ step }) => step.work === 'open' && step.opened?.mode === 'w+');
  const must = initial !== undefined || creates.some(({ result }) => result >= 0);
  const wrong = (message: string): Judgement => ({ kind: 'wrong_file', message, warp: -1, step: -1 });
  if (must && !found) return wrong(`${path} is gone at the end`);
  if (found && !must && creates.length === 0 && faults.size === 0) return wrong(`${path} is there at the end, but nobody created it`);
  return undefined;
}

function diskOf({ path }: FileHistory, { files, finish }: Observed): Disk | undefined {
  const bytes = files?.get(path);
  return bytes === undefined ? undefined : { bytes, finished: finish === 0 };
}
