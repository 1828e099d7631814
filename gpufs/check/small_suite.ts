// The small scenarios that are searched to the end: every pair of reads, writes, syncs, prefetches and closes with each policy and both waiting
// strategies; pairs with the other calls where the two can meet, and larger ones, with at most three preemptions. One lane stands for a warp: what
// lanes of one warp do to each other is for the random schedules.
import { PREEMPTIONS_UNBOUNDED } from '../native_check.ts';
import type { NativeBinding } from '../native_binding.ts';
import type { PolicyName, WaitName } from '../options.ts';
import type { Operation, Program } from '../program.ts';
import { explore, type Judge, prepare } from './exploration.ts';
import type { Scenario } from './campaign_scenario.ts';
import { withScratchFolder } from './scratch_folder.ts';

const LINE_BYTES = 512;
const FILE_LINES = 3;
const PREEMPTIONS_OF_LARGER = 3;
/** A sync beside a truncation looks at all lines, twice. */
const PREEMPTIONS_OF_LONGEST = 2;
/** No wrap of the ring: its reuse is for the random schedules. */
const RING_SLOTS = 64;

const open: Operation = { op: 'open', path: 'file', mode: 'r+' };
const kinds = ['read', 'write', 'fsync', 'prefetch', 'close'] as const;
type Kind = (typeof kinds)[number];

export interface SuiteCase {
  scenario: Scenario;
  preemptions: number;
}

export interface SuiteResult {
  name: string;
  preemptions: number;
  executions: number;
  states: number;
  /** Everything was seen, as far as the bound allows. */
  finished: boolean;
  seconds: number;
  finding: string | undefined;
}

function operation(kind: Kind, page: number, warp: number): Operation {
  const offset = page * LINE_BYTES;
  if (kind === 'read' || kind === 'prefetch') return { op: kind, file: 0, offset, length: 64 };
  if (kind === 'write') return { op: kind, file: 0, offset: offset + 64 * warp, data: new Uint8Array(64).fill(0xa0 + warp) };
  return { op: kind, file: 0 };
}

/** Into the middle of what a write of warp 1 stores, so that a part of it is cut off. */
const truncate: Operation = { op: 'truncate', file: 0, length: 96 };
const ofMap = (data?: number): Operation[] => [
  open, { op: 'map', file: 0, offset: 64, length: 64, mode: 'r+' }, { op: 'unmap', map: 1, ...(data === undefined ? {} : { data: new Uint8Array(64).fill(data) }) },
];
const scatter = (index: number): Operation[] => [open, { op: 'scatter', file: 0, indices: [index], values: [0x01010101 * (index + 1)] }];
const add: Operation[] = [open, { op: 'add', file: 0, indices: [3], values: [1] }];
const of = (kind: Kind, page = 0): Operation[] => [open, operation(kind, page, 1)];

/** On one line: what the calls for files and elements meet in is the gate of a file, a line, or the names that the host knows. */
const meetings: readonly [name: string, one: Operation[], other: Operation[]][] = [
  ['truncate and read', [open, truncate], of('read')],
  ['truncate and write', [open, truncate], of('write')],
  ['truncate and fsync', [open, operation('write', 0, 1), truncate], of('fsync')],
  ['truncate and truncate', [open, truncate], [open, { ...truncate, length: 40 } as Operation]],
  ['truncate and map', [open, truncate], ofMap(0xb0)],
  ['truncate and scatter', [open, truncate], scatter(20)],
  ['map and write', ofMap(0xb0), of('write')],
  ['map and fsync', ofMap(0xb0), of('fsync')],
  ['map and read of another page', ofMap(0xb0), of('read', 1)],
  ['add and add', add, add],
  ['scatter and scatter', scatter(3), scatter(4)],
  ['unlink and open', [{ op: 'unlink', path: 'file' }], [{ ...open, mode: 'c+' } as Operation, { op: 'stat', file: 0 }]],
  ['rename and open', [{ op: 'rename', path: 'file', to: 'other' }], [{ ...open, mode: 'r' } as Operation, { op: 'open', path: 'other', mode: 'r' }]],
];

