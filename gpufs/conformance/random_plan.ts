// Random programs whose results do not depend on who comes first: phases of writing, in which each warp touches only bytes of its own,
// take turns with phases of reading, in which everybody reads everything. The bytes of the warps lie side by side in the same pages.
import fc from 'fast-check';
import type { IoName, PolicyName, WaitName } from '../options.ts';
import type { OpenOperation, Operation } from '../program.ts';
import { pattern } from './fixture.ts';
import {
  add, barrier, close, compute, fsync, gather, map, mapSync, open, poll, prefetch, read, readAsync, scatter, stat, truncate, unmap, wait, write, writeAsync,
} from './operations.ts';

/** Small numbers that the plan interprets, so that fast-check can make a failing plan simpler. */
interface Choice {
  warp: number;
  kind: number;
  file: number;
  block: number;
  at: number;
  length: number;
}

interface RunPlan {
  phases: Choice[][];
  closes: boolean;
}

export interface Plan {
  wait: WaitName;
  io: IoName;
  policy: PolicyName;
  lines: number;
  lineBytes: number;
  ring: { count: number; slots: number };
  threads: number;
  workers: number;
  warps: number;
  /** It also truncates files and opens them with w+, and maps them; only for one warp: bytes of all are lost, and others may have every line pinned. */
  empties: boolean;
  /** Bytes that belong to one warp before those of the next begin. */
  grain: number;
  sizes: number[];
  runs: RunPlan[];
}

const MISSING = 'missing';
const reopenModes: readonly OpenOperation['mode'][] = ['r', 'w+', 'r+', 'r+'];
const SPAN_LINES = 12; // bytes that the warps write lie within so many lines

export function planArbitrary(engines: readonly IoName[], empties: boolean): fc.Arbitrary<Plan> {
  const choice = fc.record({
    warp: fc.nat(7), kind: fc.nat(19), file: fc.nat(2), block: fc.nat(5000), at: fc.nat(50_000), length: fc.nat(40_000),
  });
  const run = fc.record({ phases: fc.array(fc.array(choice, { maxLength: 30 }), { minLength: 1, maxLength: 5 }), closes: fc.boolean() });
  return fc.record({
    wait: fc.constantFrom('spin' as const, 'replay' as const),
    io: fc.constantFrom(...engines),
    policy: fc.constantFrom('clock' as const, 'fifo' as const),
    lines: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 40 })),
    lineBytes: fc.constantFrom(512, 1024, 2048, 4096),
    ring: fc.record({ count: fc.integer({ min: 1, max: 4 }), slots: fc.constantFrom(1, 2, 4, 8) }),
    threads: fc.integer({ min: 1, max: 3 }),
    workers: fc.integer({ min: 1, max: 3 }),
    warps: empties ? fc.constant(1) : fc.integer({ min: 1, max: 8 }),
    empties: fc.constant(empties),
    grain: fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 9000 })),
    sizes: fc.array(fc.nat(30_000), { minLength: 1, maxLength: 3 }),
    runs: fc.array(run, { minLength: 1, maxLength: 2 }),
  }).map((plan) => (plan.io === 'mtlio' ? { ...plan, wait: 'replay' as const } : plan)); // it goes with no other
}

export function fileName(index: number): string {
  return `file${index}`;
}

/** The programs of one run; `sizes` are those of the files before it. */
export function programsOf(plan: Plan, run: RunPlan, sizes: readonly number[]): Operation[][] {
  const warps = Array.from({ length: plan.warps }, (_, warp) => new WarpWriter(plan, warp, sizes));
  run.phases.forEach((choices, phase) => {
    for (const choice of choices) warps[choice.warp % plan.warps]?.add(choice, phase % 2 === 0);
    const reached = sizes.map((_, file) => Math.max(...warps.map((warp) => warp.endPhase(file))));
    for (const warp of warps) warp.pass(reached);
  });
  if (run.closes) for (const warp of warps) warp.closeAll();
  return warps.map((warp) => warp.program);
}

interface OpenFile {
  /** The index of its open in this program. */
  open: number;
  writable: boolean;
  /** It reaches at least so far. */
  size: number;
}

/** Writes the program of one warp and keeps in mind how large it knows each file to be. */
class WarpWriter {
  readonly program: Operation[] = [];
  readonly #plan: Plan;
  readonly #warp: number;
  readonly #span: number;
  readonly #files: OpenFile[];
  readonly #missing: number;
  #opens: number;
  #tickets: { ticket: number; file: OpenFile; end: number }[] = [];

  constructor(plan: Plan, warp: number, sizes: readonly number[]) {
    this.#plan = plan;
    this.#warp = warp;
    this.#span = SPAN_LINES * plan.lineBytes;
    this.#files = sizes.map((size, file) => ({ open: file, writable: true, size }));
    this.#missing = sizes.length;
    this.#opens = sizes.length + 1;
    sizes.forEach((_, file) => this.program.push(open(fileName(file), 'r+')));
    this.program.push(open(MISSING, 'r+'));
  }

