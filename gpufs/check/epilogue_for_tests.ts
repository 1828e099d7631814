// A dispatch behind the explored one that reads every file, under the usual schedule and without faults: what was done before must not show.
import { ProgramWarp } from '../../native/abi/abi.ts';
import type { NativeOutcome } from '../native_check.ts';
import { decodeResults, type EncodedPrograms, encodePrograms } from '../program_encode.ts';
import type { Operation, Program, StepResult } from '../program.ts';
import type { Prepared } from './exploration.ts';

export interface EpilogueLook {
  /** Results of the open, the last sync and the last read. */
  opened: number;
  synced: number;
  read: number;
  size: number;
  data: Uint8Array;
}

/** More than any file of a random scenario has. */
const READ_BYTES = 8192;
/** More than there are lines. */
const SYNCS = 6;
const READS = 6;
const STEPS_EACH = 1 + SYNCS + 1 + READS;

const epilogues = new WeakMap<Prepared, { programs: Program[]; encoded: EncodedPrograms }>();

export function addEpilogue(prepared: Prepared): void {
  const { native } = prepared.encoded;
  const program = native.files.flatMap(({ path }, file): Operation[] => [
    { op: 'open', path, mode: 'r+' },
    // Each may tell what went wrong with a line that is still to be written; the last has nothing to tell.
    ...Array.from({ length: SYNCS }, (): Operation => ({ op: 'fsync', file })),
    { op: 'stat', file },
    // A page that was asked for in advance, in vain, tells its error to the first who comes.
    ...Array.from({ length: READS }, (): Operation => ({ op: 'read', file, offset: 0, length: READ_BYTES })),
  ]);
  // Steps are told apart by where their results lie: those of the explored programs come first here as well, though nobody runs them.
  const programs = [...prepared.encoded.programs, program];
  const encoded = encodePrograms(programs);
  const [warps = new Uint8Array(0), ...shared] = encoded.buffers;
  const buffers = [warps.slice(-ProgramWarp.bytes), ...shared];
  epilogues.set(prepared, { programs, encoded });
  native.dispatches.push({ module: '', items: 1, groupWarps: 1, groupMemoryBytes: 0, allResident: false, buffers, explored: false });
  // Its bytes are compared with the files, so it is a part of every schedule.
  Object.assign(native, { keepHost: false, finish: true, filesMatter: true });
}

/** What the epilogue saw of each file of the scenario. */
export function epilogueOf(prepared: Prepared, outcome: NativeOutcome): EpilogueLook[] {
  const epilogue = epilogues.get(prepared);
  const buffers = outcome.buffers.at(-1);
  if (epilogue === undefined || buffers === undefined) throw new Error('there was no epilogue');
  const [, , results = new Uint8Array(0), data = new Uint8Array(0)] = buffers;
  const copy: EncodedPrograms = { buffers, results: new DataView(results.buffer, results.byteOffset, results.byteLength), data, regions: epilogue.encoded.regions };
  const steps = (decodeResults(epilogue.programs, copy) as StepResult[][]).at(-1) ?? [];
  return Array.from({ length: steps.length / STEPS_EACH }, (_, file) => {
    const own = steps.slice(file * STEPS_EACH, (file + 1) * STEPS_EACH);
    const [opened, synced, stat, read] = [own[0], own[SYNCS], own[SYNCS + 1], own.at(-1)];
    return { opened: opened?.result ?? -1, synced: synced?.result ?? -1, size: stat?.sizeBytes ?? -1, read: read?.result ?? -1, data: read?.data ?? new Uint8Array(0) };
  });
}
