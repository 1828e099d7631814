// What `warpfs check` says and writes at its end.
import { writeFile } from 'node:fs/promises';
import type { CampaignCounts, CampaignResult } from '../check/campaign.ts';
import type { MutantRun } from '../check/mutant_run.ts';
import { perfettoTrace } from '../check/perfetto.ts';
import { scenarioText } from '../check/program_text.ts';
import { makeReplay, type Replay, writeReplay } from '../check/replay_file.ts';
import type { Replayed } from '../check/replay_run.ts';
import { countSwitches, describeActors, makeReport } from '../check/report.ts';
import type { Symbolizer } from '../check/symbolize.ts';
import { WarpfsError } from '../errors.ts';
import type { NativeFinding, NativeTraceEvent } from '../native_check.ts';
import { printJson, type Streams } from './output.ts';
import { formatTable } from './table.ts';

export interface CampaignFlags {
  seed: number;
  trace?: string | undefined;
  out?: string | undefined;
  json: boolean;
}

interface TraceLayout {
  laneCount: number;
  host: number;
}

const FOUND = 1;

/** 0, or 1 where something was wrong. Calls the addon for the trace, so the folder of the scenario must be there. */
export async function showCampaign({ counts, found, first }: CampaignResult, flags: CampaignFlags, streams: Streams, symbolizer?: Symbolizer): Promise<number> {
  const { seed, trace, json } = flags;
  const traced = found?.prepared ?? first;
  if (trace !== undefined && traced !== undefined) {
    const decisions = found?.finding.decisions;
    const { trace: events } = await traced.run({ trace: true, ...(decisions === undefined ? {} : { decisions }) });
    await writeTrace(trace, traceTitle(seed, traced.scenario.name), traceLayout(traced.config), events);
  }
  if (found === undefined) {
    if (json) printJson(streams, { command: 'check', seed, ...jsonCounts(counts), ...(trace === undefined ? {} : { traceFile: trace }) });
    else streams.out(`${countsTable(counts)}\n\nno finding\n`);
    return 0;
  }
  const { prepared, index } = found;
  // By its number it is found in the scenario as it was drawn.
  const finding = { ...found.finding, schedule: found.schedule };
  const file = flags.out ?? `warpfs-check-${seed}.replay.json`;
  const { config, scenario } = prepared;
  await writeReplay(file, makeReplay(config, { kind: 'programs', scenario }, finding, seed));
  if (json) {
    const shown = { ...(await jsonFinding(finding, symbolizer)), scenario: scenario.name, scenarioIndex: index, program: scenarioText(scenario).split('\n') };
    printJson(streams, { command: 'check', seed, ...jsonCounts(counts), finding: shown, replayFile: file, ...(trace === undefined ? {} : { traceFile: trace }) });
  } else {
    const report = await makeReport(finding, context(seed, file, symbolizer));
    const program = indented(`scenario ${index}: ${scenario.name}, made small\n${scenarioText(scenario)}`);
    streams.out(`${report}\n${program}\n\n${countsTable(counts)}\n`);
  }
  return FOUND;
}

export async function showReplay(
  path: string,
  replay: Replay,
  { finding, exploration, sameTrace }: Replayed,
  { trace, json }: { trace?: string | undefined; json: boolean },
  streams: Streams,
  symbolizer?: Symbolizer,
): Promise<number> {
  const { seed, kind } = replay.finding;
  if (trace !== undefined) await writeTrace(trace, traceTitle(seed, nameOf(replay)), traceLayout(replay.config), exploration.trace);
  if (json) {
    const shown = finding === undefined ? {} : { finding: await jsonFinding(finding, symbolizer) };
    printJson(streams, { command: 'check', replay: path, seed, expected: kind, sameTrace, traceHash: exploration.traceHash, ...shown });
  } else if (finding === undefined) {
    streams.out(`no finding: the schedule of ${path} (${kind}) does no harm any more\n`);
  } else {
    const note = sameTrace ? '' : 'the trace is not the stored one: something else than the schedule has changed\n';
    const { scenario, config } = replay;
    const program = scenario.kind === 'programs' ? `${indented(scenarioText({ check: config.check ?? {}, ...scenario.scenario }))}\n` : '';
    streams.out(`${await makeReport(finding, context(seed, path, symbolizer))}\n${program}${note}`);
  }
  return finding === undefined ? 0 : FOUND;
}

