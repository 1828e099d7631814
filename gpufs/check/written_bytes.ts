// Bytes that tell who wrote them, and where.

const WRITER_STRIDE = 37; // has no factor in common with 255: 255 writers have different bytes at each place
const STEPS = 16;

/** Never zero, so that no hole looks like them. `warp` -1: what is in the file at the beginning. */
export function writtenBytes(writer: { warp: number; step: number }, offset: number, length: number): Uint8Array {
  const writerNumber = writer.warp < 0 ? 0 : 1 + writer.warp * STEPS + (writer.step % STEPS);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const at = offset + i;
    bytes[i] = 1 + ((writerNumber * WRITER_STRIDE + at * 11 + (at >>> 8) * 5) % 255);
  }
  return bytes;
}
