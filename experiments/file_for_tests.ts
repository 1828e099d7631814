// A file that rounds change, as the CPU has it.
import { readFile } from 'node:fs/promises';
import type { Random } from '../gpufs/random.ts';
import { type Access, shares, shuffled, sumOfWords, totalsOf } from './lists.ts';
import { ACCESS, lengthOf, modeOf, type Round } from './workload.ts';
import { updated } from './workloads/update.ts';

/** No page twice; `changes`: so many of all accesses. */
export function mixedAccesses(random: Random, { items, count, bytes, pages, changes }: { items: number; count: number; bytes: number; pages: number; changes: number }): Access[][] {
  let left = changes;
  return shares(shuffled(random, pages), items, count, (page): Access => {
    const mode = left-- <= 0 ? ACCESS.read : ACCESS.update;
    return { offset: page * bytes, bytes, mode };
  });
}

/** What `update` finds and leaves. */
export function changeFile(words: Uint32Array, round: Round): Uint32Array {
  const totals = totalsOf(round, (offset, bytes) => sumOfWords((word) => words[word] as number, offset, bytes));
  round.lengths.forEach((length, index) => {
    if (modeOf(length) === ACCESS.read) return;
    const first = Number(round.offsets[index]) / 4;
    for (let word = first; word < first + lengthOf(length) / 4; word++) words[word] = updated(words[word] as number, word);
  });
  return totals;
}

/** The first word that differs; undefined where none does. */
export async function wrongBytes(path: string, words: Uint32Array): Promise<string | undefined> {
  const bytes = await readFile(path);
  const found = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const word = words.findIndex((value, at) => value !== found[at]);
  return word < 0 && found.length === words.length ? undefined : `word ${word} is ${found[word]}, and not ${words[word]}`;
}
