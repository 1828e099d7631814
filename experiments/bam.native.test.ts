// The baseline of BaM: right answers under pressure, and what check mode finds with each of its published mistakes and does not find without them.
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { findCompiler } from '../gpufs/system_compiler.ts';
import { checkBaseline, type Found } from './baseline_check_for_tests.ts';
import { prepareBaseline } from './baseline_system.ts';
import { type Access, randomAccesses, randomOf, roundOf, shares, shuffled, sumOfWords, totalsOf, totalsOfReads, wordsOfSeed } from './lists.ts';
import type { Job } from './system.ts';
import { bamBaseline, type BamFlaw, bamFlaws, type BamShape, system } from './systems/bam.ts';
import { ACCESS, lengthOf, modeOf, type Round, type Workload } from './workload.ts';
import { read } from './workloads/read.ts';
import { update, updated } from './workloads/update.ts';

const { missing } = nativePresence();
const cannot = missing ?? (findCompiler() === undefined ? 'no compiler' : undefined);
const SEED = 5;
const folder = mkdtempSync(join(tmpdir(), 'warpfs-bam-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Checked = { round: Round; expected: Uint32Array };

/** Reads and updates of pieces, none of them twice in a round; `file` becomes what it has to be. */
function updates(file: Uint32Array, run: number, { items, count, bytes }: { items: number; count: number; bytes: number }): Checked {
  const random = randomOf(SEED, run);
  const pieces = shuffled(random, file.byteLength / bytes);
  const round = roundOf(shares(pieces, items, count, (piece): Access => ({ offset: piece * bytes, bytes, mode: random.below(3) === 0 ? ACCESS.read : ACCESS.update })));
  const expected = totalsOf(round, (offset, length) => sumOfWords((word) => file[word] as number, offset, length));
  round.lengths.forEach((length, index) => {
    if (modeOf(length) === ACCESS.read) return;
    const first = Number(round.offsets[index]) / 4;
    for (let word = first; word < first + lengthOf(length) / 4; word++) file[word] = updated(file[word] as number, word);
  });
  return { round, expected };
}

const bytesOfWords = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
const wordsOf = (fileBytes: number): Uint32Array => Uint32Array.from({ length: fileBytes / 4 }, (_, word) => wordsOfSeed(SEED)(word));

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'bam on the cpu device' : `SKIP ${cannot}`, () => {
  const LINE = 4096;
  const fileBytes = 160 * LINE - 1024;
  const job = (more: Partial<Job>): Job => ({
    device: 'cpu', medium: 'raw', root: folder, file: 'data', fileBytes, cacheBytes: 32 * LINE, lineBytes: LINE, items: 24, accessBytes: LINE,
    workload: read, threads: 1, io: 'auto', advice: 'normal', ...more,
  });
  beforeAll(() => makeDataFile(join(folder, 'data'), fileBytes, SEED));

  test.each([1, 3])('reads what is in the file, with %i threads of the host', async (threads) => {
    const prepared = await system.prepare(job({ threads }));
    try {
      for (let run = 0; run < 3; run++) {
        const round = roundOf(randomAccesses(randomOf(SEED, run), { items: 24, count: 60, bytes: 1024, fileBytes }));
        expect((await prepared.run(round)).totals).toEqual(totalsOfReads(round, SEED));
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);

  test.each([1, 3])('writes back what was updated, with %i threads of the host', async (threads) => {
    const name = `updated-${threads}`;
    copyFileSync(join(folder, 'data'), join(folder, name));
    const file = wordsOf(fileBytes);
    const prepared = await system.prepare(job({ threads, file: name, workload: update }));
    try {
      for (let run = 0; run < 3; run++) {
        const { round, expected } = updates(file, run, { items: 24, count: 20, bytes: 1024 });
        expect((await prepared.run(round)).totals).toEqual(expected);
        await prepared.settle();
        expect(Buffer.compare(await readFile(join(folder, name)), bytesOfWords(file))).toBe(0);
      }
    } finally {
      await prepared.close();
    }
  }, 60_000);
});
