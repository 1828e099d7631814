// What a process and the process that a mount of it has to itself say to each other. Messages arrive in the order in which they were sent.
import type { NativeDispatch, NativeDispatchResult, NativeFault, NativeMountConfig, NativeMountDescription } from '../native_binding.ts';

/** Some bytes of one of the buffers of the dispatch that is being sent, or answered. */
export interface Piece {
  kind: 'piece';
  buffer: number;
  at: number;
  bytes: Uint8Array;
}

/** Each is answered once. */
export type Call =
  | { kind: 'mount'; config: NativeMountConfig }
  /** Its buffers came before. */
  | { kind: 'dispatch'; dispatch: Omit<NativeDispatch, 'buffers'> }
  | { kind: 'load'; module: string }
  | { kind: 'sync' }
  | { kind: 'unmount'; discard: boolean };

export type Request =
  | (Call & { call: number })
  /** How long the buffers of the next dispatch are: all zeros, but for the pieces that follow. */
  | { kind: 'buffers'; lengths: number[] }
  | Piece
  | { kind: 'fault'; fault: NativeFault | null };

/** What can be asked for at once, without waiting for the other process: as it was with the last answer. */
export interface MountState {
  description: NativeMountDescription;
  stats: BigUint64Array;
}

export type Answer =
  | Piece
  | { kind: 'done'; call: number; value: NativeDispatchResult | number | undefined; state: MountState | undefined }
  /** The error of the addon. */
  | { kind: 'failed'; call: number; code: string | undefined; message: string; state: MountState | undefined };

/** It says: let go of the mount now, and end. A process that is at its own exit can send signals, and no messages. */
export const LET_GO = 'SIGUSR2';
