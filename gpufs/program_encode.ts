// Programs to the buffers of the built-in kernel, and back. In this order:
//   0 ProgramWarp[]   1 ProgramStep[]   2 ProgramResult[]   3 data   4 barrier words
// The data buffer holds paths (with their NUL), bytes to write and room for bytes to read, each region on 16 bytes.
import { ERRNO, OPEN_CREATE, OPEN_EXCLUSIVE, OPEN_TRUNCATE, OPEN_WRITE, ProgramOp, ProgramResult, ProgramStep, ProgramWarp } from '../native/abi/abi.ts';
import { optionError } from './errors.ts';
import { type Offset, type OpenModeName, type Operation, type Program, type ResultsOf, type StepResult } from './program.ts';

/** The first buffers, which the kernel only reads. */
export const PROGRAM_INPUTS = 2;

export interface EncodedPrograms {
  buffers: Uint8Array[];
  results: DataView;
  data: Uint8Array;
  /** Where the bytes of each step lie in `data`, in the order of all steps; -1: the step has none. */
  regions: number[];
}

const BARRIER_WORDS = 64;
const BARRIER_WARPS = 1; // word 0 counts the arrivals, word 1 says how many warps there are
const REGION_ALIGN = 16; // 16 bytes is what one lane moves at once

const opcodes: Record<Operation['op'], number> = {
  open: ProgramOp.OPEN,
  close: ProgramOp.CLOSE,
  read: ProgramOp.READ,
  write: ProgramOp.WRITE,
  fsync: ProgramOp.SYNC,
  stat: ProgramOp.STAT,
  prefetch: ProgramOp.PREFETCH,
  read_async: ProgramOp.READ_ASYNC,
  write_async: ProgramOp.WRITE_ASYNC,
  wait: ProgramOp.WAIT,
  compute: ProgramOp.COMPUTE,
  barrier: ProgramOp.BARRIER,
  poll: ProgramOp.POLL,
  truncate: ProgramOp.TRUNCATE,
  unlink: ProgramOp.UNLINK,
  rename: ProgramOp.RENAME,
  map: ProgramOp.MAP,
  unmap: ProgramOp.UNMAP,
  map_sync: ProgramOp.MAP_SYNC,
  gather: ProgramOp.GATHER,
  scatter: ProgramOp.SCATTER,
  add: ProgramOp.ADD,
};

export const openFlags: Record<OpenModeName, number> = {
  r: 0,
  'r+': OPEN_WRITE,
  'w+': OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE,
  'c+': OPEN_WRITE | OPEN_CREATE,
  'wx+': OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE,
};

const utf8 = new TextEncoder();

/** The programs must have passed checkPrograms. */
export function encodePrograms(programs: readonly Program[]): EncodedPrograms {
  const stepCount = programs.reduce((total, program) => total + program.length, 0);
  const warps = tableOf(programs.length * ProgramWarp.bytes);
  const steps = tableOf(stepCount * ProgramStep.bytes);
  const results = tableOf(stepCount * ProgramResult.bytes);
  const regions: number[] = [];
  const sources: { at: number; bytes: Uint8Array }[] = [];
  let dataBytes = 0;
  let next = 0;

  programs.forEach((program, warp) => {
    warps.setUint32(warp * ProgramWarp.bytes + ProgramWarp.firstStep, next, true);
    warps.setUint32(warp * ProgramWarp.bytes + ProgramWarp.stepCount, program.length, true);
    const opens: number[] = [];
    program.forEach((operation, step) => {
      const at = next++ * ProgramStep.bytes;
      const { source, bytes } = regionOf(operation);
      steps.setUint32(at + ProgramStep.op, opcodes[operation.op], true);
      steps.setUint32(at + ProgramStep.target, targetOf(operation, opens), true);
      steps.setBigUint64(at + ProgramStep.offset, offsetOf(operation), true);
      steps.setBigUint64(at + ProgramStep.data, BigInt(dataBytes), true);
      steps.setUint32(at + ProgramStep.length, lengthOf(operation, source), true);
      steps.setUint32(at + ProgramStep.mode, modeOf(operation), true);
      if (operation.op === 'open') opens.push(step);
      if (source !== undefined) sources.push({ at: dataBytes, bytes: source });
      regions.push(bytes === 0 ? -1 : dataBytes);
      dataBytes += Math.ceil(bytes / REGION_ALIGN) * REGION_ALIGN;
    });
  });

  const data = allocate(dataBytes);
  for (const { at, bytes } of sources) data.set(bytes, at);
  const barriers = new Uint32Array(BARRIER_WORDS);
  barriers[BARRIER_WARPS] = programs.length;
  return { buffers: [bytesOf(warps), bytesOf(steps), bytesOf(results), data, new Uint8Array(barriers.buffer)], results, data, regions };
}

