// The bytes of one file, in one growing array.
export class ReferenceFile {
  #bytes = new Uint8Array(0);
  /** How often it was made shorter: what was mapped before is not a part of it any more. */
  shrinks = 0;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = Uint8Array.from(bytes);
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** A copy, so that a later write does not change what was read. */
  read(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(offset, offset + length);
  }

  write(offset: number, data: Uint8Array): number {
    if (data.length === 0) return 0;
    if (offset + data.length > this.size) this.truncate(offset + data.length);
    this.#bytes.set(data, offset);
    return data.length;
  }

  /** New bytes are zeros. */
  truncate(size: number): void {
    if (size < this.size) this.shrinks++;
    const kept = this.#bytes.subarray(0, size);
    this.#bytes = new Uint8Array(size);
    this.#bytes.set(kept);
  }

  /** Changes an element of four bytes: what it was. Undefined where it does not lie in the file as a whole. */
  change(index: number, by: (old: number) => number): number | undefined {
    if ((index + 1) * 4 > this.size) return undefined;
    const view = new DataView(this.#bytes.buffer);
    const old = view.getUint32(index * 4, true);
    view.setUint32(index * 4, by(old) >>> 0, true);
    return old;
  }
}
