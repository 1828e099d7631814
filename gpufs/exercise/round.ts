// One round as it is written: actions in, programs and judges out.
import type { Operation, StepResult } from '../program.ts';
import type { Action, Geometry, SegmentKind } from './action.ts';
import { writeClose, writePoll, writeRead, writeRename, writeSimple, writeStart, writeTruncate, writeUnlink, writeWait, writeWrite } from './file_steps.ts';
import { writeElements, writeMap, writeUnmap } from './map_steps.ts';
import { Mismatch } from './mismatch.ts';
import type { ModelFile } from './model_file.ts';
import { type Handle, ownsName, type Step, WarpState, writeOpen, type Writing, type Written } from './round_writer.ts';
import { FILE_NAMES, type World } from './world.ts';

export class RoundWriter {
  readonly world: World;
  readonly warps: WarpState[];
  readonly #geometry: Geometry;
  readonly #replay: boolean;
  readonly #steps: Step[] = [];
  #kind: SegmentKind = 'alone';
  #segments = 0;

  constructor(world: World, { warps, geometry, replay }: { warps: number; geometry: Geometry; replay: boolean }) {
    this.world = world;
    this.#geometry = geometry;
    this.#replay = replay;
    this.warps = Array.from({ length: warps }, () => new WarpState());
  }

  /** All warps meet before it. */
  begin(kind: SegmentKind): void {
    this.#kind = kind;
    if (this.#segments++ > 0 && this.warps.length > 1) for (const warp of this.warps) warp.program.push({ op: 'barrier' });
    this.world.barrier((name) => (kind === 'apart' ? this.#ownerOf(name) : undefined), this.#files());
  }

  /** False where the action means nothing here; then nothing has changed. */
  add(warp: number, action: Action): boolean {
    const state = this.warps[warp];
    if (state === undefined) return false;
    const writing: Writing = { world: this.world, geometry: this.#geometry, replay: this.#replay, kind: this.#kind, warp, state, warps: this.warps };
    const written = this.#write(action, writing);
    if (written === undefined) return false;
    this.#steps.push({ action, warp, step: state.program.length, judge: written.judge });
    state.program.push(written.operation);
    return true;
  }

  get programs(): Operation[][] {
    return this.warps.map((warp) => warp.program);
  }

  /** Looks at all results in the order in which the actions were given; throws the first Mismatch. */
  judge(results: readonly (readonly StepResult[])[]): void {
    for (const { action, warp, step, judge } of this.#steps) {
      const result = results[warp]?.[step];
      if (result === undefined) throw new Mismatch(action.number, 'there is no result');
      judge(result);
    }
  }

  /** The actions of the round up to this operation; all of them without one. */
  upTo(operation: number | undefined): { warp: number; action: Action }[] {
    const end = operation === undefined ? this.#steps.length : this.#steps.findIndex(({ action }) => action.number === operation) + 1;
    return this.#steps.slice(0, end).map(({ warp, action }) => ({ warp, action }));
  }

  #ownerOf(name: string): number {
    return Math.max(0, (FILE_NAMES as readonly string[]).indexOf(name)) % this.warps.length;
  }

  *#files(): Generator<ModelFile> {
    for (const warp of this.warps) for (const { file } of warp.handles.values()) if (file !== undefined) yield file;
  }

  #write(action: Action, writing: Writing): Written {
    const { state } = writing;
    switch (action.kind) {
      case 'open':
        return writeOpen(action, writing, this.#ownerOf(action.name));
      case 'unlink':
        return ownsName(writing, action.name, this.#ownerOf(action.name)) ? writeUnlink(action, writing) : undefined;
      case 'rename': {
        const mine = [action.name, action.to].every((name) => ownsName(writing, name, this.#ownerOf(name)));
        return mine && action.name !== action.to ? writeRename(action, writing) : undefined;
      }
      case 'wait':
      case 'poll': {
        const ticket = state.tickets.get(action.of);
        if (ticket === undefined) return undefined;
        return action.kind === 'poll' ? writePoll(action, writing, ticket) : writeWait(action, writing, ticket);
      }
      case 'unmap':
      case 'map_sync': {
        const map = state.maps.get(action.of);
        return map === undefined ? undefined : writeUnmap(action, writing, map);
      }
      default: {
        const handle = state.handles.get(action.of);
        return handle === undefined ? undefined : this.#onHandle(action, writing, handle);
      }
    }
  }

  #onHandle(action: Exclude<Action, { kind: 'open' | 'unlink' | 'rename' | 'wait' | 'poll' | 'unmap' | 'map_sync' }>, writing: Writing, handle: Handle): Written {
    switch (action.kind) {
      case 'close':
        return writeClose(action, handle);
      case 'fsync':
      case 'stat':
        return writeSimple(action, writing, handle);
      case 'read':
      case 'prefetch':
        return writeRead(action, writing, handle);
      case 'write':
        return writeWrite(action, writing, handle);
      case 'truncate':
        return writeTruncate(action, writing, handle);
      case 'read_async':
      case 'write_async':
        return writeStart(action, writing, handle);
      case 'map':
        return writeMap(action, writing, handle);
      default:
        return writeElements(action, writing, handle);
    }
  }
}
