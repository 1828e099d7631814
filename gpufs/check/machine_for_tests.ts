// A toy of WarpFS for the tests of the judge: warps that take turns between the lines of a call, a cache that is written back now and then, host
// faults, and bugs to plant. Everything that it does without a bug is allowed.
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import type { Random } from '../random.ts';
import type { JudgedScenario, Observed, ObservedStep } from './observed.ts';
import { refusal, type Step, stepsOf } from './steps.ts';
import { type Identity, ToyFile } from './toy_file_for_tests.ts';

export const bugs = [
  'lost_write', 'stale_read', 'neighbour', 'size_first', 'size_never', 'torn_size', 'fsync_lies', 'fsync_skips_others', 'finish_loses', 'write_back_whole',
  'lost_dirty', 'ignores_empty', 'short_write', 'wrong_errno', 'short_read', 'old_after_new', 'disk_size', 'hole_garbage', 'read_ahead_of_end', 'waits_not',
  'torn_by_truncation', 'ungated_write', 'tail_survives', 'truncation_loses_rest', 'stale_map_is_good', 'good_map_is_stale', 'stale_map_stores', 'map_sync_lies',
  'lost_addition', 'wrong_old_value', 'scatter_misses', 'gather_misses', 'range_unseen', 'unlink_does_nothing', 'rename_leaves_old', 'open_after_rename', 'exclusive_shares',
] as const;
export type Bug = (typeof bugs)[number];

const PINNED_EVERY = 16;

interface ToyMap {
  file: ToyFile;
  identity: Identity;
}

/** A call that has to let others run yields. */
type Turn<Result> = Generator<void, Result, void>;

export class Machine {
  readonly #scenario: JudgedScenario;
  readonly #random: Random;
  readonly #bug: Bug | undefined;
  /** What each name stands for, and every file that there ever was. */
  readonly #names: Map<string, ToyFile>;
  readonly #files: ToyFile[];
  readonly #opened = new Map<string, ToyFile>();
  readonly #maps = new Map<string, ToyMap>();
  #time = 0;
  #arrived = 0;

  constructor(scenario: JudgedScenario, random: Random, bug?: Bug) {
    this.#scenario = scenario;
    this.#random = random;
    this.#bug = bug;
    this.#names = new Map(scenario.files.map(({ path, bytes }) => [path, new ToyFile(bytes)]));
    this.#files = [...this.#names.values()];
  }

