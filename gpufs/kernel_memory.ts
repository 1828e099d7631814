// Memory that kernels of one mount share from dispatch to dispatch.
import { open } from 'node:fs/promises';
import { fromNative, optionError, WarpfsError } from './errors.ts';
import { type MapAdvice, mapAdvices, type NativeBinding, type NativeMount } from './native_binding.ts';

/** Where it lies: with the device, or where the host sees it too while a kernel runs. On the cpu device these are the same. */
export const memoryPlaces = ['device', 'host'] as const;
export type MemoryPlace = (typeof memoryPlaces)[number];

export interface MemoryOptions {
  /** Of zeros at first. */
  bytes: number;
  place?: MemoryPlace;
}

/** A file as it lies in the memory of the host, where kernels load from it, and store into it if `writes`. */
export interface FileMemoryOptions {
  /** Path of the file for the host; it need not be in the root of the mount. */
  file: string;
  bytes: number;
  writes: boolean;
  /** What the host is told that it maps the file for; for the driver of a GPU all of it stays in memory. */
  advice?: MapAdvice;
}

const BUFFER_ALIGN = 16;
export const MEMORY_BYTES_MAX = 2 ** 40;

/** What stands for it on the boundary: the bytes themselves where the host sees them, else a few that only name it. */
export interface PlacedMemory {
  array: Uint8Array;
  /** The array is the memory. */
  visible: boolean;
  copy(from: Uint8Array, to: Uint8Array, bytes: number): Promise<void>;
  free(): void;
}

export class KernelMemory {
  readonly bytes: number;
  #placed: PlacedMemory | undefined;

  constructor(bytes: number, placed: PlacedMemory) {
    this.bytes = bytes;
    this.#placed = placed;
  }

  /** The same bytes for the host; undefined where they lie with the device alone, and once they were given back. */
  get view(): Uint8Array | undefined {
    return this.#placed?.visible === true ? this.#placed.array : undefined;
  }

  /** Gives it back; unmounting does so as well. No kernel may be using it, and `view` has no bytes any more. */
  free(): void {
    this.#placed?.free();
    this.#placed = undefined;
  }

  /** Copies its first bytes to another memory of the same mount, beside whatever runs. */
  async copyTo(to: KernelMemory, bytes: number): Promise<void> {
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > Math.min(this.bytes, to.bytes)) {
      throw optionError('copyTo.bytes', bytes, `is not a whole number from 0 to ${Math.min(this.bytes, to.bytes)}, the bytes of the smaller memory`);
    }
    const [own, other] = [this.#mustBeThere('copyTo'), to.#mustBeThere('copyTo')];
    await own.copy(own.array, other.array, bytes);
  }

  /** For a dispatch. */
  passed(where: string): Uint8Array {
    return this.#mustBeThere(where).array;
  }

  #mustBeThere(where: string): PlacedMemory {
    if (this.#placed === undefined) throw new WarpfsError('ERR_WARPFS_OPTION', `${where}: the memory was given back`);
    return this.#placed;
  }
}

/** On a device that uses the memory of the host. */
export async function placeInHost(binding: NativeBinding, options: MemoryOptions | FileMemoryOptions): Promise<PlacedMemory> {
  const { bytes } = options;
  if (!('file' in options)) return { array: hostBytes(bytes), visible: true, copy: copyInHost, free: () => undefined };
  const file = await open(options.file, options.writes ? 'r+' : 'r');
  try {
    const { size } = await file.stat();
    if (size < bytes) throw new WarpfsError('ERR_WARPFS_OPTION', `memory.bytes: ${options.file} has ${size} bytes, fewer than ${bytes}`);
    const buffer = binding.mapFile(file.fd, bytes, options.writes, options.advice ?? 'normal');
    return { array: new Uint8Array(buffer), visible: true, copy: copyInHost, free: () => binding.unmapFile(buffer) };
  } finally {
    await file.close();
  }
}

/** On a device that has memory of its own. */
export async function placeOnDevice(native: NativeMount, options: MemoryOptions | FileMemoryOptions): Promise<PlacedMemory> {
  if (native.placeMemory === undefined) {
    throw new WarpfsError('ERR_WARPFS_DEVICE', 'memory: this mount is in a process of its own, and kernels there share no memory with this one');
  }
  const file = 'file' in options;
  const { buffer, visible } = await native.placeMemory({
    bytes: options.bytes, host: !file && options.place === 'host', file: file ? options.file : '', writes: file && options.writes,
  });
  const copy = async (from: Uint8Array, to: Uint8Array, bytes: number): Promise<void> => {
    try {
      await native.copyMemory?.(from.buffer as ArrayBuffer, to.buffer as ArrayBuffer, bytes);
    } catch (error) {
      throw fromNative('copyTo', error);
    }
  };
  return { array: new Uint8Array(buffer), visible, copy, free: () => void native.freeMemory?.(buffer).catch(() => undefined) };
}

async function copyInHost(from: Uint8Array, to: Uint8Array, bytes: number): Promise<void> {
  to.set(from.subarray(0, bytes));
}

/** Where a kernel moves 16 bytes at once, and words of two threads lie apart. */
function hostBytes(bytes: number): Uint8Array {
  const buffer = new ArrayBuffer(Math.ceil(bytes / BUFFER_ALIGN) * BUFFER_ALIGN);
  return new Uint8Array(buffer);
}

export function checkMemory(options: MemoryOptions | FileMemoryOptions): void {
  if (typeof options !== 'object' || options === null) throw optionError('memory', options, 'is not an object of options');
  const { bytes } = options;
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > MEMORY_BYTES_MAX) throw optionError('memory.bytes', bytes, `is not a whole number from 1 to ${MEMORY_BYTES_MAX}`);
  if ('file' in options) {
    if (typeof options.file !== 'string') throw optionError('memory.file', options.file, 'is not the path of a file');
    if (typeof options.writes !== 'boolean') throw optionError('memory.writes', options.writes, 'is not true or false');
    if (options.advice !== undefined && !mapAdvices.includes(options.advice)) throw optionError('memory.advice', options.advice, `is not one of ${mapAdvices.join(', ')}`);
  } else if (options.place !== undefined && !memoryPlaces.includes(options.place)) {
    throw optionError('memory.place', options.place, `is not one of ${memoryPlaces.join(', ')}`);
  }
}
