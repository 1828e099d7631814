// What a file may hold after calls that failed: the bytes that were acknowledged for sure, and where a failed call may have left some of
// its bytes, either the old ones or the new.
export class DoubtfulFile {
  /** What is there if no failed call did anything. */
  bytes: Uint8Array;
  /** What else a byte may be. */
  readonly #others = new Map<number, Set<number>>();
  /** A failed call may have made the file longer. */
  #bytesMax: number;
  /** False once a call that empties or makes the file has failed. */
  exists: boolean | 'maybe';
  /** A failed call may have emptied it. */
  #maybeEmpty = false;

  constructor(bytes?: Uint8Array) {
    this.bytes = bytes ?? new Uint8Array(0);
    this.#bytesMax = this.bytes.length;
    this.exists = bytes !== undefined;
  }

  get maybeEmpty(): boolean {
    return this.#maybeEmpty;
  }

  /** The bytes of a write that said how many it took. */
  write(offset: number, data: Uint8Array): void {
    if (data.length === 0) return;
    const end = offset + data.length;
    if (end > this.bytes.length) {
      const longer = new Uint8Array(end);
      longer.set(this.bytes);
      // What a failed call wrote behind the end is there now, or it is not.
      this.bytes = longer;
    }
    this.bytes.set(data, offset);
    for (let at = offset; at < end; at++) this.#others.delete(at);
    this.#bytesMax = Math.max(this.#bytesMax, end);
  }

  /** The bytes of a write that failed. */
  mayHaveWritten(offset: number, data: Uint8Array): void {
    for (const [index, byte] of data.entries()) {
      const others = this.#others.get(offset + index) ?? new Set();
      this.#others.set(offset + index, others.add(byte));
    }
    this.#bytesMax = Math.max(this.#bytesMax, offset + data.length);
  }

  empty(): void {
    this.bytes = new Uint8Array(0);
    this.#others.clear();
    this.#bytesMax = 0;
    this.#maybeEmpty = false;
    this.exists = true;
  }

  mayHaveBeenEmptied(): void {
    if (this.exists !== true) this.exists = 'maybe';
    this.#maybeEmpty = true;
  }

  /** `undefined` if these can be the bytes from `offset` on, of a read that asked for `length`; else what is wrong. */
  refuses(got: Uint8Array, offset = 0, length = Infinity): string | undefined {
    const end = offset + got.length;
    const clip = (size: number): number => Math.max(0, Math.min(length, size - offset));
    if (got.length === 0 && (this.#maybeEmpty || this.exists !== true)) return undefined;
    if (got.length < clip(this.bytes.length) || got.length > clip(this.#bytesMax)) {
      return `${got.length} bytes from ${offset}, of a file of ${this.bytes.length} to ${this.#bytesMax}`;
    }
    for (let at = offset; at < end; at++) {
      const byte = got[at - offset] as number;
      if (byte !== (this.bytes[at] ?? 0) && this.#others.get(at)?.has(byte) !== true) {
        return `byte ${at} is ${byte}, wanted ${this.bytes[at] ?? 0}${this.#others.has(at) ? ' or what a failed write left' : ''}`;
      }
    }
    return undefined;
  }
}