  run(finish: boolean): Observed {
    const warps = stepsOf(this.#scenario.programs, this.#scenario.lineBytes);
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
    const paths = new Set([...this.#scenario.files.map(({ path }) => path), ...this.#names.keys()]);
    const files = new Map([...paths].map((path) => [path, this.#names.get(path)?.disk.slice(0, this.#names.get(path)?.diskSize)]));
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
      if (step.op === 'wait' && started !== undefined && done.data !== undefined && done.result >= 0) started.data = done.data;
      times.push(this.#time);
    }
  }

  *#step(step: Step, results: readonly ObservedStep[]): Turn<ObservedStep> {
    const { opened, work } = step;
    if (step.names.length > 0) return { result: yield* this.#changeNames(step) };
    if (opened === undefined) return { result: 0 };
    if (work === 'open') return { result: yield* this.#open(step, opened.path, opened.mode) };
    const data = step.op === 'read_async' || work === 'read' || work === 'map' ? { data: new Uint8Array(0) } : {};
    const refused = refusal(step, results);
    if (refused !== undefined) return { result: refused === this.#error('EBADF') && this.#bug === 'wrong_errno' ? this.#error('EINTR') : refused, ...data };
    const file = this.#opened.get(`${step.warp}.${opened.step}`) as ToyFile;
    switch (work) {
      case 'read':
      case 'map':
        return yield* this.#read(file, step);
      case 'write':
        return { result: yield* this.#write(file, step) };
      case 'truncate':
        return { result: yield* this.#truncate(file, step.size) };
      case 'unmap':
      case 'map_sync':
        return { result: yield* this.#onMap(file, step) };
      case 'gather':
        return yield* this.#gather(file, step);
      case 'scatter':
      case 'add':
        return yield* this.#change(file, step);
      case 'fsync':
        return { result: yield* this.#sync(file) };
      case 'close':
        return { result: opened.mode === 'r' ? 0 : yield* this.#sync(file) };
      case 'stat':
        return { result: 0, sizeBytes: file.size };
      case 'prefetch':
        return { result: this.#random.below(1 + Math.min(step.length, Math.max(0, file.size - step.offset))) };
      case 'poll':
        return { result: this.#random.below(2) };
      default:
        return { result: 0, ...data };
    }
  }

  *#open({ warp, step }: Step, path: string, mode: string): Turn<number> {
    yield;
    let file = this.#names.get(path);
    if (mode === 'wx+' && file !== undefined && this.#bug !== 'exclusive_shares') return this.#error('EEXIST');
    if (file === undefined && (mode === 'r' || mode === 'r+')) return this.#error('ENOENT');
    if (file === undefined) {
      file = new ToyFile(new Uint8Array(0));
      this.#files.push(file);
      this.#names.set(path, file);
    }
    this.#opened.set(`${warp}.${step}`, file);
    if (mode === 'w+' && this.#bug !== 'ignores_empty') yield* this.#truncate(file, 0);
    return 7;
  }

  *#changeNames({ names: [path = '', to] }: Step): Turn<number> {
    yield;
    const file = this.#names.get(path);
    if (file === undefined) return this.#error('ENOENT');
    if (to === undefined && this.#bug === 'unlink_does_nothing') return 0;
    if (this.#bug !== 'rename_leaves_old') this.#names.delete(path);
    if (to !== undefined) this.#names.set(to, file);
    if (to !== undefined && this.#bug === 'open_after_rename') this.#names.set(to, new ToyFile(file.disk.slice(0, file.diskSize)));
    return 0;
  }

  /** Waits until nobody truncates, and writes until `leave`. */
  *#enter(file: ToyFile): Turn<void> {
    while (file.truncating && this.#bug !== 'ungated_write') yield;
    file.writers++;
  }

  #leave(file: ToyFile): void {
    file.writers--;
  }

  *#truncate(file: ToyFile, size: number): Turn<number> {
    yield;
    while (file.truncating) yield;
    file.truncating = true;
    while (file.writers > 0 && this.#bug !== 'ungated_write') yield;
    const { identity } = file;
    if (size < file.size) {
      for (let line = 0; line < size && this.#bug !== 'truncation_loses_rest'; line += this.#scenario.lineBytes) {
        file.writeBack(identity, line, Math.min(size, line + this.#scenario.lineBytes));
        yield;
      }
      file.cut(size, this.#bug === 'tail_survives');
    }
    file.size = size;
    file.truncating = false;
    return 0;
  }

  *#read(file: ToyFile, step: Step): Turn<ObservedStep> {
    yield;
    if (step.work === 'map' && this.#scenario.programs.length > 1 && this.#random.below(PINNED_EVERY) === 0) return { result: this.#error('EAGAIN'), data: new Uint8Array(0) };
    for (;;) {
      const { identity, size } = file;
      let count = Math.max(0, Math.min(step.length, size - step.offset));
      if (this.#bug === 'short_read' && count > 1) count--;
      if (this.#bug === 'read_ahead_of_end' && count < step.length) count++;
      const data = new Uint8Array(count);
      let failedAt = -1;
      for (let at = 0; at < count && failedAt < 0; at += this.#piece(step.offset + at)) {
        yield;
        if (this.#fault('eio')) failedAt = at;
        const from = this.#bug === 'torn_by_truncation' ? file.identity : identity;
        for (let i = at; i < Math.min(count, at + this.#piece(step.offset + at)); i++) {
          const old = this.#bug === 'stale_read' || (this.#bug === 'old_after_new' && this.#random.below(2) === 0);
          data[i] = (old ? from.older : from.cells)[step.offset + i] ?? 0;
        }
      }
      if (file.identity !== identity && this.#bug !== 'torn_by_truncation') continue;
      if (failedAt === 0 || (failedAt > 0 && step.work === 'map')) return { result: this.#error('EIO'), data: new Uint8Array(0) };
      if (step.work === 'map') this.#maps.set(`${step.warp}.${step.step}`, { file, identity });
      return failedAt > 0 ? { result: failedAt, data: data.slice(0, failedAt) } : { result: count, data };
    }
  }

  *#write(file: ToyFile, step: Step): Turn<number> {
    yield;
    yield* this.#enter(file);
    const { identity } = file;
    const { offset } = step;
    const bytes = step.data ?? new Uint8Array(0);
    if (this.#bug === 'size_first' && bytes.length > 0) file.size = Math.max(file.size, offset + bytes.length);
    const moved = yield* this.#storeAll(identity, offset, bytes);
    if (this.#bug === 'neighbour' && moved > 0) identity.store(offset + moved, 0);
    yield;
    if (moved > 0 && this.#bug !== 'size_never') {
      const end = this.#bug === 'torn_size' ? offset + moved - 1 : offset + moved;
      if (this.#bug === 'hole_garbage' && file.size < offset) identity.cells.fill(99, file.size, offset);
      file.size = Math.max(file.size, end);
    }
    this.#leave(file);
    if (moved === 0) return bytes.length === 0 ? 0 : this.#error('EIO');
    return this.#bug === 'short_write' && moved > 1 ? moved - 1 : moved;
  }

  /** Line by line; how many bytes were stored before a fault. */
  *#storeAll(identity: Identity, offset: number, bytes: Uint8Array): Turn<number> {
    let moved = 0;
    while (moved < bytes.length) {
      yield;
      if (this.#fault('eio')) break;
      const end = Math.min(bytes.length, moved + this.#piece(offset + moved));
      const lost = this.#bug === 'lost_write' && this.#random.below(3) === 0;
      for (; moved < end; moved++) if (!lost) identity.store(offset + moved, bytes[moved] ?? 0);
      if (this.#bug === 'lost_dirty' && this.#random.below(3) === 0) identity.dirty.fill(0, offset, offset + moved);
    }
    return moved;
  }

  *#onMap(file: ToyFile, step: Step): Turn<number> {
    yield* this.#enter(file);
    const { identity } = this.#maps.get(`${step.warp}.${step.started}`) as ToyMap;
    const isStale = identity !== file.identity;
    const saysStale = this.#bug === 'good_map_is_stale' || (isStale && this.#bug !== 'stale_map_is_good' && this.#bug !== 'stale_map_stores');
    const into = this.#bug === 'stale_map_stores' ? file.identity : identity;
    const bytes = step.data ?? new Uint8Array(0);
    const moved = saysStale ? bytes.length : yield* this.#storeAll(into, step.offset, bytes);
    this.#leave(file);
    if (saysStale) return this.#error('ESTALE');
    if (moved < bytes.length) return this.#error('EIO');
    yield;
    if (step.work === 'map_sync' && this.#bug !== 'map_sync_lies') file.writeBack(into, step.offset, step.offset + this.#piece(step.offset));
    return 0;
  }

  *#gather(file: ToyFile, step: Step): Turn<ObservedStep> {
    for (;;) {
      const { identity, size } = file;
      const values = new Uint32Array(step.indices.length);
      for (const [at, index] of step.indices.entries()) {
        yield;
        const missed = this.#bug === 'gather_misses' && at === 1 ? 1 : 0;
        if ((index + 1) * 4 <= size) values[at] = elementOf(identity, index + missed);
      }
      if (identity !== file.identity) continue;
      return this.#elementsResult(step, size, { values });
    }
  }

  *#change(file: ToyFile, step: Step): Turn<ObservedStep> {
    yield* this.#enter(file);
    const { identity, size } = file;
    const olds = new Uint32Array(step.indices.length);
    for (const [at, index] of step.indices.entries()) {
      yield;
      if ((index + 1) * 4 > size || (this.#bug === 'scatter_misses' && at === 1)) continue;
      const old = elementOf(identity, index);
      if (this.#bug === 'lost_addition') yield;
      olds[at] = this.#bug === 'wrong_old_value' ? old + 1 : old;
      const value = step.work === 'add' ? old + (step.values[at] as number) : (step.values[at] as number);
      new Uint8Array(Uint32Array.of(value).buffer).forEach((byte, i) => identity.store(index * 4 + i, byte));
    }
    this.#leave(file);
    return this.#elementsResult(step, size, step.work === 'add' ? { values: olds } : {});
  }

  #elementsResult(step: Step, size: number, done: { values?: Uint32Array }): ObservedStep {
    const inside = this.#bug === 'range_unseen' || step.indices.every((index) => (index + 1) * 4 <= size);
    if (inside) return { result: step.indices.length, ...done };
    return { result: this.#error('ERANGE'), ...done };
  }

  *#sync(file: ToyFile): Turn<number> {
    yield;
    if (this.#fault('eio')) return this.#error('EIO');
    if (this.#fault('enospc')) return this.#error('ENOSPC');
    if (this.#bug === 'fsync_lies') return 0;
    for (;;) {
      const { identity, size } = file;
      for (let at = identity.dirty.indexOf(1); at >= 0; at = identity.dirty.indexOf(1, at)) {
        const line = at - (at % this.#scenario.lineBytes);
        at = line + this.#scenario.lineBytes;
        if (this.#bug === 'fsync_skips_others' && this.#random.below(2) === 0) continue;
        file.writeBack(identity, line, at);
        yield;
      }
      if (file.identity !== identity) continue;
      if (file.size >= size) file.diskSize = Math.max(file.diskSize, size);
      return 0;
    }
  }

  #writeSomethingBack(): void {
    const file = this.#files[this.#random.below(this.#files.length)];
    if (file === undefined || this.#fault('eio') || this.#fault('enospc')) return;
    const first = file.identity.dirty.indexOf(1, this.#random.below(2) * this.#scenario.lineBytes);
    if (first < 0) return;
    const line = first - (first % this.#scenario.lineBytes);
    const whole = this.#bug === 'write_back_whole';
    file.writeBack(file.identity, whole ? line : first, line + this.#scenario.lineBytes, whole);
  }

  #finish(): void {
    for (const file of this.#files) {
      if (this.#bug === 'finish_loses') file.identity.dirty.fill(0, 0, 700);
      file.writeAllBack();
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

function elementOf({ cells }: Identity, index: number): number {
  return new DataView(cells.buffer).getUint32(index * 4, true);
}
