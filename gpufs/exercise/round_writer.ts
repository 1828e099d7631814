// From actions to programs. An action that means nothing where it stands (its handle is not open, its file is another warp's) is left out, so
// any part of a list of actions is a list of actions. Each step that is written knows how to judge its result.
import { errnoName } from '../errors.ts';
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import type { OpenModeName, Operation, StepResult } from '../program.ts';
import type { Action, Geometry, SegmentKind } from './action.ts';
import { Mismatch, showResult, wrongByte } from './mismatch.ts';
import { ModelFile } from './model_file.ts';
import type { World } from './world.ts';

export interface Handle {
  /** Undefined where the open failed. */
  file: ModelFile | undefined;
  writable: boolean;
  /** What every operation on it gives; undefined while it is open. */
  error: ErrnoName | undefined;
  /** Which open of its program it is. */
  index: number;
  /** Tickets and maps that still need it. */
  users: number;
}

export interface Ticket {
  handle: Handle;
  writes: boolean;
  offset: number;
  length: number;
  step: number;
  live: boolean;
}

export interface MapState {
  handle: Handle;
  offset: number;
  length: number;
  mode: 'r' | 'r+';
  shrinks: number;
  step: number;
  live: boolean;
  /** Every line was pinned: there is no map. Known when the results are there. */
  refused: boolean;
}

/** One warp of the round. */
export class WarpState {
  readonly program: Operation[] = [];
  readonly handles = new Map<number, Handle>();
  readonly tickets = new Map<number, Ticket>();
  readonly maps = new Map<number, MapState>();
  opens = 0;
}

export interface Step {
  action: Action;
  warp: number;
  step: number;
  judge: Judge;
}

export interface Writing {
  world: World;
  geometry: Geometry;
  /** Under replay an answer to a poll is always 1. */
  replay: boolean;
  kind: SegmentKind;
  warp: number;
  state: WarpState;
  /** All warps of the round, this one among them. */
  warps: readonly WarpState[];
}

/** Throws a Mismatch; else makes the bytes of the model what they are afterwards. */
export type Judge = (result: StepResult) => void;

/** What an action becomes: an operation, and the judge of its result; undefined where it means nothing. */
export type Written = { operation: Operation; judge: Judge } | undefined;

export function expectResult(action: Action, result: StepResult, wanted: number): void {
  if (result.result !== wanted) throw new Mismatch(action.number, `result ${showResult(result.result)}, wanted ${showResult(wanted)}`);
}

export function failure(error: ErrnoName): number {
  return -ERRNO[error].number;
}

/** For an operation that can only fail. */
export function failing(action: Action, operation: Operation, error: ErrnoName): Written {
  return { operation, judge: (result) => expectResult(action, result, failure(error)) };
}

export function expectBytes(action: Action, { world }: Writing, file: ModelFile, offset: number, wanted: number, result: StepResult): void {
  const wrong = wrongByte(file, offset, result.data ?? new Uint8Array(0), wanted, world.history);
  if (wrong !== undefined) throw new Mismatch(action.number, wrong);
}

/** Lines that somebody keeps where they are. */
export function liveMaps({ warps }: Writing): number {
  return warps.reduce((total, { maps }) => total + [...maps.values()].filter(({ live }) => live).length, 0);
}

/** A write waits until a line is free: with one line, until whoever mapped it lets go. */
export function findsLine(writing: Writing): boolean {
  return writing.geometry.lines > 1 || liveMaps(writing) === 0;
}

/** Whether this warp may do anything with the file that others could notice. */
export function owns({ kind, warp }: Writing, file: ModelFile): boolean {
  return kind === 'alone' || (kind === 'apart' && file.owner === warp);
}

/** Names belong to the warps in turn where these work apart. */
export function ownsName(writing: Writing, name: string, owner: number | undefined): boolean {
  return writing.kind === 'alone' || (writing.kind === 'apart' && owner === writing.warp && (writing.world.names.get(name)?.owner ?? owner) === writing.warp);
}

export function writeOpen(action: Extract<Action, { kind: 'open' }>, writing: Writing, owner: number | undefined): Written {
  const { world, state, kind, warp } = writing;
  const { name, mode, number } = action;
  let file = world.names.get(name);
  const shared = kind === 'striped' && file !== undefined && (mode === 'r' || mode === 'r+' || mode === 'c+');
  if (!shared && !ownsName(writing, name, owner)) return undefined;
  const error = openError(file, mode);
  const creates = error === undefined && file === undefined;
  if (creates) {
    file = new ModelFile();
    file.owner = kind === 'apart' ? warp : undefined;
    world.names.set(name, file);
  }
  const emptied = mode === 'w+' ? cut(file as ModelFile, 0) : 0;
  state.handles.set(number, { file: error === undefined ? file : undefined, writable: mode !== 'r', error, index: state.opens++, users: 0 });
  return {
    operation: { op: 'open', path: name, mode },
    judge: (result) => {
      if (error !== undefined) expectResult(action, result, failure(error));
      else if (result.result < 0) throw new Mismatch(number, `result ${showResult(result.result)}, wanted a handle`);
      else if (mode === 'w+') file?.clear(number, 0, emptied);
    },
  };
}

function openError(file: ModelFile | undefined, mode: OpenModeName): ErrnoName | undefined {
  if (file === undefined) return mode === 'r' || mode === 'r+' ? 'ENOENT' : undefined;
  return mode === 'wx+' ? 'EEXIST' : undefined;
}

/** Makes it shorter or longer; how long it was. */
export function cut(file: ModelFile, size: number): number {
  const before = file.size;
  if (size < before) file.shrinks++;
  file.size = size;
  return before;
}

/** The only failure of a map that is not the caller's: lines are few, and others hold them. */
export function isRefused(result: StepResult, geometry: Geometry): boolean {
  return errnoName(result.result) === 'EAGAIN' && geometry.lines <= 64;
}
