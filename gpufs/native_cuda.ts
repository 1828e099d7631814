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
