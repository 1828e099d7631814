// `warpfs check --suite`: the small scenarios that are searched to the end.
import { boundedCases, meetingCases, pairCases, runSuite, type SuiteResult } from '../check/small_suite.ts';
import type { Judge } from '../check/exploration.ts';
import type { NativeBinding } from '../native_binding.ts';
import { PREEMPTIONS_UNBOUNDED } from '../native_check.ts';
import { makeProgress, printJson, type Streams } from './output.ts';
import { formatTable } from './table.ts';

export interface SuiteFlags {
  json: boolean;
  /** For one scenario. */
  milliseconds: number;
}

/** 0: all was seen, and nothing is wrong. A scenario that was not finished is said, and no failure. */
export async function searchSuite(binding: NativeBinding, judge: Judge, { json, milliseconds }: SuiteFlags, streams: Streams): Promise<number> {
  const progress = makeProgress(streams, 'suite', json);
  const begin = performance.now();
  let results: SuiteResult[];
  try {
    results = await runSuite(binding, [...pairCases(), ...meetingCases(), ...boundedCases()], { judge, workers: binding.host().cores, milliseconds, progress: progress.update });
  } finally {
    progress.stop();
  }
  const seconds = (performance.now() - begin) / 1000;
  const findings = results.filter((result) => result.finding !== undefined);
  const unfinished = results.filter((result) => !result.finished && result.finding === undefined);
  if (json) {
    printJson(streams, { command: 'check', suite: results, seconds, findings: findings.length, unfinished: unfinished.length });
  } else {
    const bound = (preemptions: number) => (preemptions === PREEMPTIONS_UNBOUNDED ? 'none' : `${preemptions}`);
    const rows = results.map(({ name, preemptions, executions, states, finished, seconds: each, finding }) =>
      [name, bound(preemptions), executions, states, each, finding ?? (finished ? 'all seen' : 'not finished')]);
    streams.out(`${formatTable(['scenario', 'preemptions', 'executions', 'states', 'seconds', 'outcome'], rows)}\n\n`);
    streams.out(`${results.length} scenarios in ${seconds.toFixed(1)} s: ${findings.length} findings, ${unfinished.length} not finished\n`);
  }
  return findings.length > 0 ? 1 : 0;
}
