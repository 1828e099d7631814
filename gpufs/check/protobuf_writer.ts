// Protocol buffers, as far as a trace needs them: fields one after another into one growing buffer.

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const VARINT_BYTES_MAX = 10;
const LENGTH_BYTES = 4; // of a nested message: always four, so that it can be filled in afterwards
const MESSAGE_BYTES_MAX = 2 ** (7 * LENGTH_BYTES) - 1;

const utf8 = new TextEncoder();

export class ProtobufWriter {
  #buffer = new Uint8Array(65536);
  #end = 0;

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#end);
  }

  /** Whole and not negative. */
  number(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  /** A negative number is ten bytes long, as an int64 of protobuf is. */
  signed(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#reserve(VARINT_BYTES_MAX);
    let left = BigInt.asUintN(64, BigInt(value));
    for (; left > 127n; left >>= 7n) this.#buffer[this.#end++] = Number(left & 127n) | 128;
    this.#buffer[this.#end++] = Number(left);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#reserve(8);
    new DataView(this.#buffer.buffer).setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  text(field: number, value: string): void {
    const bytes = utf8.encode(value);
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  message(field: number, write: () => void): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#reserve(LENGTH_BYTES);
    const start = this.#end;
    this.#end += LENGTH_BYTES;
    write();
    const length = this.#end - start - LENGTH_BYTES;
    if (length > MESSAGE_BYTES_MAX) throw new RangeError(`[warpfs] protobuf_writer: a message of ${length} bytes is longer than ${MESSAGE_BYTES_MAX}`);
    for (let byte = 0; byte < LENGTH_BYTES; byte++) {
      const more = byte + 1 < LENGTH_BYTES ? 128 : 0;
      this.#buffer[start + byte] = ((length >>> (7 * byte)) & 127) | more;
    }
  }

  #tag(field: number, type: number): void {
    this.#varint(field * 8 + type);
  }

  /** By division: a shift would cut the number at 32 bits. */
  #varint(value: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    let left = value;
    for (; left > 127; left = Math.floor(left / 128)) this.#buffer[this.#end++] = (left % 128) | 128;
    this.#buffer[this.#end++] = left;
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#end + bytes));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}
