// One byte: what it was, what was written into it, and what was seen of it.
import { comesBefore, type Cover, type FileCase, isOnDisk, type Range } from './covers.ts';
import { findOrder, type RegisterOperation, type SearchResult } from './linearizable.ts';
import type { Judgement } from './observed.ts';

/** Values as small numbers: they count only as far as they are equal. */
export interface ByteValues {
  /** Those that have this story. */
  bytes: Range;
  initial: number;
  /** The value zero. */
  zero: number;
  /** One for each cover. */
  values: Uint8Array;
}

export interface WrongByte {
  kind: Judgement['kind'];
  /** Which of the covers is a read that spoils it. */
  blamed: number;
}

/** `operations` are those of the covers. Undefined: some order explains everything, or the search was given up. */
export function judgeRegister(file: FileCase, covers: readonly Cover[], operations: readonly RegisterOperation[], byte: ByteValues): WrongByte | undefined {
  const { faults, undecided } = file;
  const search = (all: readonly RegisterOperation[], looks: (cover: Cover) => boolean): SearchResult => {
    const verdict = findOrder(all, byte.initial, (i, state) => {
      const value = byte.values[i] as number;
      if (covers[i]?.kind !== 'read') return value;
      return value === state || !looks(covers[i] as Cover) ? state : -1;
    });
    if (verdict === 'undecided') undecided.count++;
    return verdict;
  };

  if (!faults.has('truncate') && !faults.has('revive')) {
    if (search(operations, () => true) !== 'no') return undefined;
    const disk = covers.findIndex(({ act }) => act === undefined);
    if (search(operations, ({ act }) => act !== undefined) !== 'no') return { kind: 'wrong_file', blamed: disk };
    const reads = covers.filter(({ act, kind }) => act !== undefined && kind === 'read');
    const spoils = reads.find((read) => search(operations, (cover) => cover.act !== undefined && cover !== read) !== 'no') ?? reads[0];
    return { kind: 'not_linearizable', blamed: covers.findIndex((cover) => cover === spoils) };
  }
  // Bytes may have got lost, so that reads see older ones again. But each of them was there once.
  for (const [i, cover] of covers.entries()) {
    if (cover.kind === 'read' && !wasThereOnce(file, covers, i, byte)) return { kind: cover.act === undefined ? 'wrong_file' : 'not_linearizable', blamed: i };
  }
  if (faults.has('truncate')) return undefined;
  const kept = operations.map((operation, i) => ({ ...operation, optional: !isKept(file, covers[i] as Cover, byte.bytes) }));
  if (search(kept, ({ act }) => act === undefined) !== 'no') return undefined;
  return { kind: 'wrong_file', blamed: covers.findIndex(({ act }) => act === undefined) };
}

function wasThereOnce(file: FileCase, covers: readonly Cover[], read: number, { initial, zero, values }: ByteValues): boolean {
  const value = values[read];
  if (value === initial || (value === zero && file.faults.has('truncate'))) return true;
  const reader = covers[read]?.act;
  return covers.some(({ act, kind }, i) => {
    if (kind === 'read' || values[i] !== value || act === undefined) return false;
    return reader === undefined || !comesBefore(file, reader, act);
  });
}

function isKept(file: FileCase, { act, kind }: Cover, bytes: Range): boolean {
  return act === undefined || kind === 'read' || (!act.uncertain && isOnDisk(file, act, bytes));
}
