// Every order in which the steps of a few warps can come, each step at once, with the results that the reference gives.
import { ReferenceMount } from '../../model/reference/reference_mount.ts';
import { type ReferenceResult, ReferenceWarp } from '../../model/reference/reference_warp.ts';
import type { Program } from '../program.ts';
import type { ScenarioFile } from './campaign_scenario.ts';

export interface Interleaving {
  /** The warp of each step. */
  order: number[];
  results: ReferenceResult[][];
  files: Map<string, Uint8Array>;
}

export function* interleavings(programs: readonly Program[], files: readonly ScenarioFile[]): Generator<Interleaving, void, void> {
  for (const order of orders(programs, programs.map(() => 0))) {
    const mount = new ReferenceMount(Object.fromEntries(files.map(({ path, bytes }) => [path, bytes])));
    const warps = programs.map((program) => new ReferenceWarp(mount, program));
    for (const warp of order) warps[warp]?.runStep();
    yield { order, results: warps.map(({ results }) => results), files: new Map([...mount.files.keys()].map((path) => [path, mount.bytes(path)])) };
  }
}

/** `done` steps of each warp are behind it. A step behind a barrier comes when all warps are there. */
function* orders(programs: readonly Program[], done: readonly number[]): Generator<number[], void, void> {
  if (programs.every((program, warp) => done[warp] === program.length)) yield [];
  const passed = programs.map((program, warp) => barriersIn(program.slice(0, done[warp])));
  for (const [warp, program] of programs.entries()) {
    const next = done[warp] as number;
    if (next === program.length) continue;
    const behind = passed.some((others, other) => others < (passed[warp] as number) && other !== warp);
    if (behind) continue;
    for (const rest of orders(programs, done.with(warp, next + 1))) yield [warp, ...rest];
  }
}

function barriersIn(program: Program): number {
  return program.filter(({ op }) => op === 'barrier').length;
}

/** Each step takes one unit of time: the clock says the order and nothing else. */
export function timesOf({ order, results }: Interleaving): number[][] {
  const times: number[][] = results.map(() => []);
  order.forEach((warp, at) => times[warp]?.push(at + 1));
  return times;
}
