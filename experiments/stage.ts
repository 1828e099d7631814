// A buffer of a design in which the host moves everything: where the host reads to and writes from, and where a kernel works on it. On the cpu
// device that is one memory. On a GPU a copy engine carries bytes between the two, beside kernels.
import type { KernelMemory } from '../gpufs/kernel_memory.ts';
import type { Mount } from '../gpufs/mount.ts';

export class Stage {
  readonly #fs: Mount;
  #host: KernelMemory | undefined;
  #device: KernelMemory | undefined;

  constructor(fs: Mount) {
    this.#fs = fs;
  }

  /** At least so many bytes; what was in it before may be lost. */
  async ofHost(bytes: number): Promise<Uint8Array> {
    if (this.#host === undefined || this.#host.bytes < bytes) {
      this.#host?.free();
      this.#device?.free();
      this.#host = await this.#fs.memory({ bytes: Math.max(bytes, 16), place: 'host' });
      this.#device = this.#fs.device.name === 'cpu' ? undefined : await this.#fs.memory({ bytes: Math.max(bytes, 16) });
    }
    return (this.#host.view as Uint8Array).subarray(0, bytes);
  }

  ofDevice(): KernelMemory {
    return this.#device ?? (this.#host as KernelMemory);
  }

  async toDevice(bytes: number): Promise<void> {
    if (this.#device !== undefined) await this.#host?.copyTo(this.#device, bytes);
  }

  async toHost(bytes: number): Promise<void> {
    if (this.#host !== undefined) await this.#device?.copyTo(this.#host, bytes);
  }
}
