// The bytes of one file, in one growing array.
export class ReferenceFile {
  #bytes = new Uint8Array(0);

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
    if (offset + data.length > this.#bytes.length) {
      const longer = new Uint8Array(offset + data.length);
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#bytes.set(data, offset);
    return data.length;
  }

  empty(): void {
    this.#bytes = new Uint8Array(0);
  }
}
