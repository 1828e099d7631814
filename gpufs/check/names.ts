// Which file each open got, where names are removed and given to other files: every way in which opens, removals and renames may have come one
// after the other and have ended as they did. Mostly there is one; the bytes then say whether it can be.
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import { type Act, describeAct, type FileOf, type Precedes } from './history.ts';
import type { Observed } from './observed.ts';
import type { Opened, Step } from './steps.ts';

export interface Naming {
  fileOf: FileOf;
  /** The file of each name at the end. */
  names: ReadonlyMap<string, string>;
}

type Names = ReadonlyMap<string, string>;

/** How far a search has come: what is done, what the names stand for, what each open got. */
interface Place {
  done: number;
  names: Names;
  got: ReadonlyMap<string, string>;
}

const ACTS_MAX = 31; // one bit each
const PLACES_MAX = 20_000;
const NAMINGS_MAX = 100;

/** Names change in these programs, or an open depends on there being none. */
export function changesNames(warps: readonly (readonly Step[])[]): boolean {
  return warps.some((steps) => steps.some(({ names, opened, work }) => names.length > 0 || (work === 'open' && opened?.mode === 'wx+')));
}

/** Undefined: there are too many to look at. None: no order explains the results. */
export function namingsOf(acts: readonly Act[], paths: readonly string[], precedes: Precedes): Naming[] | undefined {
  const named = acts.filter(({ step }) => step.work === 'open' || step.names.length > 0);
  if (named.length > ACTS_MAX) return undefined;
  const before = named.map((act) => named.reduce((bits, other, i) => (other !== act && !mayComeLate(other) && precedes(other, act) ? bits | (1 << i) : bits), 0));
  const all = 2 ** named.length - 1;
  const seen = new Set<string>();
  const found: Naming[] = [];
  const open: Place[] = [{ done: 0, names: new Map(paths.map((path) => [path, path])), got: new Map() }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { done, names, got } = place;
    const key = `${done} ${textOf(names)} ${textOf(got)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > PLACES_MAX || found.length > NAMINGS_MAX) return undefined;
    if (done === all) found.push({ names, fileOf: ({ step }, warp) => got.get(`${warp}.${step}`) });
    named.forEach((act, i) => {
      if ((done & (1 << i)) !== 0 || ((before[i] as number) & ~done) !== 0) return;
      for (const after of apply(act, names, got)) open.push({ ...after, done: done | (1 << i) });
    });
  }
  return found;
}

/** The names that are there at the end are those that somebody found there. */
export function isPresent({ names }: Naming, { files }: Observed): boolean {
  return files === undefined || [...files].every(([path, bytes]) => (bytes !== undefined) === names.has(path));
}

export function describeNames(acts: readonly Act[]): string {
  const named = acts.filter(({ step }) => step.work === 'open' || step.names.length > 0);
  return `no order explains the names of the files: ${named.map((act) => `${describeAct(act)} gave ${act.step.work === 'open' ? Math.min(act.result, 0) : act.result}`).join('; ')}`;
}

/** What failed at the host may still be carried out there, at any time. */
function mayComeLate(act: Act): boolean {
  return act.uncertain && ownErrorOf(act) === undefined;
}

/** Names and files behind a step; none where it cannot have ended so here, two where it may have happened or not. */
function apply(act: Act, names: Names, got: Place['got']): Omit<Place, 'done'>[] {
  const { step } = act;
  const [path, to] = step.work === 'open' ? [(step.opened as Opened).path] : (step.names as [string, string?]);
  const file = names.get(path);
  const mode = step.opened?.mode;
  const error: ErrnoName | undefined =
    mode === 'wx+' ? (file === undefined ? undefined : 'EEXIST') : mode === 'w+' || mode === 'c+' || file !== undefined ? undefined : 'ENOENT';
  if (act.uncertain && ownErrorOf(act) !== undefined) return ownErrorOf(act) === error ? [{ names, got }] : [];
  const unchanged = act.uncertain ? [{ names, got }] : [];
  if (error !== undefined) return unchanged;
  const after = new Map(names);
  if (step.work !== 'open') {
    after.delete(path);
    if (to !== undefined) after.set(to, file as string);
    return [...unchanged, { names: after, got }];
  }
  const key = `${step.warp}.${step.step}`;
  const opened = file ?? `${path}, made by warp ${step.warp} step ${step.step}`;
  return [...unchanged, { names: after.set(path, opened), got: new Map(got).set(key, opened) }];
}

/** An errno that says how the names were. */
function ownErrorOf({ ended, result }: Act): ErrnoName | undefined {
  return ended ? (['ENOENT', 'EEXIST'] as const).find((name) => result === -ERRNO[name].number) : undefined;
}

function textOf(map: ReadonlyMap<string, string>): string {
  return [...map].map((pair) => pair.join('>')).toSorted().join('|');
}
