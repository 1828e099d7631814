// Whether the results of programs are the same under every schedule, as far as one can tell without running them. Sound, not complete: where it
// says yes, the reference gives the one right outcome.
import { ERRNO } from '../../native/abi/abi.ts';
import { ELEMENT_BYTES } from './covers.ts';
import { changesNames } from './names.ts';
import type { JudgedScenario } from './observed.ts';
import { refusal, type Step, stepsOf } from './steps.ts';

/** What one warp does to one file between two barriers. */
interface Touch {
  path: string;
  reads: Range[];
  writes: Range[];
  /** A result depends on how far the file reaches beyond its end at the beginning of the phase. */
  seesGrowth: boolean;
  grows: boolean;
  /** It creates the file, or gives it a size. */
  renews: boolean;
  /** How large this warp leaves the file; undefined: it is not there. */
  size: number | undefined;
}

interface Range {
  from: number;
  to: number;
}

/** Files as every warp finds them at the beginning of a phase. */
type Sizes = ReadonlyMap<string, number>;

export function isDeterministic({ programs, files }: Pick<JudgedScenario, 'programs' | 'files'>): boolean {
  const warps = stepsOf(programs);
  if (warps.flat().some(leavesToChance)) return false;
  // The look at one warp says what happens in files, not how names pass from one to another.
  if (warps.length > 1 && changesNames(warps)) return false;
  const phases = 1 + Math.max(0, ...warps.map((steps) => steps.at(-1)?.phase ?? 0));
  // What refusal() has to know: the errno of each step that fails.
  const results = warps.map((steps) => steps.map(() => ({ result: 0 })));
  let sizes: Sizes = new Map(files.map(({ path, bytes }) => [path, bytes.length]));
  for (let phase = 0; phase < phases; phase++) {
    const touched = warps.map((steps, warp) => touchesOf(steps.filter((step) => step.phase === phase), sizes, results[warp] ?? []));
    for (const [warp, mine] of touched.entries()) {
      const others = touched.slice(warp + 1).flat();
      if (mine.some((touch) => others.some((other) => other.path === touch.path && conflict(touch, other)))) return false;
    }
    sizes = sizesAfter(sizes, touched.flat());
  }
  return true;
}

/** Which of two values of one element stays, and which of two additions comes first, nobody says. */
function leavesToChance({ work, indices }: Step): boolean {
  return (work === 'scatter' || work === 'add') && new Set(indices).size < indices.length;
}

function conflict(a: Touch, b: Touch): boolean {
  if (a.renews || b.renews) return true;
  if ((a.grows && b.seesGrowth) || (b.grows && a.seesGrowth)) return true;
  return overlap(a.writes, b.writes) || overlap(a.writes, b.reads) || overlap(a.reads, b.writes);
}

function overlap(some: readonly Range[], others: readonly Range[]): boolean {
  return some.some((a) => others.some((b) => a.from < b.to && b.from < a.to));
}

function sizesAfter(before: Sizes, touches: readonly Touch[]): Sizes {
  const after = new Map(before);
  for (const { path, renews, size } of touches) {
    if (size === undefined) continue;
    after.set(path, renews ? size : Math.max(after.get(path) ?? 0, size)); // nobody else touches a file that is renewed
  }
  return after;
}

/** The steps of one warp in one phase, as they go if no other warp comes between. */
function touchesOf(steps: readonly Step[], sizes: Sizes, results: { result: number }[]): Touch[] {
  const touches = new Map<string, Touch>();
  for (const step of steps) {
    const { opened } = step;
    if (opened === undefined) continue;
    let touch = touches.get(opened.path);
    if (touch === undefined) {
      touch = { path: opened.path, reads: [], writes: [], seesGrowth: false, grows: false, renews: false, size: sizes.get(opened.path) };
      touches.set(opened.path, touch);
    }
    const refused = refusal(step, results);
    const result = results[step.step];
    if (refused !== undefined && result !== undefined) result.result = refused;
    else if (step.work === 'open' && result !== undefined) result.result = openIn(touch, opened.mode);
    else if (step.work === 'map' && result !== undefined) result.result = mapIn(touch, step, sizes.get(opened.path) ?? 0);
    else stepIn(touch, step, sizes.get(opened.path) ?? 0);
  }
  return [...touches.values()];
}

function openIn(touch: Touch, mode: string): number {
  if (mode === 'w+' || (mode === 'c+' && touch.size === undefined)) {
    touch.renews = true;
    touch.size = 0;
  }
  return touch.size === undefined ? -ERRNO.ENOENT.number : 0;
}

/** How much is mapped, which says what may be stored into it. */
function mapIn(touch: Touch, { offset, length }: Step, sizeBefore: number): number {
  touch.reads.push({ from: offset, to: offset + length });
  if (offset + length > sizeBefore) touch.seesGrowth = true;
  return Math.max(0, Math.min(length, (touch.size ?? 0) - offset));
}

function stepIn(touch: Touch, { work, offset, length, size, indices }: Step, sizeBefore: number): void {
  const to = offset + length;
  if (work === 'stat') touch.seesGrowth = true;
  if (work === 'truncate') {
    touch.renews = true;
    touch.size = size;
  }
  for (const index of indices) {
    const element = { from: index * ELEMENT_BYTES, to: (index + 1) * ELEMENT_BYTES };
    if (element.to > sizeBefore) touch.seesGrowth = true;
    if (work !== 'scatter') touch.reads.push(element);
    if (work !== 'gather') touch.writes.push(element);
  }
  if (length === 0) return;
  if (work === 'unmap' || work === 'map_sync') touch.writes.push({ from: offset, to });
  if (work === 'write') {
    touch.writes.push({ from: offset, to });
    touch.size = Math.max(touch.size ?? 0, to);
    if (to > sizeBefore) touch.grows = true;
  }
  if (work === 'read' || work === 'prefetch') {
    if (to > sizeBefore) touch.seesGrowth = true;
    if (work === 'read') touch.reads.push({ from: offset, to });
  }
}
