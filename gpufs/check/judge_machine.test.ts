import { expect, test } from 'vitest';
import { Random } from '../random.ts';
import { judge, makeJudge } from './judge.ts';
import { type Bug, bugs, Machine } from './machine_for_tests.ts';
import type { JudgedScenario } from './observed.ts';
import { randomScenario } from './random_scenario.ts';
import { LINE_BYTES } from './scenario_plan.ts';

const SEED = 5;
const SCENARIOS = 2000;

function drawn(index: number, memory: JudgedScenario['memory'] = 'sc'): JudgedScenario {
  const { programs, files, faults } = randomScenario(SEED, index);
  const { eio = 0, enospc = 0 } = faults;
  return { programs, files, memory, lineBytes: LINE_BYTES, faults: { eio, enospc } };
}

test('every outcome of a machine without bugs is right', () => {
  let undecided = 0;
  for (let index = 0; index < SCENARIOS; index++) {
    const scenario = drawn(index, index % 4 === 0 ? 'relaxed' : 'sc');
    const subject = makeJudge(scenario);
    for (let run = 0; run < 3; run++) {
      const observed = new Machine(scenario, new Random(index * 8 + run)).run(run > 0);
      expect(subject.judge(observed), `scenario ${index} run ${run}`).toBeUndefined();
    }
    undecided += subject.undecided;
  }
  expect(undecided).toBeLessThan(SCENARIOS / 100);
});

test.each(bugs)('a machine with the bug %s is found out', (bug: Bug) => {
  for (let index = 0; index < SCENARIOS; index++) {
    const scenario = drawn(index);
    if (judge(scenario, new Machine(scenario, new Random(index), bug).run(index % 2 === 0)) !== undefined) return;
  }
  throw new Error(`not within ${SCENARIOS} scenarios`);
});
