// The calls that cover a byte of a file, what is known of their order, and the look at the disk at the end, which is one more read.
import { type Act, type FileHistory, type Precedes, syncs } from './history.ts';
import type { FaultName } from './observed.ts';

/** What the host finds at the end. */
export interface Disk {
  bytes: Uint8Array;
  /** Everything was written back and synced before. */
  finished: boolean;
}

export interface FileCase {
  history: FileHistory;
  /** Undefined: nobody looked. */
  disk: Disk | undefined;
  precedes: Precedes;
  faults: ReadonlySet<FaultName>;
  /** Searches that were given up: nothing is said about what they were about. */
  undecided: { count: number };
}

/** The part of a file that one call covers. */
export interface Cover {
  /** Undefined: the look at the disk. */
  act: Act | undefined;
  kind: 'write' | 'empty' | 'read';
  from: number;
  to: number;
  bytes: Uint8Array | undefined;
}

export function coversOf({ history, disk }: FileCase): Cover[] {
  const covers: Cover[] = [];
  for (const act of history.acts) {
    const { step, result } = act;
    if (empties(act)) covers.push({ act, kind: 'empty', from: 0, to: Infinity, bytes: undefined });
    const moved = act.uncertain ? step.length : result;
    if (step.work === 'write' && moved > 0) covers.push({ act, kind: 'write', from: step.offset, to: step.offset + moved, bytes: step.data });
    // The bytes of a wait that was followed by another one for the same call are gone.
    if (step.work === 'read' && act.data.length > 0 && !step.waitedAgain) {
      covers.push({ act, kind: 'read', from: step.offset, to: step.offset + act.data.length, bytes: act.data });
    }
  }
  if (disk !== undefined) covers.push({ act: undefined, kind: 'read', from: 0, to: disk.bytes.length, bytes: disk.bytes });
  return covers;
}

export function empties({ step }: Act): boolean {
  return step.work === 'open' && step.opened?.mode === 'w+';
}

export function valueAt({ kind, from, bytes }: Cover, at: number): number {
  return kind === 'empty' ? 0 : (bytes?.[at - from] ?? 0);
}

/** An open that failed may still be carried out by the host, at any time. */
export function comesBefore({ precedes }: FileCase, a: Act, b: Act): boolean {
  return !(a.uncertain && a.step.work === 'open') && precedes(a, b);
}

/** Whether the disk surely has what this call did, or what came over it later. */
export function isOnDisk(file: FileCase, act: Act): boolean {
  const { disk, history, precedes, faults } = file;
  const lives = faults.has('revive'); // a host that came back knows nothing of the lines of the one before
  if (disk?.finished === true && !lives) return true;
  if (empties(act)) return !act.uncertain; // that is done at once
  return history.acts.some((sync) => syncs(sync) && precedes(act, sync) && (!lives || inOneLife(file, act, sync)));
}

/** The file was opened for the sync before the write began, and that host still answered when it was synced. */
function inOneLife({ history, precedes }: FileCase, write: Act, sync: Act): boolean {
  const { warp, opened } = sync.step;
  return history.acts.some((act) => act.step.warp === warp && act.step.step === opened?.step && precedes(act, write));
}
