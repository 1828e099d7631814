// The same scenarios for fast-check: lower numbers and shorter lists are simpler ones. Imported by tests alone.
import fc from 'fast-check';
import type { Scenario } from './campaign_scenario.ts';
import { type Choice, choiceAlternatives, LIMITS, type Plan, planAlternatives, scenarioOf, SIZE_ALTERNATIVES } from './scenario_plan.ts';

export function planArbitrary(): fc.Arbitrary<Plan> {
  const choice: fc.Arbitrary<Choice> = fc.record(numbers(choiceAlternatives));
  // From 0 on: so every operation can go.
  const operations = fc.array(choice, { maxLength: LIMITS.operations.max });
  return fc.record({
    ...numbers(planAlternatives),
    sizes: fc.array(fc.nat(SIZE_ALTERNATIVES - 1), lengthWithin(LIMITS.files)),
    warps: fc.array(operations, lengthWithin(LIMITS.warps)),
  });
}

/** `change` is about the plan: what a program may do depends on the cache that it is for. */
export function scenarioArbitrary(change: (plan: Plan) => Plan = (plan) => plan): fc.Arbitrary<Scenario> {
  return planArbitrary().map((plan) => scenarioOf(change(plan), 'property'));
}

function numbers<Name extends string>(alternatives: Readonly<Record<Name, number>>): { [Key in Name]: fc.Arbitrary<number> } {
  return Object.fromEntries(Object.entries<number>(alternatives).map(([name, count]) => [name, fc.nat(count - 1)])) as { [Key in Name]: fc.Arbitrary<number> };
}

function lengthWithin({ min, max }: { min: number; max: number }): fc.ArrayConstraints {
  return { minLength: min, maxLength: max };
}
