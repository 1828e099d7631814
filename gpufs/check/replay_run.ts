// A stored failure, shown again.
import { fromNative } from '../errors.ts';
import type { NativeBinding } from '../native_binding.ts';
import type { NativeExploration, NativeFinding } from '../native_check.ts';
import { explore, type Judge, prepareWith, tidied, usualLimits } from './exploration.ts';
import type { Replay } from './replay_file.ts';

export interface Replayed {
  /** Undefined: the schedule does no harm any more. */
  finding: NativeFinding | undefined;
  exploration: NativeExploration;
  /** The same accesses in the same order as when it was stored. */
  sameTrace: boolean;
}

export async function runReplay(binding: NativeBinding, replay: Replay, judge: Judge, root: string, trace: boolean): Promise<Replayed> {
  const config = { ...replay.config, root, device: 'cpu' as const };
  // That a schedule has two traces only shows when it runs twice.
  const limits = { ...usualLimits, decisions: replay.decisions, trace, twice: replay.finding.kind === 'nondeterminism' };
  const { scenario } = replay;
  let exploration: NativeExploration;
  let finding: NativeFinding | undefined;
  if (scenario.kind === 'programs') {
    ({ exploration, finding } = await explore(prepareWith(binding, scenario.scenario, config), judge, limits));
  } else {
    try {
      exploration = tidied(await binding.explore(config, scenario.native, limits));
    } catch (error) {
      throw fromNative(`check ${scenario.name}`, error);
    }
    finding = exploration.finding;
  }
  const hash = finding?.traceHash || exploration.traceHash;
  return { finding, exploration, sameTrace: replay.traceHash === '' || hash === replay.traceHash };
}