/** 0 where every mutant was killed, and nothing was found without one. */
export function showMutants({ control, mutants }: MutantRun, { seed, json }: { seed: number; json: boolean }, streams: Streams): number {
  if (mutants.length === 0) throw new WarpfsError('EIO', 'there are no mutants: a net that nothing is thrown at shows nothing');
  const survivors = mutants.filter(({ killed }) => !killed);
  if (json) {
    printJson(streams, { command: 'check', seed, killed: mutants.length - survivors.length, survived: survivors.length, control, mutants });
  } else {
    const rows = mutants.map(({ name, killed, killedBy, schedules, summary }) => [name, killed ? killedBy : 'SURVIVED', schedules, summary]);
    const verdict = survivors.length === 0 ? `all ${mutants.length} mutants were killed` : `${survivors.length} of ${mutants.length} mutants survived`;
    const doubts = control.map(({ scenario, kind, message, schedules }) => `FAILED without a mutant, so kills prove nothing: ${scenario}: ${kind}: ${message} (schedule ${schedules})\n`);
    streams.out(`${formatTable(['mutant', 'killed by', 'schedules', 'what is wrong'], rows)}\n\n${verdict}\n${doubts.join('')}`);
  }
  return survivors.length === 0 && control.length === 0 ? 0 : FOUND;
}

function context(seed: number, file: string, symbolizer: Symbolizer | undefined) {
  return { seed, again: `warpfs check --replay ${quoted(file)}`, ...(symbolizer === undefined ? {} : { symbolizer }) };
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function quoted(path: string): string {
  return /^[\w./+:@%-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

async function jsonFinding(finding: NativeFinding, symbolizer: Symbolizer | undefined): Promise<object> {
  const { kind, message, schedule, decisions, traceHash } = finding;
  return { kind, message, schedule, switches: countSwitches(decisions), traceHash, actors: await describeActors(finding, symbolizer) };
}

function jsonCounts(counts: CampaignCounts): object {
  return { ...counts, ...ratesOf(counts) };
}

function ratesOf({ schedules, steps, nanoseconds }: CampaignCounts): { schedulesPerSecond: number; stepsPerSecond: number } {
  const seconds = Math.max(nanoseconds, 1) / 1e9;
  return { schedulesPerSecond: Math.round(schedules / seconds), stepsPerSecond: Math.round(steps / seconds) };
}

function countsTable(counts: CampaignCounts): string {
  const { schedulesPerSecond, stepsPerSecond } = ratesOf(counts);
  const rows: [string, number][] = [
    ['scenarios', counts.scenarios],
    ['of these with faults', counts.faulty],
    ['of these seen to the end', counts.finished],
    ['schedules', counts.schedules],
    ['of these complete', counts.complete],
    ['distinct outcomes', counts.outcomes],
    ['schedules per second', schedulesPerSecond],
    ['steps per second', stepsPerSecond],
  ];
  return formatTable(['what', 'count'], rows);
}

/** Lanes of all warps that can be resident come first, then the host. */
function traceLayout({ slotCount, check }: Replay['config']): TraceLayout {
  const laneCount = check?.laneCount ?? 1;
  return { laneCount, host: slotCount * laneCount };
}

/** A replay gives the bytes that the failure gave. */
function traceTitle(seed: number, name: string): string {
  return `warpfs check, seed ${seed}: ${name}`;
}

function nameOf({ scenario }: Replay): string {
  return scenario.kind === 'programs' ? scenario.scenario.name : scenario.name;
}

async function writeTrace(path: string, title: string, layout: TraceLayout, events: readonly NativeTraceEvent[] | undefined): Promise<void> {
  if (events === undefined) throw new WarpfsError('EIO', `trace ${path}: the addon recorded no events`);
  try {
    await writeFile(path, perfettoTrace({ title, ...layout, events }));
  } catch (error) {
    throw new WarpfsError('EIO', `trace ${path} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}
