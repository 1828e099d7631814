// A truncation to a smaller size is beside nothing: every other call comes as a whole before it or behind it, with all of its bytes and with what
// it says of the size. One that makes a file longer keeps only writers away: who reads may have seen the older size and bytes of later. (Between
// truncations each byte is still for itself: a gread may see a gwrite half done.) So the calls that meet a truncation are put before it or behind
// it in every way, until one explains everything at once.
import { comesBefore, cutOf, type FileCase } from './covers.ts';
import { type Act, describeAct } from './history.ts';
import type { Judgement } from './observed.ts';
import type { Work } from './steps.ts';

/** A call and a truncation of which nobody knows which came first. */
interface Meeting {
  cut: Act;
  other: Act;
}

/** Ways in which the calls are put before and behind. */
const WAYS_MAX = 512;

/** `judge` says what is wrong with a file whose calls have this order; without any of it nothing was. */
export function judgeTruncations(file: FileCase, judge: (file: FileCase) => Judgement | undefined): Judgement | undefined {
  if (file.faults.has('truncate') || file.faults.has('replace') || file.faults.has('revive')) return undefined;
  const meetings = meetingsOf(file);
  if (meetings.length === 0) return undefined;
  const order = new Order(file);
  let ways = 0;
  let first: Judgement | undefined;
  let isTooMuch = false;
  const search = (at: number): boolean => {
    const meeting = meetings[at];
    if (meeting === undefined) {
      if (++ways > WAYS_MAX) {
        isTooMuch = true;
        return true;
      }
      const wrong = judge({ ...file, precedes: order.precedes, surelyPrecedes: file.precedes });
      first ??= wrong;
      return wrong === undefined;
    }
    // First as they ended: that is mostly how it was.
    const { cut, other } = meeting;
    const pairs: [Act, Act][] = other.to <= cut.to ? [[other, cut], [cut, other]] : [[cut, other], [other, cut]];
    return pairs.some(([a, b]) => {
      if (order.precedes(b, a)) return false;
      const undo = order.add(a, b);
      const found = search(at + 1);
      undo();
      return found;
    });
  };
  const found = search(0);
  if (isTooMuch) file.undecided.count++;
  if (found || first === undefined) return undefined;
  const [{ cut }] = meetings as [Meeting];
  const who = [...new Set(meetings.map(({ other }) => other))].map(describeAct).join(', ');
  return { ...first, message: `no place of ${describeAct(cut)} before or behind the whole of ${who} explains what they saw; in the order in which they ended: ${first.message}` };
}

function meetingsOf(file: FileCase): Meeting[] {
  const { acts } = file.history;
  const cuts = acts.filter((act) => cutOf(act) !== undefined && !act.uncertain);
  return cuts.flatMap((cut, at) => {
    const isShorter = (cutOf(cut) as number) < leastBefore(file, cut);
    return acts
      .filter((other) => isWhole(other) && (isShorter || !reads.has(other.step.work)) && !cuts.slice(0, at + 1).includes(other))
      .filter((other) => !comesBefore(file, cut, other) && !comesBefore(file, other, cut))
      .map((other) => ({ cut, other }));
  });
}

/** The file was surely at least so long when it was truncated. */
function leastBefore(file: FileCase, cut: Act): number {
  const { acts, initial } = file.history;
  const others = acts.filter((other) => other !== cut && cutOf(other) !== undefined && !comesBefore(file, cut, other));
  const written = acts.filter(
    (act) => act.step.work === 'write' && act.result > 0 && comesBefore(file, act, cut) && others.every((other) => comesBefore(file, other, act)),
  );
  const least = Math.min(initial?.length ?? 0, ...others.map((other) => cutOf(other) as number));
  return Math.max(least, ...written.map(({ step, result }) => step.offset + result));
}

const reads: ReadonlySet<Work> = new Set<Work>(['read', 'map', 'gather']);
const works: ReadonlySet<Work> = new Set<Work>(['read', 'write', 'map', 'unmap', 'map_sync', 'truncate']);

/** A call that is about more than one byte or one number, and that has ended as it should. One for several elements is several calls. */
function isWhole(act: Act): boolean {
  const { step, uncertain } = act;
  return !uncertain && (works.has(step.work) || cutOf(act) !== undefined || step.indices.length === 1);
}

/** What is known of the order, and what is supposed of it, with all that follows. */
class Order {
  readonly #numbers: Map<Act, number>;
  #before: boolean[][];
  readonly #acts: readonly Act[];

  constructor(file: FileCase) {
    this.#acts = file.history.acts;
    this.#numbers = new Map(this.#acts.map((act, at) => [act, at]));
    this.#before = this.#acts.map((a) => this.#acts.map((b) => a !== b && file.precedes(a, b)));
  }

  readonly precedes = (a: Act, b: Act): boolean => this.#before[this.#numbers.get(a) ?? -1]?.[this.#numbers.get(b) ?? -1] ?? false;

  /** What comes back takes it away again. */
  add(a: Act, b: Act): () => void {
    const older = this.#before;
    this.#before = older.map((row) => [...row]);
    const from = this.#numbers.get(a) as number;
    const to = this.#numbers.get(b) as number;
    this.#acts.forEach((_, x) => {
      if (x !== from && older[x]?.[from] !== true) return;
      this.#acts.forEach((__, y) => {
        if (y === to || older[to]?.[y] === true) (this.#before[x] as boolean[])[y] = true;
      });
    });
    return () => {
      this.#before = older;
    };
  }
}
