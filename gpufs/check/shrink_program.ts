// A failing scenario, made small: first whole warps and steps go, then faults and settings, at last bytes.
import { WarpfsError } from '../errors.ts';
import { checkPrograms } from '../program_check.ts';
import type { Operation } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';
import { isDeterministic } from './determinism.ts';
import { holdsMaps, shorterOperations, withoutBarrier, withoutStep } from './program_edits.ts';

/** Scenarios that are simpler in one respect. The list of the next round is made from what the last round has left. */
type Pass = (scenario: Scenario) => Scenario[];

const ATTEMPTS_MAX = 2000;
const LINE_BYTES_USUAL = 4096;
const passes: readonly Pass[] = [fewerWarps, fewerSteps, fewerBarriers, fewerFaults, simplerSettings, fewerFiles, shorterCalls, shorterFiles];

/**
 * `fails` runs a scenario under as many schedules as it likes and says whether it still fails in the same way. What comes back fails, and none
 * of the steps of shrinking makes it simpler, unless there were more than `attemptsMax` attempts.
 */
export async function shrinkScenario(scenario: Scenario, fails: (scenario: Scenario) => Promise<boolean>, attemptsMax: number = ATTEMPTS_MAX): Promise<Scenario> {
  let smallest = scenario;
  let attempts = 0;
  for (let progress = true; progress; ) {
    progress = false;
    for (const pass of passes) {
      // Where one was taken, the one that has moved to its place is next.
      for (let at = 0, candidates = pass(smallest); at < candidates.length && attempts < attemptsMax; ) {
        const candidate = candidates[at] as Scenario;
        attempts++;
        if (isSound(candidate) && (await fails(candidate))) {
          smallest = candidate;
          progress = true;
          candidates = pass(smallest);
        } else {
          at++;
        }
      }
    }
  }
  return smallest;
}

function isSound({ programs, config }: Scenario): boolean {
  try {
    checkPrograms(programs);
    // Who holds the last line and waits for others makes them wait as well: that is no fault of the protocol.
    return (config.cache?.lines ?? Infinity) > programs.length || !programs.some(holdsMaps);
  } catch (error) {
    if (error instanceof WarpfsError) return false;
    throw error;
  }
}

function withPrograms(scenario: Scenario, programs: readonly (readonly Operation[])[]): Scenario {
  const changed = { ...scenario, programs };
  return scenario.orderMatters === undefined ? changed : { ...changed, orderMatters: !isDeterministic(changed) };
}

function withProgram(scenario: Scenario, warp: number, program: readonly Operation[]): Scenario {
  return withPrograms(scenario, scenario.programs.with(warp, program));
}

function fewerWarps(scenario: Scenario): Scenario[] {
  const { programs } = scenario;
  return programs.length < 2 ? [] : programs.map((_, warp) => withPrograms(scenario, programs.toSpliced(warp, 1)));
}

/** From the end: what nobody looks at any more goes first. */
function fewerSteps(scenario: Scenario): Scenario[] {
  return scenario.programs.flatMap((program, warp) =>
    program.map((_, step) => withProgram(scenario, warp, withoutStep(program, step))).filter((_, step) => program[step]?.op !== 'barrier').toReversed(),
  );
}

function fewerBarriers(scenario: Scenario): Scenario[] {
  const barriers = scenario.programs[0]?.filter(({ op }) => op === 'barrier') ?? [];
  return barriers.map((_, barrier) => withPrograms(scenario, withoutBarrier(scenario.programs, barrier)));
}

function fewerFaults(scenario: Scenario): Scenario[] {
  return Object.entries(scenario.faults)
    .filter(([, chance]) => chance > 0)
    .map(([name]) => ({ ...scenario, faults: Object.fromEntries(Object.entries(scenario.faults).filter(([other]) => other !== name)) }));
}

function simplerSettings(scenario: Scenario): Scenario[] {
  const { config, check } = scenario;
  const { cache, ring } = config;
  const simpler: Scenario[] = [];
  const lanes = check?.laneCount ?? 1;
  if (check?.cuda === true) simpler.push({ ...scenario, check: { ...check, cuda: false } });
  if (check?.memory === 'relaxed') simpler.push({ ...scenario, check: { ...check, memory: 'sc' } });
  for (const laneCount of lowerNumbers(lanes)) simpler.push({ ...scenario, check: { ...check, laneCount } });
  if (config.wait === 'replay') simpler.push({ ...scenario, config: { ...config, wait: 'spin' } });
  if (cache?.policy === 'fifo') simpler.push({ ...scenario, config: { ...config, cache: { ...cache, policy: 'clock' } } });
  for (const lines of lowerNumbers(cache?.lines ?? 1)) simpler.push({ ...scenario, config: { ...config, cache: { ...cache, lines } } });
  for (const count of lowerNumbers(ring?.count ?? 1)) simpler.push({ ...scenario, config: { ...config, ring: { ...ring, count } } });
  const slots = ring?.slots ?? 1;
  if (scenario.finish === false) simpler.push({ ...scenario, finish: true });
  if (slots > 1) simpler.push({ ...scenario, config: { ...config, ring: { ...ring, slots: slots / 2 } } });
  return simpler;
}

function fewerFiles(scenario: Scenario): Scenario[] {
  const named = new Set(scenario.programs.flatMap((program) => program.flatMap((operation) => (operation.op === 'open' ? [operation.path] : []))));
  const used = scenario.files.filter(({ path }) => named.has(path));
  return used.length === scenario.files.length ? [] : [{ ...scenario, files: used }];
}

function shorterCalls(scenario: Scenario): Scenario[] {
  const lineBytes = scenario.config.cache?.lineBytes ?? LINE_BYTES_USUAL;
  return scenario.programs.flatMap((program, warp) =>
    program.flatMap((operation, step) => shorterOperations(operation, lineBytes).map((shorter) => withProgram(scenario, warp, program.with(step, shorter)))),
  );
}

function shorterFiles(scenario: Scenario): Scenario[] {
  return scenario.files.flatMap(({ path, bytes }, index) =>
    [...new Set([0, Math.floor(bytes.length / 2)])]
      .filter((length) => length < bytes.length)
      .map((length) => withPrograms({ ...scenario, files: scenario.files.with(index, { path, bytes: bytes.slice(0, length) }) }, scenario.programs)),
  );
}

function lowerNumbers(value: number): number[] {
  return [...new Set([1, Math.floor(value / 2), value - 1])].filter((lower) => lower >= 1 && lower < value);
}
