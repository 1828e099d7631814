// Programs as a scenario of the addon, and what came out as results of steps.
//
// The opens at the head of the programs are a dispatch of their own that nobody explores: each schedule would only repeat them. Both dispatches
// have the same results buffer, so the handles are there, and those steps count as done, when the explored dispatch begins.
import { ProgramOp, ProgramResult, ProgramStep, ProgramWarp } from '../../native/abi/abi.ts';
import type { NativeFaults, NativeOutcome, NativeScenario, NativeScenarioDispatch } from '../native_check.ts';
import { checkPrograms, hasBarrier } from '../program_check.ts';
import { decodeResults, type EncodedPrograms, encodePrograms } from '../program_encode.ts';
import type { Operation, Program, StepResult } from '../program.ts';
import type { DecodedOutcome, Scenario, StepEnd } from './campaign_scenario.ts';

export interface EncodedScenario {
  native: NativeScenario;
  programs: readonly Program[];
  encoded: EncodedPrograms;
  /** How many steps at the head of each program come before anything is explored: opens alone. */
  heads: readonly number[];
}

const RESULTS = 2;
const DATA = 3;
const TRIPLE = 3;

/** Faults after which the host side is another one, whatever the programs do. */
const lastingFaults: readonly (keyof NativeFaults)[] = ['die', 'revive', 'truncate', 'replace'];
const reading: ReadonlySet<Operation['op']> = new Set(['read', 'prefetch', 'stat', 'read_async', 'poll', 'gather', 'compute', 'barrier']);
const writing: ReadonlySet<Operation['op']> = new Set(['write', 'write_async', 'truncate', 'unmap', 'map_sync', 'scatter', 'add', 'unlink', 'rename']);

export function encodeScenario(scenario: Scenario): EncodedScenario {
  const { programs, files, faults } = scenario;
  checkPrograms(programs);
  const encoded = encodePrograms(programs);
  const heads = programs.map(headOpens);
  const explored = programs.map((program, warp) => program.slice(heads[warp]));
  const keepHost = explored.every((steps, warp) => steps.every((step) => onlyReads(step, programs[warp] as Program))) && lastingFaults.every((name) => (faults[name] ?? 0) === 0);
  const writes = programs.some((program) => program.some((step) => writing.has(step.op)));
  const dispatch = (buffers: Uint8Array[], isExplored: boolean): NativeScenarioDispatch => ({
    module: '',
    items: programs.length,
    groupWarps: 1,
    groupMemoryBytes: 0,
    allResident: isExplored && hasBarrier(programs),
    buffers,
    explored: isExplored,
  });
  const dispatches = [dispatch(encoded.buffers, true)];
  if (heads.some((count) => count > 0)) {
    const [opening, rest] = splitSteps(encoded.buffers, heads);
    dispatches.splice(0, 1, dispatch(opening, false), dispatch(rest, true));
  }
  return {
    native: {
      files: files.map(({ path, bytes }) => ({ path, bytes })),
      dispatches,
      keepHost,
      orderMatters: scenario.orderMatters ?? (writes && programs.length > 1),
      finish: !keepHost && (scenario.finish ?? true),
      filesMatter: !keepHost,
    },
    programs,
    encoded,
    heads,
  };
}

/** What the explored dispatch left in its buffers. */
export function decodeOutcome({ native, programs, encoded, heads }: EncodedScenario, outcome: NativeOutcome): DecodedOutcome {
  const buffers = outcome.buffers[native.dispatches.findLastIndex(({ explored }) => explored)] ?? [];
  const results = buffers[RESULTS] ?? new Uint8Array(0);
  const copy: EncodedPrograms = {
    buffers,
    results: new DataView(results.buffer, results.byteOffset, results.byteLength),
    data: buffers[DATA] ?? new Uint8Array(0),
    regions: encoded.regions,
  };
  return {
    schedule: outcome.schedule,
    count: outcome.count,
    results: decodeResults(programs, copy) as StepResult[][],
    ended: decodeEnded(programs, copy.results),
    preludes: [...heads],
    order: decodeOrder(outcome.order),
    files: native.filesMatter ? native.files.map(({ path }, index) => ({ path, bytes: outcome.files[index] })) : undefined,
    failures: outcome.failures,
    faults: outcome.faults,
  };
}

/** How many steps at the head of a program do nothing but open. */
function headOpens(program: Program): number {
  const first = program.findIndex((step) => step.op !== 'open');
  return first < 0 ? program.length : first;
}

function onlyReads(step: Operation, program: Program): boolean {
  if (step.op === 'wait') return program[step.ticket]?.op === 'read_async';
  const asked = 'map' in step ? program[step.map] : step;
  return asked?.op === 'map' ? asked.mode === 'r' : reading.has(step.op);
}

/**
 * The same buffers but for the steps and the warps. In the first part a warp ends after its head: a step that was reached counts as done. In
 * the second the opens are NOP, so that they open nothing even if somebody resets the results.
 */
function splitSteps(buffers: readonly Uint8Array[], heads: readonly number[]): [opening: Uint8Array[], rest: Uint8Array[]] {
  const [warps, steps, ...shared] = buffers as [Uint8Array, Uint8Array, ...Uint8Array[]];
  const openingWarps = viewOfCopy(warps);
  const openingSteps = viewOfCopy(steps);
  const restSteps = viewOfCopy(steps);
  heads.forEach((opens, warp) => {
    const at = warp * ProgramWarp.bytes;
    const first = openingWarps.getUint32(at + ProgramWarp.firstStep, true);
    const count = openingWarps.getUint32(at + ProgramWarp.stepCount, true);
    openingWarps.setUint32(at + ProgramWarp.stepCount, opens, true);
    for (let step = 0; step < count; step++) {
      const part = step < opens ? restSteps : openingSteps;
      part.setUint32((first + step) * ProgramStep.bytes + ProgramStep.op, ProgramOp.NOP, true);
    }
  });
  return [[bytesOf(openingWarps), bytesOf(openingSteps), ...shared], [warps, bytesOf(restSteps), ...shared]];
}

function decodeEnded(programs: readonly Program[], results: DataView): boolean[][] {
  let next = 0;
  return programs.map((program) => program.map(() => results.getUint32(next++ * ProgramResult.bytes + ProgramResult.done, true) !== 0));
}

function decodeOrder(words: Uint32Array): StepEnd[] {
  return Array.from({ length: Math.floor(words.length / TRIPLE) }, (_, index) => {
    const [warp = 0, step = 0, time = 0] = words.subarray(index * TRIPLE, (index + 1) * TRIPLE);
    return { warp, step, time };
  });
}

function viewOfCopy(bytes: Uint8Array): DataView {
  return new DataView(Uint8Array.from(bytes).buffer);
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}
