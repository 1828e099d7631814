// A toy of WarpFS for the tests of the judge: warps that take turns between the lines of a call, a cache that is written back now and then, host
// faults, and bugs to plant. Everything that it does without a bug is allowed.
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import type { Random } from '../random.ts';
import type { JudgedScenario, Observed, ObservedStep } from './observed.ts';
import { type Step, stepsOf } from './steps.ts';

export const bugs = [
  'lost_write', 'stale_read', 'neighbour', 'size_first', 'size_never', 'torn_size', 'fsync_lies', 'fsync_skips_others', 'finish_loses', 'write_back_whole',
  'lost_dirty', 'ignores_empty', 'short_write', 'wrong_errno', 'short_read', 'old_after_new', 'disk_size', 'hole_garbage', 'read_ahead_of_end', 'waits_not',
] as const;
export type Bug = (typeof bugs)[number];

const ROOM = 8192;

/** The bytes of a file from one emptying to the next. */
class Identity {
  readonly cells = new Uint8Array(ROOM);
  readonly dirty = new Uint8Array(ROOM);
  readonly older = new Uint8Array(ROOM); // what each byte was before its last write
}

class ToyFile {
  identity = new Identity();
  size: number;
  readonly disk = new Uint8Array(ROOM);
  diskSize: number;

  constructor(bytes: Uint8Array) {
    this.identity.cells.set(bytes);
    this.identity.older.set(bytes);
    this.disk.set(bytes);
    this.size = this.diskSize = bytes.length;
  }
}

/** A call that has to let others run yields. */
type Turn<Result> = Generator<void, Result, void>;

export class Machine {
  readonly #scenario: JudgedScenario;
  readonly #random: Random;
  readonly #bug: Bug | undefined;
  readonly #files: Map<string, ToyFile>;
  #time = 0;
  #arrived = 0;

  constructor(scenario: JudgedScenario, random: Random, bug?: Bug) {
    this.#scenario = scenario;
    this.#random = random;
    this.#bug = bug;
    this.#files = new Map(scenario.files.map(({ path, bytes }) => [path, new ToyFile(bytes)]));
  }