/** The data of a result is a view of the data buffer of the run, not a copy. */
export function decodeResults<const Programs extends readonly Program[]>(programs: Programs, encoded: EncodedPrograms): ResultsOf<Programs> {
  let first = 0;
  const decoded = programs.map((program) => {
    const results = program.map((operation, step) => decodeStep(operation, first + step, encoded));
    program.forEach((operation, step) => {
      if (operation.op === 'wait') deliver(program, results, step, operation.ticket, regionStart(encoded, first + operation.ticket), encoded.data);
    });
    first += program.length;
    return results;
  });
  return decoded as ResultsOf<Programs>;
}

/** `program[2][5]`: the first step that did not end; undefined where all did. */
export function firstUnreached(programs: readonly Program[], { results }: EncodedPrograms): string | undefined {
  let at = 0;
  for (const [warp, program] of programs.entries()) {
    for (const step of program.keys()) {
      if (results.getUint32(at + ProgramResult.done, true) === 0) return `program[${warp}][${step}]`;
      at += ProgramResult.bytes;
    }
  }
  return undefined;
}

function decodeStep(operation: Operation, index: number, { results, data, regions }: EncodedPrograms): StepResult {
  const at = index * ProgramResult.bytes;
  const result = results.getInt32(at + ProgramResult.result, true);
  const decoded: StepResult = { result, nanoseconds: Number(results.getBigUint64(at + ProgramResult.nanoseconds, true)) };
  if (operation.op === 'stat') decoded.sizeBytes = Number(results.getBigUint64(at + ProgramResult.size, true));
  if (operation.op === 'read' || operation.op === 'read_async') {
    // An asynchronous read has its bytes once it was waited for.
    const moved = operation.op === 'read' ? Math.min(result, operation.length) : 0;
    decoded.data = viewOf(data, regions[index] ?? -1, moved);
  }
  if (operation.op === 'map') decoded.data = viewOf(data, regions[index] ?? -1, result);
  if (operation.op === 'gather' || operation.op === 'add') {
    const { length } = operation.indices;
    const at = (regions[index] ?? 0) + length * (operation.op === 'gather' ? 8 : 12);
    // Where single elements lie past the end the others are there.
    const some = result >= 0 || result === -ERRNO.ERANGE.number;
    decoded.values = Uint32Array.from({ length: some ? length : 0 }, (_, element) => readWord(data, at + element * 4));
  }
  return decoded;
}

/** The bytes of an asynchronous read are there once it was waited for: they belong to the wait and to the read alike. */
function deliver(program: Program, results: StepResult[], wait: number, ticket: number, start: number, data: Uint8Array): void {
  const asynchronous = program[ticket];
  const waited = results[wait];
  const started = results[ticket];
  if (asynchronous?.op !== 'read_async' || waited === undefined || started === undefined) return;
  waited.data = viewOf(data, start, Math.min(waited.result, asynchronous.length));
  if (waited.result >= 0) started.data = waited.data;
}

