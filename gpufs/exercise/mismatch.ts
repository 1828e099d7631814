// What the exerciser says where the file system and the model differ.
import { describeErrno } from '../errors.ts';
import type { History, ModelFile } from './model_file.ts';

/** `operation` is the one whose result is wrong; undefined: the host has other bytes than the model. */
export class Mismatch extends Error {
  readonly operation: number | undefined;

  constructor(operation: number | undefined, message: string) {
    super(message);
    this.name = 'Mismatch';
    this.operation = operation;
  }
}

export function showResult(result: number): string {
  return result < 0 ? `${result} (${describeErrno(result)})` : String(result);
}

/** `byte 4711 is 0x3a, which operation 640 wrote there; wanted 0x77 of operation 812`, and undefined where all are right. */
export function wrongByte(file: ModelFile, offset: number, got: Uint8Array, wantedLength: number, history: History): string | undefined {
  const wanted = file.bytes.subarray(offset, offset + wantedLength);
  if (got.length !== wantedLength) return `${got.length} bytes, wanted ${wantedLength}`;
  if (Buffer.compare(got, wanted) === 0) return undefined;
  const first = got.findIndex((byte, index) => byte !== wanted[index]);
  let count = 0;
  for (let i = first; i < got.length; i++) if (got[i] !== wanted[i]) count++;
  const at = offset + first;
  const value = got[first] ?? 0;
  const [writer] = history.writersOf(file, at, value);
  const origin = writer === undefined ? 'which no operation that is remembered wrote there' : `which operation ${writer} wrote there`;
  const owner = file.writers[at] ?? 0;
  const due = owner === 0 ? 'there from the start' : `of operation ${owner}`;
  const more = count === 1 ? 'no other byte is wrong' : `${count} bytes are wrong up to ${offset + lastWrong(got, wanted)}`;
  return `byte ${at} is ${hex(value)}, ${origin}; wanted ${hex(wanted[first] ?? 0)} ${due}; ${more}`;
}

function lastWrong(got: Uint8Array, wanted: Uint8Array): number {
  let last = got.length - 1;
  while (got[last] === wanted[last]) last--;
  return last;
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`;
}