  run(finish: boolean): Observed {
    const warps = stepsOf(this.#scenario.programs);
    const results: ObservedStep[][] = warps.map(() => []);
    const times: number[][] = warps.map(() => []);
    const running = warps.map((steps, warp) => this.#warp(steps, results[warp] ?? [], times[warp] ?? [], warps.length));
    while (running.length > 0) {
      this.#time++;
      const chosen = this.#random.below(running.length);
      if (this.#random.below(6) === 0) this.#writeSomethingBack();
      else if (running[chosen]?.next().done === true) running.splice(chosen, 1);
    }
    if (finish) this.#finish();
    const files = new Map([...this.#files].map(([path, file]) => [path, file.disk.slice(0, file.diskSize)]));
    return { results, times, files, ...(finish ? { finish: 0 } : {}) };
  }

  *#warp(steps: readonly Step[], results: ObservedStep[], times: number[], warps: number): Turn<void> {
    for (const step of steps) {
      yield;
      if (step.op === 'barrier') {
        this.#arrived++;
        while (this.#bug !== 'waits_not' && this.#arrived < (step.phase + 1) * warps) yield;
      }
      const done = step.op === 'barrier' ? { result: 0 } : yield* this.#step(step, results);
      results.push(done);
      const started = results[step.started];
      if (started !== undefined && done.data !== undefined && done.result >= 0) started.data = done.data;
      times.push(this.#time);
    }
  }

  *#step(step: Step, results: readonly ObservedStep[]): Turn<ObservedStep> {
    const { opened, work } = step;
    if (opened === undefined) return { result: 0 };
    if (work === 'open') return { result: yield* this.#open(opened.path, opened.mode) };
    const data = step.op === 'read' || step.op === 'read_async' || work === 'read' ? { data: new Uint8Array(0) } : {};
    const handle = results[opened.step]?.result ?? 0;
    if (handle < 0) return { result: handle, ...data };
    if (step.closed || (work === 'write' && opened.mode === 'r')) return { result: this.#error(this.#bug === 'wrong_errno' ? 'EINTR' : 'EBADF'), ...data };
    const file = this.#files.get(opened.path) as ToyFile;
    if (work === 'read') return yield* this.#read(file, step);
    if (work === 'write') return { result: yield* this.#write(file, step) };
    if (work === 'fsync' || (work === 'close' && opened.mode !== 'r')) return { result: yield* this.#sync(file) };
    if (work === 'stat') return { result: 0, sizeBytes: file.size };
    if (work === 'prefetch') return { result: this.#random.below(1 + Math.min(step.length, Math.max(0, file.size - step.offset))) };
    return { result: 0, ...data };
  }

  *#open(path: string, mode: string): Turn<number> {
    yield;
    let file = this.#files.get(path);
    if (mode !== 'w+') return file === undefined ? this.#error('ENOENT') : 7;
    if (file === undefined) {
      file = new ToyFile(new Uint8Array(0));
      this.#files.set(path, file);
    }
    if (this.#bug !== 'ignores_empty') file.identity = new Identity();
    file.size = file.diskSize = 0;
    file.disk.fill(0);
    return 7;
  }

  *#read(file: ToyFile, step: Step): Turn<ObservedStep> {
    yield;
    const { identity, size } = file;
    let count = Math.max(0, Math.min(step.length, size - step.offset));
    if (this.#bug === 'short_read' && count > 1) count--;
    if (this.#bug === 'read_ahead_of_end' && count < step.length) count++;
    const data = new Uint8Array(count);
    for (let at = 0; at < count; at += this.#piece(step.offset + at)) {
      yield;
      if (this.#fault('eio')) return at > 0 ? { result: at, data: data.slice(0, at) } : { result: this.#error('EIO'), data: new Uint8Array(0) };
      for (let i = at; i < Math.min(count, at + this.#piece(step.offset + at)); i++) {
        const old = this.#bug === 'stale_read' || (this.#bug === 'old_after_new' && this.#random.below(2) === 0);
        data[i] = (old ? identity.older : identity.cells)[step.offset + i] ?? 0;
      }
    }
    return { result: count, data };
  }

  *#write(file: ToyFile, step: Step): Turn<number> {
    yield;
    const { identity } = file;
    const { offset } = step;
    const bytes = step.data ?? new Uint8Array(0);
    if (this.#bug === 'size_first') file.size = Math.max(file.size, offset + bytes.length);
    let moved = 0;
    while (moved < bytes.length) {
      yield;
      if (this.#fault('eio')) break;
      const end = Math.min(bytes.length, moved + this.#piece(offset + moved));
      const lost = this.#bug === 'lost_write' && this.#random.below(3) === 0;
      for (; moved < end; moved++) if (!lost) this.#store(identity, offset + moved, bytes[moved] ?? 0);
      if (this.#bug === 'lost_dirty' && this.#random.below(3) === 0) identity.dirty.fill(0, offset, offset + moved);
    }
    if (this.#bug === 'neighbour' && moved > 0) this.#store(identity, offset + moved, 0);
    if (moved === 0) return bytes.length === 0 ? 0 : this.#error('EIO');
    yield;
    if (this.#bug === 'size_never') return moved;
    const end = this.#bug === 'torn_size' ? offset + moved - 1 : offset + moved;
    if (this.#bug === 'hole_garbage' && file.size < offset) identity.cells.fill(99, file.size, offset);
    file.size = Math.max(file.size, end);
    return this.#bug === 'short_write' && moved > 1 ? moved - 1 : moved;
  }

  #store(identity: Identity, at: number, byte: number): void {
    identity.older[at] = identity.cells[at] ?? 0;
    identity.cells[at] = byte;
    identity.dirty[at] = 1;
  }

  *#sync(file: ToyFile): Turn<number> {
    yield;
    if (this.#fault('eio')) return this.#error('EIO');
    if (this.#fault('enospc')) return this.#error('ENOSPC');
    const { identity, size } = file;
    if (this.#bug === 'fsync_lies') return 0;
    for (let line = 0; line < ROOM; line += this.#scenario.lineBytes) {
      if (identity.dirty.indexOf(1, line) < 0) break;
      if (this.#bug === 'fsync_skips_others' && this.#random.below(2) === 0) continue;
      this.#writeBack(file, identity, line, Math.min(ROOM, line + this.#scenario.lineBytes));
      yield;
    }
    if (file.identity === identity) file.diskSize = Math.max(file.diskSize, size);
    return 0;
  }

  #writeSomethingBack(): void {
    const file = [...this.#files.values()][this.#random.below(this.#files.size)];
    if (file === undefined || this.#fault('eio') || this.#fault('enospc')) return;
    const first = file.identity.dirty.indexOf(1, this.#random.below(2) * this.#scenario.lineBytes);
    if (first < 0) return;
    const line = first - (first % this.#scenario.lineBytes);
    this.#writeBack(file, file.identity, this.#bug === 'write_back_whole' ? line : first, line + this.#scenario.lineBytes);
  }

  /** The dirty bytes of one line. Those of an identity that is gone never reach the disk. */
  #writeBack(file: ToyFile, identity: Identity, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      if (identity.dirty[at] === 0 && this.#bug !== 'write_back_whole') continue;
      identity.dirty[at] = 0;
      if (file.identity !== identity) continue;
      file.disk[at] = this.#bug === 'write_back_whole' ? (identity.cells[at] ?? 0) ^ 1 : (identity.cells[at] ?? 0);
      file.size = Math.max(file.size, at + 1);
      file.diskSize = Math.max(file.diskSize, at + 1);
    }
  }

  #finish(): void {
    for (const file of this.#files.values()) {
      if (this.#bug === 'finish_loses') file.identity.dirty.fill(0, 0, 700);
      for (let line = 0; line < ROOM; line += this.#scenario.lineBytes) this.#writeBack(file, file.identity, line, line + this.#scenario.lineBytes);
      file.diskSize = Math.max(file.diskSize, this.#bug === 'disk_size' ? file.size + 1 : file.size);
    }
  }

  /** Up to the end of the line. */
  #piece(at: number): number {
    return this.#scenario.lineBytes - (at % this.#scenario.lineBytes);
  }

  #fault(name: 'eio' | 'enospc'): boolean {
    const chance = this.#scenario.faults[name] ?? 0;
    return chance > 0 && this.#random.below(1000) < chance;
  }

  #error(name: ErrnoName): number {
    return -ERRNO[name].number;
  }
}
