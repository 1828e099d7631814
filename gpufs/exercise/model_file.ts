// What a file must be: plain bytes, and for each byte the operation that wrote it.

/** No file of the exerciser grows beyond this. */
export const FILE_BYTES_MAX = 256 * 1024;
/** Writes that are remembered, to name the one that a wrong byte comes from. */
const HISTORY_MAX = 4000;

/** The byte that an operation writes at an offset: even offsets tell the number of the operation, odd ones it and the place. */
export function byteOf(operation: number, offset: number): number {
  if ((offset & 1) === 0) return operation & 255;
  return (Math.imul(operation ^ (offset << 13), 0x9e3779b1) >>> 24) ^ (operation >>> 8 & 255);
}

export function bytesOf(operation: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = byteOf(operation, offset + i);
  return bytes;
}

/** The same bytes as one element of an array of u32. */
export function elementOf(operation: number, index: number): number {
  const bytes = bytesOf(operation, index * 4, 4);
  return new DataView(bytes.buffer).getUint32(0, true);
}

interface Written {
  operation: number;
  file: ModelFile;
  offset: number;
  bytes: Uint8Array;
}

/** The last writes to all files. */
export class History {
  readonly #written: Written[] = [];
  #next = 0;

  add(written: Written): void {
    this.#written[this.#next] = written;
    this.#next = (this.#next + 1) % HISTORY_MAX;
  }

  /** The operations that wrote this value to this place, the latest first. */
  writersOf(file: ModelFile, offset: number, value: number): number[] {
    return this.#written
      .filter((written) => written.file === file && written.bytes[offset - written.offset] === value)
      .map((written) => written.operation)
      .toSorted((a, b) => b - a);
  }
}

/**
 * A program is written before its results are known. So size and identity go ahead: they are those of the operation that is being written
 * next. The bytes follow, when the results are looked at.
 */
export class ModelFile {
  size: number;
  /** How often it was made shorter: a map of before is stale. */
  shrinks = 0;
  /** The warp that it belongs to between two barriers; undefined: all, or none. */
  owner: number | undefined;
  /** The size that all warps knew at the last barrier. */
  sizeAtBarrier: number;
  readonly bytes = new Uint8Array(FILE_BYTES_MAX);
  readonly writers = new Uint32Array(FILE_BYTES_MAX);

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes.set(bytes);
    this.size = bytes.length;
    this.sizeAtBarrier = bytes.length;
  }

  /** How many of these bytes there are. */
  clip(offset: number, length: number): number {
    return Math.max(0, Math.min(length, this.size - offset));
  }

  store(operation: number, offset: number, bytes: Uint8Array, history: History): void {
    this.bytes.set(bytes, offset);
    this.writers.fill(operation, offset, offset + bytes.length);
    history.add({ operation, file: this, offset, bytes });
  }

  /** What a truncation does to the bytes. */
  clear(operation: number, from: number, to: number): void {
    this.bytes.fill(0, from, to);
    this.writers.fill(operation, from, to);
  }

  snapshot(): Uint8Array {
    return this.bytes.slice(0, this.size);
  }
}
