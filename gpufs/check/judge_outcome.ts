// An outcome of the addon in the words of the judge.
import type { DecodedOutcome, JudgedSetting, Scenario, Verdict } from './campaign_scenario.ts';
import { type Judge, makeJudge } from './judge.ts';
import type { Observed } from './observed.ts';

/** A scenario has many outcomes, and its judge looks at the programs once. */
const judges = new WeakMap<Scenario, Map<string, Judge>>();

export function judgeOutcome(scenario: Scenario, outcome: DecodedOutcome, setting: JudgedSetting): Verdict | undefined {
  return judgeOf(scenario, setting).judge(observedOf(outcome, setting));
}

function judgeOf(scenario: Scenario, { lineBytes, memory }: JudgedSetting): Judge {
  const known = judges.get(scenario) ?? new Map<string, Judge>();
  judges.set(scenario, known);
  const key = `${lineBytes} ${memory}`;
  const { programs, files, faults } = scenario;
  const judge = known.get(key) ?? makeJudge({ programs, files, faults, lineBytes, memory });
  known.set(key, judge);
  return judge;
}

function observedOf({ results, ended, preludes, order, files, faults }: DecodedOutcome, { finished }: JudgedSetting): Observed {
  const observed: Observed = { results, ended, preludes };
  if (order.length > 0) {
    const times = results.map((steps) => steps.map(() => 0));
    for (const { warp, step, time } of order) (times[warp] ?? [])[step] = time;
    observed.times = times;
  }
  if (files !== undefined) observed.files = new Map(files.map(({ path, bytes }) => [path, bytes]));
  if (finished) observed.finish = 0;
  if (faults === 0) observed.injected = {};
  return observed;
}