function makeScenario(name: string, programs: Program[], lines: number, policy: PolicyName, wait: WaitName): Scenario {
  return {
    name: `${name}, ${lines} ${lines === 1 ? 'line' : 'lines'}, ${policy}, ${wait}`,
    programs,
    files: [{ path: 'file', bytes: new Uint8Array(FILE_LINES * LINE_BYTES).fill(7) }],
    config: {
      wait, cache: { lines, lineBytes: LINE_BYTES, policy }, ring: { count: 1, slots: RING_SLOTS }, residentWarps: programs.length, maxOpenFiles: 4,
    },
    faults: {},
    check: { laneCount: 1, memory: 'sc' },
    orderMatters: false,
  };
}

/** Two warps, one operation each: on one line, both want the same page; on two lines, each wants its own. */
export function pairCases(): SuiteCase[] {
  const cases: SuiteCase[] = [];
  for (const [index, first] of kinds.entries()) {
    for (const second of kinds.slice(index)) {
      for (const lines of [1, 2]) {
        for (const policy of ['clock', 'fifo'] as const) {
          for (const wait of ['spin', 'replay'] as const) {
            const programs = [[open, operation(first, 0, 0)], [open, operation(second, lines - 1, 1)]];
            cases.push({ scenario: makeScenario(`${first} and ${second}`, programs, lines, policy, wait), preemptions: PREEMPTIONS_UNBOUNDED });
          }
        }
      }
    }
  }
  return cases;
}

/** Two warps with calls of which not both are reads, writes, syncs, prefetches and closes: all together in about a minute. */
export function meetingCases(): SuiteCase[] {
  return meetings.flatMap(([name, ...programs]) =>
    (['spin', 'replay'] as const).map((wait) => ({
      scenario: makeScenario(name, programs, 1, 'clock', wait),
      preemptions: name === 'truncate and fsync' ? PREEMPTIONS_OF_LONGEST : PREEMPTIONS_OF_LARGER,
    })),
  );
}

/** Two warps with two operations each, and three with one, that fight for fewer lines than they want. */
export function boundedCases(): SuiteCase[] {
  const two: [string, Program[]][] = [
    ['reads of two pages, crosswise', [[open, operation('read', 0, 0), operation('read', 1, 0)], [open, operation('read', 1, 1), operation('read', 0, 1)]]],
    ['write, fsync and read, write', [[open, operation('write', 0, 0), operation('fsync', 0, 0)], [open, operation('read', 1, 1), operation('write', 0, 1)]]],
  ];
  const three: [string, Program[]][] = [
    ['three readers', [0, 0, 1].map((page, warp) => [open, operation('read', page, warp)])],
    ['reader, writer, fsync', [[open, operation('read', 0, 0)], [open, operation('write', 0, 1)], [open, operation('fsync', 0, 2)]]],
  ];
  return [...two, ...three].flatMap(([name, programs]) =>
    (['spin', 'replay'] as const).map((wait) => ({ scenario: makeScenario(name, programs, 1, 'clock', wait), preemptions: PREEMPTIONS_OF_LARGER })),
  );
}

export interface SuiteSettings {
  judge: Judge;
  /** How many are searched at once. */
  workers: number;
  /** Of one scenario. */
  milliseconds: number;
  progress?: (done: number, total: number) => void;
}

/** In the order of the cases; a finding does not keep the others from being searched. */
export async function runSuite(binding: NativeBinding, cases: readonly SuiteCase[], { judge, workers, milliseconds, progress }: SuiteSettings): Promise<SuiteResult[]> {
  const results: SuiteResult[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < cases.length; index = next++) {
      const { scenario, preemptions } = cases[index] as SuiteCase;
      results[index] = await withScratchFolder(async (fresh) => {
        const prepared = prepare(binding, scenario, { seed: 1, scheduler: 'exhaustive', preemptions }, await fresh());
        const { exploration, finding } = await explore(prepared, judge, { schedules: Number.MAX_SAFE_INTEGER, milliseconds });
        return {
          name: scenario.name,
          preemptions,
          executions: exploration.schedules,
          states: exploration.states ?? 0,
          finished: exploration.finished,
          seconds: exploration.nanoseconds / 1e9,
          finding: finding === undefined ? undefined : `${finding.kind}: ${finding.message}`,
        };
      });
      progress?.(++done, cases.length);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}
