// What the addon says of NVIDIA's GPUs on this machine, and how it compiles for them: native/host/node/cuda_binding.cpp.

export interface NativeCudaFinding {
  /** The library is there. */
  found: boolean;
  path?: string;
  /** Of CUDA, as '13.0'. */
  version?: string;
  /** Why it cannot be used, and what to do; '' where it can. */
  reason: string;
}

export interface NativeCudaDevice {
  index: number;
  name: string;
  computeMajor: number;
  computeMinor: number;
  multiprocessors: number;
  memoryBytes: number;
}

export interface NativeCudaProbe {
  driver: NativeCudaFinding;
  devices: NativeCudaDevice[];
  nvrtc: NativeCudaFinding;
}

export interface NvrtcRequest {
  text: string;
  /** What the log calls the text. */
  name: string;
  options: string[];
}

export interface NvrtcResult {
  ok: boolean;
  log: string;
  /** Where it is ok. */
  cubin?: Uint8Array;
}

/** One measurement: native/host/cuda/yardstick.h. */
export interface NativeYardstickRequest {
  /** A kernel of native/shaders/bench/yardsticks_cuda.h, or copy, ring, pread. */
  what: string;
  place: 'pinned' | 'device' | 'file';
  /** Of the file; '' where there is none. */
  path: string;
  bytes: number;
  pieceBytes: number;
  /** Pieces, round trips or reads. */
  count: number;
  /** 0: as many as fit. */
  blocks: number;
  /** Of a block; of pread: threads of the host. */
  threads: number;
  seed: number;
  start: number;
}

export interface NativeYardstickResult {
  /** Ring: the median of its round trips. */
  nanoseconds: number;
  /** At least so many. */
  wrongWords: number;
  pieces: number;
  blocks: number;
}

export interface NativeYardstick {
  /** One after the other, beside Node's thread. */
  measure(request: NativeYardstickRequest): Promise<NativeYardstickResult>;
  close(): void;
}
