// A file that rounds change, as the CPU has it.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import type { Random } from '../gpufs/random.ts';
import { type Access, shares, shuffled } from './lists.ts';
import { ACCESS } from './workload.ts';

/** No page twice; `changes`: so many of all accesses. */
export function mixedAccesses(random: Random, { items, count, bytes, pages, changes }: { items: number; count: number; bytes: number; pages: number; changes: number }): Access[][] {
  let left = changes;
  return shares(shuffled(random, pages), items, count, (page): Access => {
    const mode = left-- <= 0 ? ACCESS.read : ACCESS.update;
    return { offset: page * bytes, bytes, mode };
  });
}

/** The first word that differs; undefined where none does. */
export async function wrongBytes(path: string, words: Uint32Array): Promise<string | undefined> {
  const bytes = await readFile(path);
  const found = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const word = words.findIndex((value, at) => value !== found[at]);
  return word < 0 && found.length === words.length ? undefined : `word ${word} is ${found[word]}, and not ${words[word]}`;
}

/** Makes files of words of the seed, called `data`, each in a folder of its own, which are gone when the tests of the file are over. */
export function useDataFiles(seed: number): (fileBytes: number) => Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-data-files-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let folders = 0;
  return async (fileBytes) => {
    const root = join(folder, String(folders++));
    mkdirSync(root);
    await makeDataFile(join(root, 'data'), fileBytes, seed);
    return root;
  };
}
