// A dispatch behind the explored one that reads every file, under the usual schedule and without faults: what was done before must not show.
import { ProgramWarp } from '../../native/abi/abi.ts';
import type { NativeOutcome } from '../native_check.ts';
import { decodeResults, type EncodedPrograms, encodePrograms } from '../program_encode.ts';
import type { Operation, Program, StepResult } from '../program.ts';
import type { Prepared } from './exploration.ts';

export interface EpilogueLook {
  /** Results of the open and of the read. */
  opened: number;
  read: number;
  size: number;
  data: Uint8Array;
}

/** More than any file of a random scenario has. */
const READ_BYTES = 8192;
const STEPS_EACH = 3;

const epilogues = new WeakMap<Prepared, { programs: Program[]; encoded: EncodedPrograms }>();

export function addEpilogue(prepared: Prepared): void {
  const { native } = prepared.encoded;
  const program = native.files.flatMap(({ path }, file): Operation[] => [{ op: 'open', path, mode: 'r' }, { op: 'stat', file }, { op: 'read', file, offset: 0, length: READ_BYTES }]);
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
    const [opened, stat, read] = steps.slice(file * STEPS_EACH, (file + 1) * STEPS_EACH);
    return { opened: opened?.result ?? -1, size: stat?.sizeBytes ?? -1, read: read?.result ?? -1, data: read?.data ?? new Uint8Array(0) };
  });
}
