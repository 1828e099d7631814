// Scenarios that are a function of their seed.
import { Random } from '../random.ts';
import type { Scenario } from './campaign_scenario.ts';
import { type Choice, choiceAlternatives, LIMITS, type Plan, planAlternatives, scenarioOf, SIZE_ALTERNATIVES } from './scenario_plan.ts';

const SCENARIO_STRIDE = 0x9e3779b1; // neighbouring scenarios of one seed have nothing in common with those of the next seed

export function randomScenario(seed: number, index: number): Scenario {
  const random = new Random((Math.imul(seed, SCENARIO_STRIDE) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0);
  return scenarioOf(randomPlan(random), `random ${index}`);
}

export function randomPlan(random: Random): Plan {
  const numbers = drawn(random, planAlternatives);
  const sizes = Array.from({ length: between(random, LIMITS.files) }, () => random.below(SIZE_ALTERNATIVES));
  const warps = Array.from({ length: between(random, LIMITS.warps) }, () =>
    Array.from({ length: between(random, LIMITS.operations) }, (): Choice => drawn(random, choiceAlternatives)),
  );
  return { ...numbers, sizes, warps };
}

function between(random: Random, { min, max }: { min: number; max: number }): number {
  return min + random.below(max - min + 1);
}

function drawn<Name extends string>(random: Random, alternatives: Readonly<Record<Name, number>>): Record<Name, number> {
  return Object.fromEntries(Object.entries<number>(alternatives).map(([name, count]) => [name, random.below(count)])) as Record<Name, number>;
}
