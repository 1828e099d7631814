// The size of a file as writes made it: what a reader that got so many bytes must have seen.
import { cutOf, type FileCase } from './covers.ts';
import type { Act } from './history.ts';

/** Where the file may end on account of this write: behind it, or, as its lines are written back one by one, at the end of any of its lines. */
export function endsOf(act: Act, lineBytes: number): number[] {
  const { offset, length } = act.step;
  const moved = act.uncertain ? length : act.result;
  const ends: number[] = [];
  if (moved <= 0) return ends;
  for (let end = (Math.floor(offset / lineBytes) + 1) * lineBytes; end < offset + moved; end += lineBytes) ends.push(end);
  ends.push(offset + moved);
  return ends;
}

/**
 * The size is published after the bytes. So a read whose count only one write can explain sees the bytes of that write: for each such read, those
 * writes. Where the file is truncated meanwhile nothing is said.
 */
export function growthSeen({ history, precedes }: FileCase): Map<Act, Set<Act>> {
  const seen = new Map<Act, Set<Act>>();
  if (history.acts.some((act) => cutOf(act) !== undefined)) return seen;
  const initial = history.initial?.length ?? 0;
  for (const read of history.acts) {
    const reached = read.step.offset + read.result;
    if ((read.step.work !== 'read' && read.step.work !== 'map') || read.result <= 0 || reached <= initial) continue;
    const growing = history.acts.filter(({ step }) => step.work === 'write').filter((write) => reachOf(write) >= reached && !precedes(read, write));
    const [only] = growing;
    if (growing.length === 1 && only !== undefined) seen.set(read, new Set([only]));
  }
  return seen;
}

function reachOf({ step, result, uncertain }: Act): number {
  const moved = uncertain ? step.length : result;
  return moved > 0 ? step.offset + moved : 0;
}
