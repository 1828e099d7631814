// Schedules for fast-check, whose own scheduler never shrinks. Imported by tests alone.
import fc from 'fast-check';
import { SEED_MAX } from '../check_options.ts';
import { DECISION_WORDS } from '../native_check.ts';
import { type Schedule, simplerDecisions } from './schedule.ts';

export function scheduleArbitrary(): fc.Arbitrary<Schedule> {
  return new ScheduleArbitrary();
}

/** Draws seeds. A schedule to which its decisions were attached when it failed shrinks; one without them does not. */
class ScheduleArbitrary extends fc.Arbitrary<Schedule> {
  generate(random: fc.Random): fc.Value<Schedule> {
    return new fc.Value<Schedule>({ seed: random.nextInt(0, SEED_MAX) }, undefined);
  }

  canShrinkWithoutContext(value: unknown): value is Schedule {
    if (typeof value !== 'object' || value === null) return false;
    const { seed, decisions } = value as Partial<Schedule>;
    const whole = Number.isInteger(seed) && (seed as number) >= 0 && (seed as number) <= SEED_MAX;
    return whole && (decisions === undefined || (decisions instanceof Uint32Array && decisions.length % DECISION_WORDS === 0));
  }

  /** Called after the run of `value`: only then it is known what it was made of. */
  shrink({ seed, decisions }: Schedule): fc.Stream<fc.Value<Schedule>> {
    if (decisions === undefined) return fc.Stream.nil();
    return fc.stream(simplerDecisions(decisions)).map((fewer) => new fc.Value<Schedule>({ seed, decisions: fewer }, undefined));
  }
}
