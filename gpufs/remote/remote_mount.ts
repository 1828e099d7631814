// A mount in a process of its own, with the face of one in this process.
import type { NativeDispatch, NativeDispatchResult, NativeFault, NativeMount, NativeMountConfig, NativeMountDescription } from '../native_binding.ts';
import type { MountState } from './messages.ts';
import { MountProcess } from './mount_process.ts';
import { sendAll, takePiece } from './pieces.ts';

/** `why` is for whoever asks the mount to describe itself. */
export async function mountInOwnProcess(config: NativeMountConfig, why: string): Promise<NativeMount> {
  const child = new MountProcess();
  try {
    await child.call({ kind: 'mount', config });
  } catch (error) {
    await child.end();
    throw error;
  }
  return new RemoteMount(child, why);
}

class RemoteMount implements NativeMount {
  readonly #process: MountProcess;
  readonly #why: string;

  constructor(child: MountProcess, why: string) {
    this.#process = child;
    this.#why = why;
  }

  /** One at a time, as a mount makes them: the buffers of two would mix. */
  async dispatch({ buffers, ...dispatch }: NativeDispatch): Promise<NativeDispatchResult> {
    this.#process.onPiece = (piece) => takePiece(buffers, piece);
    await this.#process.send({ kind: 'buffers', lengths: buffers.map((buffer) => buffer.byteLength) });
    await sendAll(buffers, (piece) => this.#process.send(piece));
    return (await this.#process.call({ kind: 'dispatch', dispatch })) as NativeDispatchResult;
  }

  async load(module: string): Promise<void> {
    await this.#process.call({ kind: 'load', module });
  }

  async sync(): Promise<number> {
    return (await this.#process.call({ kind: 'sync' })) as number;
  }

  async unmount(discard: boolean): Promise<number> {
    try {
      const result = (await this.#process.call({ kind: 'unmount', discard })) as number;
      if (result === 0 || discard) await this.#process.end();
      return result;
    } catch (error) {
      if (discard) await this.#process.end();
      throw error;
    }
  }

  stats(): BigUint64Array {
    return this.#state.stats;
  }

  describe(): NativeMountDescription {
    return { ...this.#state.description, process: `a process of its own (${this.#process.pid}): ${this.#why}` };
  }

  setFault(fault: NativeFault | null): void {
    void this.#process.send({ kind: 'fault', fault });
  }

  get #state(): MountState {
    return this.#process.state as MountState; // it came with the answer that there is a mount
  }
}
