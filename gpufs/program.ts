// Programs: one list of operations per warp, run by the built-in kernel of every device. The types of the surface.

export interface OpenOperation {
  op: 'open';
  path: string;
  /** 'r' reads, 'r+' reads and writes a file that exists, 'w+' reads and writes one that it creates, or empties where it exists. */
  mode: 'r' | 'r+' | 'w+';
}

/** `file` counts the opens of this warp: 0 is its first open, whatever other operations stand between. */
interface FileOperation {
  file: number;
}

/** Offsets beyond 2^53 are given as bigints. */
export type Offset = number | bigint;

interface RangeOperation extends FileOperation {
  offset: Offset;
  length: number;
}

interface DataOperation extends FileOperation {
  offset: Offset;
  data: Uint8Array;
}

export interface CloseOperation extends FileOperation { op: 'close' }
export interface ReadOperation extends RangeOperation { op: 'read' }
export interface WriteOperation extends DataOperation { op: 'write' }
export interface SyncOperation extends FileOperation { op: 'fsync' }
export interface StatOperation extends FileOperation { op: 'stat' }
export interface PrefetchOperation extends RangeOperation { op: 'prefetch' }
export interface ReadAsyncOperation extends RangeOperation { op: 'read_async' }
export interface WriteAsyncOperation extends DataOperation { op: 'write_async' }

/** `ticket` is the index of the read_async or write_async in this warp's list of operations. */
export interface WaitOperation { op: 'wait'; ticket: number }
/** Arithmetic that takes time and touches no file. */
export interface ComputeOperation { op: 'compute'; steps: number }
/** No warp goes on before every warp of the run is here. */
export interface BarrierOperation { op: 'barrier' }

export type Operation =
  | OpenOperation
  | CloseOperation
  | ReadOperation
  | WriteOperation
  | SyncOperation
  | StatOperation
  | PrefetchOperation
  | ReadAsyncOperation
  | WriteAsyncOperation
  | WaitOperation
  | ComputeOperation
  | BarrierOperation;

export type Program = readonly Operation[];

/** Arrivals of all warps at all barriers of one run are counted in one 32-bit word. */
export const ARRIVALS_MAX = 2 ** 32 - 1;
/** A result is a signed 32-bit word, so one step moves at most this many bytes. */
export const STEP_BYTES_MAX = 2 ** 31 - 1;

export interface StepResult {
  /** Bytes, a handle, or 0; a negative errno where it failed. */
  result: number;
  /** Between the start and the end of the step on the device; 0 where the device has no clock. */
  nanoseconds: number;
  data?: Uint8Array;
  sizeBytes?: number;
}

export interface DataResult extends StepResult {
  /** The bytes that were read: shorter than asked for where the file ends, empty where the step failed. */
  data: Uint8Array;
}

export interface SizeResult extends StepResult {
  sizeBytes: number;
}

export type ResultOf<Step> = Step extends { op: 'read' | 'read_async' } ? DataResult : Step extends { op: 'stat' } ? SizeResult : StepResult;

/** Of one warp. A mapped type keeps a tuple a tuple only over a type parameter, so each level has its own. */
export type StepResultsOf<Steps extends Program> = { -readonly [Step in keyof Steps]: ResultOf<Steps[Step]> };

/** The results in the shape of the programs: `results[warp][step]`. */
export type ResultsOf<Programs extends readonly Program[]> = { -readonly [Warp in keyof Programs]: StepResultsOf<Programs[Warp]> };
