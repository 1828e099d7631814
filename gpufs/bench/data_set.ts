// Files whose every word is known from its place, so that any read can be checked without keeping a copy.
import { open } from 'node:fs/promises';

/** The word at byte offset o is (o / 4 * WORD_FACTOR + seed) mod 2^32. Kernels that check data use the same line. */
export const WORD_FACTOR = 2654435761;

const CHUNK_BYTES = 1 << 20;

export function wordAt(wordIndex: number, seed: number): number {
  return (Math.imul(wordIndex, WORD_FACTOR) + seed) >>> 0;
}

/** `sizeBytes` must be a multiple of 4. */
export async function makeDataFile(path: string, sizeBytes: number, seed: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let offset = 0; offset < sizeBytes; offset += CHUNK_BYTES) {
      const words = new Uint32Array(Math.min(CHUNK_BYTES, sizeBytes - offset) / 4);
      const first = offset / 4;
      for (let index = 0; index < words.length; index++) words[index] = wordAt(first + index, seed);
      await file.writeFile(new Uint8Array(words.buffer));
    }
  } finally {
    await file.close();
  }
}

/** The first byte offset in the file whose byte in `data` is wrong, or -1. `offsetBytes` and the length are multiples of 4. */
export function firstWrongByte(data: Uint8Array, offsetBytes: number, seed: number): number {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
  const first = offsetBytes / 4;
  for (let index = 0; index < words.length; index++) {
    const wrong = (words[index] as number) ^ wordAt(first + index, seed);
    if (wrong !== 0) return offsetBytes + index * 4 + ((31 - Math.clz32(wrong & -wrong)) >> 3);
  }
  return -1;
}
