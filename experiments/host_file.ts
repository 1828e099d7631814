// A file as a program of the host uses it: open, many pieces at once, mapped, forgotten.
import { type FileHandle, open } from 'node:fs/promises';
import { errnoError } from '../gpufs/errors.ts';
import { loadNativeBinding, type MapAdvice } from '../gpufs/native_binding.ts';

export interface Pieces {
  offsets: BigUint64Array;
  lengths: Uint32Array;
  /** Where each lies in the buffer. */
  positions: BigUint64Array;
}

/** Asks the host to forget what it has of the file: the share of it that stays in memory all the same. */
export async function forgetFile(path: string): Promise<number> {
  const file = await HostFile.open(path, true);
  try {
    return file.forget();
  } finally {
    await file.close();
  }
}

export class HostFile {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async open(path: string, writes: boolean): Promise<HostFile> {
    return new HostFile(await open(path, writes ? 'r+' : 'r'));
  }

  /** By so many threads, each its own stretch of the pieces. */
  async transfer(kind: 'read' | 'write', { offsets, lengths, positions }: Pieces, buffer: Uint8Array, threads: number): Promise<void> {
    const { binding } = loadNativeBinding();
    const share = Math.max(1, Math.ceil(offsets.length / threads));
    const parts: Promise<number>[] = [];
    for (let from = 0; from < offsets.length; from += share) {
      const to = from + share;
      parts.push(binding.transferPieces(this.#handle.fd, kind === 'write', offsets.subarray(from, to), lengths.subarray(from, to), positions.subarray(from, to), buffer));
    }
    const failed = (await Promise.all(parts)).find((result) => result < 0);
    if (failed !== undefined) throw errnoError(`${kind} of pieces of a file`, failed);
  }

  map(bytes: number, writes: boolean, advice: MapAdvice): Uint8Array {
    return new Uint8Array(loadNativeBinding().binding.mapFile(this.#handle.fd, bytes, writes, advice));
  }

  /** What was mapped has no bytes any more. */
  unmap(mapping: Uint8Array): void {
    loadNativeBinding().binding.unmapFile(mapping.buffer as ArrayBuffer);
  }

  /** The share of the file that stays in memory although the host was asked to forget it. */
  forget(): number {
    return loadNativeBinding().binding.dropPages(this.#handle.fd);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