  add(choice: Choice, writing: boolean): void {
    const index = choice.file % this.#files.length;
    const file = this.#files[index] as OpenFile;
    if (choice.kind === 19 && this.#plan.empties) this.#truncate(file, choice);
    else if (choice.kind === 18 && this.#plan.empties) this.#map(file, choice, writing);
    else if (choice.kind === 15) this.program.push(read(choice.at, choice.length, this.#missing), compute(choice.block));
    else if (choice.kind === 14) this.program.push(fsync(file.open));
    else if (choice.kind === 13) this.program.push(prefetch(choice.at, choice.length, file.open));
    else if (choice.kind === 12) this.#reopen(file, index, reopenModes[choice.block % 4] ?? 'r');
    else if (writing) this.#addWriting(choice, file);
    else this.#addReading(choice, file);
  }

  /** Waits for what is under way; how far this warp knows the file to reach then. */
  endPhase(index: number): number {
    const file = this.#files[index] as OpenFile;
    this.#waitFor(file);
    return file.size;
  }

  pass(sizes: readonly number[]): void {
    sizes.forEach((size, index) => ((this.#files[index] as OpenFile).size = size));
    this.program.push(barrier);
  }

  closeAll(): void {
    for (const file of this.#files) this.program.push(close(file.open));
  }

  /** While others read and write the file; no ticket of this warp is left open, for its handle may be gone. */
  #reopen(file: OpenFile, index: number, mode: OpenOperation['mode']): void {
    this.#waitFor(file);
    const empties = mode === 'w+' && this.#plan.empties;
    const closes = close(file.open);
    const opens = open(fileName(index), empties || mode !== 'w+' ? mode : 'r+');
    // Emptied while it is open, its older bytes are still on their way to the disk.
    this.program.push(...(empties ? [opens, closes] : [closes, opens]));
    file.open = this.#opens++;
    file.writable = mode !== 'r';
    if (empties) file.size = 0;
  }

  #waitFor(file: OpenFile): void {
    for (const asked of this.#tickets.filter((ticket) => ticket.file === file)) {
      this.program.push(wait(asked.ticket));
      if (file.writable) file.size = Math.max(file.size, asked.end);
    }
    this.#tickets = this.#tickets.filter((ticket) => ticket.file !== file);
  }

  /** Nobody else is there: the file ends where it says. What was asked for before must not come behind it. */
  #truncate(file: OpenFile, { at, block }: Choice): void {
    this.#waitFor(file);
    const length = block % 3 === 0 ? at % (this.#span + this.#plan.lineBytes) : at % (file.size + 1);
    this.program.push(truncate(length, file.open));
    if (file.writable) file.size = length;
  }

  /** Given back at once, for there may be one line alone; behind a truncation it is stale. */
  #map(file: OpenFile, { at, block, length }: Choice, writing: boolean): void {
    const { lineBytes } = this.#plan;
    const offset = at % (this.#span + lineBytes);
    const bytes = 1 + (length % (lineBytes - (offset % lineBytes)));
    const truncates = writing && block % 5 === 0;
    if (truncates) this.#waitFor(file); // not beside the map
    const step = this.program.push(map(offset, bytes, writing ? 'r+' : 'r', file.open)) - 1;
    // More than what is mapped would be refused, and the map would stay.
    const mapped = Math.max(0, Math.min(bytes, file.size - offset));
    const data = pattern(mapped === 0 ? 0 : 1 + (block % mapped), block + length);
    const stores = writing && mapped > 0;
    if (stores && block % 3 === 0) this.program.push(mapSync(step, data));
    if (truncates) this.#truncate(file, { warp: 0, kind: 0, file: 0, block, at, length });
    this.program.push(stores && block % 2 === 0 ? unmap(step, data) : unmap(step));
  }

  #addReading({ kind, at, block, length }: Choice, file: OpenFile): void {
    const offset = at % (this.#span + this.#plan.lineBytes);
    const element = Math.floor(offset / 4);
    // The same one twice, a neighbour, one far away, and perhaps one behind the end.
    if (kind >= 16) this.program.push(gather([element, element + 1, element, Math.floor(length / 4)].slice(0, 1 + (block % 4)), file.open));
    else if (kind === 11) this.program.push(stat(file.open));
    else if (kind >= 9) this.#start(readAsync(offset, length, file.open), file, 0);
    else this.program.push(read(offset, length, file.open));
  }

  #addWriting(choice: Choice, file: OpenFile): void {
    const { grain, warps } = this.#plan;
    const blocks = Math.ceil(this.#span / (grain * warps));
    const within = choice.at % grain;
    const offset = (this.#warp + warps * (choice.block % blocks)) * grain + within;
    const length = 1 + (choice.length % (grain - within));
    const data = pattern(length, choice.block + choice.length);
    const first = Math.ceil(offset / 4);
    const elements = Math.floor((Math.min(offset + length, file.size) - first * 4) / 4);
    if (choice.kind >= 16) {
      // Only elements of its own, and those that the file surely has.
      const indices = Array.from({ length: Math.max(0, Math.min(elements, 70)) }, (_, at) => first + at);
      if (indices.length === 0) return;
      const values = indices.map((index) => (index * 2654435761 + choice.block) % 2 ** 32);
      this.program.push(choice.kind === 16 ? scatter(indices, values, file.open) : add(indices, values, file.open));
    } else if (choice.kind < 7) {
      this.program.push(write(offset, data, file.open));
      if (file.writable) file.size = Math.max(file.size, offset + length);
    } else if (choice.kind < 9) {
      this.#start(writeAsync(offset, data, file.open), file, offset + length);
    } else if (offset + length <= file.size) {
      // Where the file may end here or there, depending on the others, the result would be a matter of luck.
      if (choice.kind === 9) this.#start(readAsync(offset, length, file.open), file, 0);
      else this.program.push(read(offset, length, file.open));
    }
  }

  #start(operation: Operation, file: OpenFile, end: number): void {
    const ticket = this.program.push(operation) - 1;
    this.#tickets.push({ ticket, file, end });
    if (ticket % 3 === 0) this.program.push(poll(ticket));
  }
}
