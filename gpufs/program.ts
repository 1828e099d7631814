// Programs: one list of operations per warp, run by the built-in kernel of every device. The types of the surface.

export interface OpenOperation {
  op: 'open';
  path: string;
  mode: OpenModeName;
}

/**
 * 'r' reads; 'r+' reads and writes a file that exists. The others also make the file: 'w+' empties one that exists, 'c+' leaves it as it is,
 * 'wx+' fails with EEXIST. There is no append: see the message that names it.
 */
export type OpenModeName = 'r' | 'r+' | 'w+' | 'c+' | 'wx+';

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
/** `peek`: by looking at the bytes where they lie, if all of them are in one page. */
export interface ReadOperation extends RangeOperation { op: 'read'; peek?: boolean }
export interface WriteOperation extends DataOperation { op: 'write' }
export interface SyncOperation extends FileOperation { op: 'fsync' }
export interface StatOperation extends FileOperation { op: 'stat' }
export interface PrefetchOperation extends RangeOperation { op: 'prefetch' }
export interface ReadAsyncOperation extends RangeOperation { op: 'read_async' }
export interface WriteAsyncOperation extends DataOperation { op: 'write_async' }

/** `ticket` is the index of the read_async or write_async in this warp's list of operations. */
export interface WaitOperation { op: 'wait'; ticket: number }
/** Its result is 1 where nothing that the ticket asked for is on its way any more, so that a wait will hardly wait; else 0. */
export interface PollOperation { op: 'poll'; ticket: number }
/** Makes the file shorter, or longer by a hole. */
export interface TruncateOperation extends FileOperation { op: 'truncate'; length: Offset }
/** The file lives on for those who have it open. */
export interface UnlinkOperation { op: 'unlink'; path: string }
/** A file at `to` is replaced; it lives on for those who have it open. */
export interface RenameOperation { op: 'rename'; path: string; to: string }
/** Pins a part of one line; `data` is what it held at that moment. Its result is how many bytes are mapped. */
export interface MapOperation extends RangeOperation { op: 'map'; mode: 'r' | 'r+' }
/** `map` is the index of the map in this warp's list of operations; `data` is stored into its first bytes before. */
export interface UnmapOperation { op: 'unmap'; map: number; data?: Uint8Array }
/** The mapped bytes are on the disk when it gives 0. */
export interface MapSyncOperation { op: 'map_sync'; map: number; data?: Uint8Array }
/** The file as an array of u32: `values` are the elements at `indices`. Its result is how many there are. */
export interface GatherOperation extends FileOperation { op: 'gather'; indices: readonly Offset[] }
/** Stores elements. Where an index comes twice, one of its values stays. */
export interface ScatterOperation extends FileOperation { op: 'scatter'; indices: readonly Offset[]; values: readonly number[] }
/** Adds to elements, each addition as one step; `values` are the elements as they were before. */
export interface AddOperation extends FileOperation { op: 'add'; indices: readonly Offset[]; values: readonly number[] }
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
  | PollOperation
  | TruncateOperation
  | UnlinkOperation
  | RenameOperation
  | MapOperation
  | UnmapOperation
  | MapSyncOperation
  | GatherOperation
  | ScatterOperation
  | AddOperation
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
  values?: Uint32Array;
}

export interface DataResult extends StepResult {
  /** The bytes that were read: shorter than asked for where the file ends, empty where the step failed. */
  data: Uint8Array;
}

export interface SizeResult extends StepResult {
  sizeBytes: number;
}

export interface ValuesResult extends StepResult {
  /** Empty where the step failed. */
  values: Uint32Array;
}

export type ResultOf<Step> = Step extends { op: 'read' | 'read_async' | 'map' }
  ? DataResult
  : Step extends { op: 'stat' }
    ? SizeResult
    : Step extends { op: 'gather' | 'add' }
      ? ValuesResult
      : StepResult;

/** Of one warp. A mapped type keeps a tuple a tuple only over a type parameter, so each level has its own. */
export type StepResultsOf<Steps extends Program> = { -readonly [Step in keyof Steps]: ResultOf<Steps[Step]> };

/** The results in the shape of the programs: `results[warp][step]`. */
export type ResultsOf<Programs extends readonly Program[]> = { -readonly [Warp in keyof Programs]: StepResultsOf<Programs[Warp]> };
