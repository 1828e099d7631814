// Says what is wrong with one outcome of one concurrent run, if anything. Where the programs leave nothing to chance the reference gives the one
// right outcome; otherwise every byte and every size must be explained by some order of the calls.
//
// What may happen beside what. Each byte, the size of a file, and the names of all files are linearizable, each for itself; a call of many bytes is
// not one step (judge_bytes.ts, judge_sizes.ts, names.ts). Beside a truncation to a smaller size it is: a read, a write, a map and what is stored
// into it, and an access to one element come as a whole before it or behind it (judge_truncations.ts). An open with w+ is two steps, the open and
// a truncation. An addition is one step on its element (judge_elements.ts). A map looks when it is made, and writes when it is synced or given
// back. ESTALE there says that a truncation to a smaller size came in between: what was stored may have been seen before it, may have gone to the
// file with other bytes, and is gone behind it. A map may give EAGAIN where other warps may have lines pinned. After a fault a call may say its
// error, and what it was to change may have changed or not.
import { ReferenceMount } from '../../model/reference/reference_mount.ts';
import type { ReferenceResult } from '../../model/reference/reference_warp.ts';
import { ERRNO } from '../../native/abi/abi.ts';
import { describeErrno } from '../errors.ts';
import type { Disk, FileCase } from './covers.ts';
import { isDeterministic } from './determinism.ts';
import { actsOf, barriersHold, type FileHistory, fileHistories, orderOf, type Precedes } from './history.ts';
import { judgeBytes } from './judge_bytes.ts';
import { judgeOpens, judgePresence } from './judge_opens.ts';
import { judgeResults } from './judge_results.ts';
import { judgeSizes } from './judge_sizes.ts';
import { judgeTruncations } from './judge_truncations.ts';
import { changesNames, describeNames, isPresent, type Naming, namingsOf } from './names.ts';
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
  readonly #changesNames: boolean;
  readonly #wanted: Wanted | undefined;
  readonly #undecided = { count: 0 };

  constructor(scenario: JudgedScenario) {
    this.#scenario = scenario;
    this.#warps = stepsOf(scenario.programs, scenario.lineBytes);
    this.#changesNames = changesNames(this.#warps);
    this.deterministic = isDeterministic(scenario);
    this.#wanted = this.deterministic ? askReference(scenario) : undefined;
  }

  get undecided(): number {
    return this.#undecided.count;
  }

  judge(observed: Observed): Judgement | undefined {
    const faults = activeFaults(this.#scenario.faults, observed.injected);
    const precedes = orderOf(this.#scenario, barriersHold(this.#warps, observed));
    const wrong = judgeResults(this.#warps, observed, faults);
    if (wrong !== undefined) return wrong;
    if (this.#wanted !== undefined && faults.size === 0 && !findsAllPinned(this.#warps, observed)) {
      const other = compare(this.#warps, observed, this.#wanted);
      // Where the files were compared as well there is nothing left to explain.
      if (other !== undefined || (observed.finish === 0 && observed.files !== undefined)) return other;
    }
    if (observed.finish !== undefined && observed.finish < 0 && faults.size === 0) {
      return { kind: 'wrong_file', message: `the sync at the end: ${describeErrno(observed.finish)}, which nothing explains`, warp: -1, step: -1 };
    }
    return this.#changesNames ? this.#judgeNamings(observed, precedes, faults) : this.#judgeFiles(observed, precedes, faults);
  }

  /** One way in which opens, removals and renames may have come must explain the bytes as well. */
  #judgeNamings(observed: Observed, precedes: Precedes, faults: ReadonlySet<FaultName>): Judgement | undefined {
    const acts = actsOf(this.#warps, observed);
    const namings = namingsOf(acts, this.#scenario.files.map(({ path }) => path), precedes);
    if (namings === undefined) {
      this.#undecided.count++;
      return undefined;
    }
    if (namings.length === 0) return { kind: 'not_linearizable', message: describeNames(acts), warp: -1, step: -1 };
    const present = namings.filter((naming) => isPresent(naming, observed));
    const paths = [...(observed.files ?? [])].map(([path, bytes]) => `${path} is ${bytes === undefined ? 'gone' : 'there'}`);
    if (present.length === 0) return { kind: 'wrong_file', message: `${describeNames(acts)}; at the end ${paths.join(', ')}`, warp: -1, step: -1 };
    let first: Judgement | undefined;
    for (const naming of present) {
      const finding = this.#judgeFiles(observed, precedes, faults, naming);
      if (finding === undefined) return undefined;
      first ??= finding;
    }
    return first;
  }

  /** Without a naming every path is one file. */
  #judgeFiles(observed: Observed, precedes: Precedes, faults: ReadonlySet<FaultName>, naming?: Naming): Judgement | undefined {
    const { files, lineBytes } = this.#scenario;
    for (const history of fileHistories(this.#warps, files, observed, naming?.fileOf)) {
      const opened = naming === undefined ? (judgeOpens(history, precedes) ?? judgePresence(history, observed, faults)) : undefined;
      if (opened !== undefined) return opened;
      const file: FileCase = { history, disk: diskOf(history, observed, naming), precedes, faults, undecided: this.#undecided };
      const judgeOne = (one: FileCase): Judgement | undefined => judgeBytes(one) ?? judgeSizes(one, lineBytes);
      const finding = judgeOne(file) ?? judgeTruncations(file, judgeOne);
      if (finding !== undefined) return finding;
    }
    return undefined;
  }
}

function askReference({ programs, files, lineBytes }: JudgedScenario): Wanted {
  const reference = new ReferenceMount(Object.fromEntries(files.map(({ path, bytes }) => [path, bytes])), { lineBytes });
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
  for (const [path, found] of observed.files) {
    const right = wanted.files.get(path);
    const presence = right === undefined ? 'it is there' : 'it is gone';
    const difference = found === undefined || right === undefined ? (found === right ? undefined : presence) : firstDifference(found, right);
    if (difference !== undefined) return { kind: 'wrong_file', message: `${path} at the end: ${difference}`, warp: -1, step: -1 };
  }
  return undefined;
}

/** A map found every line of its set pinned: then the program went on without it. */
export function findsAllPinned(warps: readonly (readonly Step[])[], { results }: Pick<Observed, 'results'>): boolean {
  return warps.some((steps, warp) => steps.some(({ work, step }) => work === 'map' && results[warp]?.[step]?.result === -ERRNO.EAGAIN.number));
}

function differenceOf(step: Step, got: ObservedStep, right: ReferenceResult): string | undefined {
  // Handles are the device's own; a prefetch is a hint, so it may do less; what a poll asks for may still be on its way.
  const less = (step.work === 'prefetch' || step.work === 'poll') && got.result >= 0 && got.result <= right.result;
  const handle = step.work === 'open' && got.result >= 0 && right.result === 0;
  if (got.result !== right.result && !less && !handle) return `result ${got.result}, wanted ${right.result}`;
  if (right.result >= 0 && got.sizeBytes !== right.sizeBytes) return `size ${got.sizeBytes}, wanted ${right.sizeBytes}`;
  if (right.values !== undefined) return firstDifference(got.values ?? new Uint32Array(0), right.values);
  if ((step.work !== 'read' && step.work !== 'map') || step.waitedAgain || right.data === undefined) return undefined;
  return firstDifference(got.data ?? new Uint8Array(0), right.data);
}

function firstDifference<List extends Uint8Array | Uint32Array>(got: List, wanted: List): string | undefined {
  const what = wanted instanceof Uint8Array ? 'byte' : 'value';
  if (got.length !== wanted.length) return `${got.length} ${what}s, wanted ${wanted.length}`;
  const at = [...got].findIndex((value, index) => value !== wanted[index]);
  return at < 0 ? undefined : `${what} ${at} is ${got[at]}, wanted ${wanted[at]}`;
}

function diskOf({ path }: FileHistory, { files, finish }: Observed, naming?: Naming): Disk | undefined {
  // A file that has lost its name, nobody can look at.
  const name = naming === undefined ? path : [...naming.names].find(([, file]) => file === path)?.[0];
  const bytes = name === undefined ? undefined : files?.get(name);
  return bytes === undefined ? undefined : { bytes, finished: finish === 0 };
}