function regionStart(encoded: EncodedPrograms, index: number): number {
  return encoded.regions[index] ?? -1;
}

function viewOf(data: Uint8Array, start: number, length: number): Uint8Array {
  return start < 0 || length <= 0 ? new Uint8Array(0) : data.subarray(start, start + length);
}

/** What a step needs in the data buffer: bytes to take there, or room for bytes to come. */
function regionOf(operation: Operation): { source?: Uint8Array; bytes: number } {
  switch (operation.op) {
    case 'open': {
      const source = utf8.encode(`${operation.path}\0`);
      return { source, bytes: source.length };
    }
    case 'unlink': {
      const source = utf8.encode(`${operation.path}\0`);
      return { source, bytes: source.length };
    }
    case 'rename': {
      const source = utf8.encode(`${operation.path}\0${operation.to}\0`);
      return { source, bytes: source.length };
    }
    case 'write':
    case 'write_async':
      return { source: operation.data, bytes: operation.data.length };
    case 'unmap':
    case 'map_sync':
      return operation.data === undefined ? { bytes: 0 } : { source: operation.data, bytes: operation.data.length };
    case 'read':
    case 'read_async':
    case 'map':
      return { bytes: operation.length };
    case 'gather':
      return { source: elementsOf(operation.indices, []), bytes: operation.indices.length * 12 };
    case 'scatter':
      return { source: elementsOf(operation.indices, operation.values), bytes: operation.indices.length * 12 };
    case 'add':
      return { source: elementsOf(operation.indices, operation.values), bytes: operation.indices.length * 16 };
    default:
      return { bytes: 0 };
  }
}

/** The indices, then the values. */
function elementsOf(indices: readonly Offset[], values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(indices.length * 8 + values.length * 4));
  indices.forEach((index, at) => view.setBigUint64(at * 8, BigInt(index), true));
  values.forEach((value, at) => view.setUint32(indices.length * 8 + at * 4, value, true));
  return bytesOf(view);
}

function readWord(data: Uint8Array, at: number): number {
  return ((data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16) | ((data[at + 3] ?? 0) << 24)) >>> 0;
}

function modeOf(operation: Operation): number {
  if (operation.op === 'open') return openFlags[operation.mode];
  if (operation.op === 'map') return operation.mode === 'r+' ? OPEN_WRITE : 0;
  if (operation.op === 'read') return operation.peek === true ? 1 : 0;
  return (operation.op === 'unmap' || operation.op === 'map_sync') && operation.data !== undefined ? 1 : 0;
}

function lengthOf(operation: Operation, source: Uint8Array | undefined): number {
  if (operation.op === 'open') return (source?.length ?? 1) - 1; // without the NUL
  if ('indices' in operation) return operation.indices.length;
  if (operation.op === 'truncate') return 0;
  if ('length' in operation) return operation.length;
  return source?.length ?? 0;
}

function targetOf(operation: Operation, opens: readonly number[]): number {
  if ('ticket' in operation) return operation.ticket;
  if ('map' in operation) return operation.map;
  return 'file' in operation ? (opens[operation.file] ?? 0) : 0;
}

function offsetOf(operation: Operation): bigint {
  if (operation.op === 'compute') return BigInt(operation.steps);
  if (operation.op === 'truncate') return BigInt(operation.length);
  if (operation.op === 'rename') return BigInt(utf8.encode(operation.path).length + 1);
  return 'offset' in operation ? BigInt(operation.offset) : 0n;
}

function allocate(bytes: number): Uint8Array {
  try {
    return new Uint8Array(Math.max(bytes, REGION_ALIGN));
  } catch {
    throw optionError('programs', bytes, 'bytes to move in one run are more than one buffer can hold; use several runs');
  }
}

function bytesOf(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer);
}

/** Never empty: a buffer without memory has no address. */
function tableOf(bytes: number): DataView {
  return new DataView(new ArrayBuffer(Math.max(bytes, REGION_ALIGN)));
}
