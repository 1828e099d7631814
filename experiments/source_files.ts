// The files that points are about.
import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import type { Point } from './experiment.ts';

export const FILE = 'data.bin';

/** Points that want the same file have it made once. */
export class SourceFiles {
  readonly #folder: string;
  readonly #seed: number;
  #last: { path: string; of: number | Point['makeFile'] } | undefined;

  constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#seed = seed;
  }

  async of({ makeFile, job: { fileBytes } }: Point): Promise<string> {
    const of = makeFile ?? fileBytes;
    if (this.#last?.of === of) return this.#last.path;
    if (this.#last !== undefined) await rm(dirname(this.#last.path), { recursive: true });
    const path = join(await mkdtemp(join(this.#folder, 'source-')), FILE);
    await (makeFile === undefined ? makeDataFile(path, fileBytes, this.#seed) : makeFile(path));
    this.#last = { path, of };
    return path;
  }
}
