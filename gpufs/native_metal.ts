// What the addon says of Metal on this machine: native/host/metal/metal.h.

export interface NativeMetalSight {
  /** Why no mount can be made on it, and what to do; '' where one can. */
  obstacle: string;
  /** Of the GPU; '' where there is none. */
  name: string;
  /** That it may use at once. */
  memoryBytes: number;
}

/** What a self-test of Metal is true for: native/host/metal/self_test.h. */
export interface NativeMetalMachine {
  /** '' where there is none. */
  gpu: string;
  /** Version of macOS. */
  system: string;
  memoryBytes: number;
  bufferBytesMax: number;
  /** As 7 for M1; 0: not of Apple. */
  appleFamily: number;
  paravirtual: boolean;
  /** The cpu device plays Metal. */
  fake: boolean;
}

export type MetalVerdict = 'as expected' | 'not as expected' | 'failed';

export interface NativeMetalProbe {
  name: string;
  question: string;
  /** And what is expected. */
  method: string;
  numbers: Record<string, number>;
  verdict: MetalVerdict | 'running';
  /** What came out, or what went wrong. */
  text: string;
  seconds: number;
}

export interface NativeMetalSelfTest {
  /** Folder of the kernels: one NAME.metal for each probe. */
  texts: string;
  /** Of each question about memory. */
  rounds: number;
  /** Of each question about time. */
  trips: number;
}
