import { expect, test } from 'vitest';
import type { Piece } from './messages.ts';
import { emptyBuffers, sendAll, sendOutputs, takePiece } from './pieces.ts';

const MIB = 2 ** 20;
const counted = (length: number, from = 1) => new Uint8Array(length).map((_, at) => (at * 7 + (at >>> 12) + from) & 255);

async function sent(send: (take: (piece: Piece) => Promise<void>) => Promise<void>): Promise<Piece[]> {
  const pieces: Piece[] = [];
  await send(async (piece) => void pieces.push({ ...piece, bytes: piece.bytes.slice() }));
  return pieces;
}

test('buffers arrive whole, and zeros are not sent', async () => {
  const zeros = new Uint8Array(3 * MIB);
  const last = new Uint8Array(2 * MIB + 3);
  last[last.length - 1] = 9;
  const buffers = [counted(2 * MIB + 17), new Uint8Array(0), zeros, last];
  const pieces = await sent((take) => sendAll(buffers, take));
  expect(pieces.map(({ buffer, at }) => [buffer, at / MIB])).toEqual([[0, 0], [0, 1], [0, 2], [3, 2]]);
  const copies = emptyBuffers(buffers.map(({ length }) => length));
  for (const piece of pieces) takePiece(copies, piece);
  buffers.forEach((buffer, index) => expect(Buffer.compare(copies[index] as Uint8Array, buffer)).toBe(0));
  expect(copies.every((copy) => copy.byteOffset === 0)).toBe(true);
});

test('outputs come back with their zeros, inputs do not', async () => {
  const [input, output] = [counted(10), new Uint8Array(MIB + 1)];
  const own = [counted(10, 50), counted(MIB + 1, 60)];
  for (const piece of await sent((take) => sendOutputs([input, output], 1, take))) takePiece(own, piece);
  expect(own).toEqual([counted(10, 50), output]);
});
