// Buffers of a dispatch on their way from one process to another: in pieces, so that only a few are in memory twice.
import type { Piece } from './messages.ts';

const PIECE_BYTES = 1 << 20;
const zeros = new Uint8Array(PIECE_BYTES);

export type SendPiece = (piece: Piece) => Promise<void>;

/** Buffers of a dispatch that arrive piece by piece. Each is an allocation of its own, so it lies where the shader can move 16 bytes at once. */
export function emptyBuffers(lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length) => new Uint8Array(length));
}

/** Into buffers that are all zeros: pieces of zeros, as most of an output is before the kernel runs, stay here. */
export async function sendAll(buffers: readonly Uint8Array[], send: SendPiece): Promise<void> {
  for (const piece of piecesOf(buffers, 0)) {
    if (Buffer.compare(piece.bytes, zeros.subarray(0, piece.bytes.length)) !== 0) await send(piece);
  }
}

/** Back into the buffers that they came from; the first `inputs` of them were only read. */
export async function sendOutputs(buffers: readonly Uint8Array[], inputs: number, send: SendPiece): Promise<void> {
  for (const piece of piecesOf(buffers, inputs)) await send(piece);
}

export function takePiece(buffers: readonly Uint8Array[], { buffer, at, bytes }: Piece): void {
  buffers[buffer]?.set(bytes, at);
}

function* piecesOf(buffers: readonly Uint8Array[], from: number): Generator<Piece> {
  for (let buffer = from; buffer < buffers.length; buffer++) {
    const whole = buffers[buffer] as Uint8Array;
    for (let at = 0; at < whole.length; at += PIECE_BYTES) yield { kind: 'piece', buffer, at, bytes: whole.subarray(at, at + PIECE_BYTES) };
  }
}
