// The values of one dispatch as the buffers of its kernel: the inputs in their order, then the outputs.
import { optionError, WarpfsError } from './errors.ts';
import type { InputType, KernelDefinition, OutputType } from './kernel_definition.ts';
import { KernelMemory } from './kernel_memory.ts';
import { nearest } from './nearest.ts';

type TypedArray = Uint8Array | Uint32Array | Int32Array | Float32Array | BigUint64Array;

const arrayTypes = {
  bytes: Uint8Array,
  'u8[]': Uint8Array,
  'u32[]': Uint32Array,
  'i32[]': Int32Array,
  'f32[]': Float32Array,
  'u64[]': BigUint64Array,
} as const;

const BUFFER_ALIGN = 16; // the shader moves 16 bytes at once
const BUFFER_BYTES_MAX = 2 ** 32;

export interface DispatchBuffers {
  buffers: Uint8Array[];
  /** Indices of those that stand for memory that lasts. */
  memories: number[];
  outputs: Record<string, TypedArray>;
}

export function makeBuffers(
  definition: KernelDefinition,
  inputs: Readonly<Record<string, unknown>>,
  counts: Readonly<Record<string, unknown>>,
): DispatchBuffers {
  const where = `kernel ${definition.name}`;
  const inputTypes = definition.inputs ?? {};
  const outputTypes = definition.outputs ?? {};
  checkKeys(`${where}.inputs`, inputs, inputTypes);
  checkKeys(`${where}.outputs`, counts, outputTypes);
  const buffers = Object.entries(inputTypes).map(([name, type]) => inputBuffer(`${where}.inputs.${name}`, type, inputs[name]));
  const memories = Object.values(inputTypes).flatMap((type, index) => (type === 'memory' ? [index] : []));
  const outputs: Record<string, TypedArray> = {};
  for (const [name, type] of Object.entries(outputTypes)) {
    const { array, bytes } = outputBuffer(`${where}.outputs.${name}`, type, counts[name]);
    outputs[name] = array;
    buffers.push(bytes);
  }
  return { buffers, memories, outputs };
}

function checkKeys(where: string, given: Readonly<Record<string, unknown>>, types: Readonly<Record<string, string>>): void {
  if (typeof given !== 'object' || given === null) throw optionError(where, given, 'is not an object of values');
  const known = Object.keys(types);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(types, name)) continue;
    const guess = nearest(name, known);
    const hint = guess === undefined ? `known: ${known.join(', ') || 'none'}` : `did you mean ${guess}?`;
    throw new WarpfsError('ERR_WARPFS_OPTION', `${where}.${name} does not exist; ${hint}`);
  }
}

function inputBuffer(where: string, type: InputType, value: unknown): Uint8Array {
  if (type === 'string') {
    if (typeof value !== 'string' || value.includes('\0')) throw optionError(where, value, 'is not a string without NUL');
    return aligned(new TextEncoder().encode(`${value}\0`));
  }
  if (type === 'memory') {
    if (!(value instanceof KernelMemory)) throw optionError(where, value, 'is not what memory() of a mount gave');
    return value.passed(where);
  }
  if (type in arrayTypes) {
    const expected = arrayTypes[type as keyof typeof arrayTypes];
    if (!(value instanceof expected)) throw optionError(where, value, `is not a ${expected.name}`);
    return aligned(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  return scalarBuffer(where, type, value);
}

function scalarBuffer(where: string, type: InputType, value: unknown): Uint8Array {
  const bytes = new Uint8Array(BUFFER_ALIGN);
  const view = new DataView(bytes.buffer);
  if (type === 'f32') {
    if (typeof value !== 'number') throw optionError(where, value, 'is not a number');
    view.setFloat32(0, value, true);
  } else if (type === 'i32') {
    view.setInt32(0, integer(where, value, -(2 ** 31), 2 ** 31 - 1), true);
  } else if (type === 'u32') {
    view.setUint32(0, integer(where, value, 0, 2 ** 32 - 1), true);
  } else {
    view.setBigUint64(0, wide(where, value), true);
  }
  return bytes;
}

function integer(where: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw optionError(where, value, `is not a whole number from ${min} to ${max}`);
}

function wide(where: string, value: unknown): bigint {
  if (typeof value === 'bigint' && value >= 0n && value < 2n ** 64n) return value;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return BigInt(value as number);
  throw optionError(where, value, 'is not a whole number from 0 to 2^53 - 1, or a bigint from 0 to 2^64 - 1');
}

function outputBuffer(where: string, type: OutputType, count: unknown): { array: TypedArray; bytes: Uint8Array } {
  const make = arrayTypes[type];
  const most = BUFFER_BYTES_MAX / make.BYTES_PER_ELEMENT;
  if (!Number.isInteger(count) || (count as number) < 0 || (count as number) > most) {
    throw optionError(where, count, `is not a count of elements from 0 to ${most}`);
  }
  const byteLength = (count as number) * make.BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer(Math.max(byteLength, BUFFER_ALIGN)); // never empty: an empty buffer has no address
  return { array: new make(buffer, 0, count as number), bytes: new Uint8Array(buffer) };
}

/** An input is passed as it lies in memory; only one at an odd place, or without an address, is copied. */
function aligned(bytes: Uint8Array): Uint8Array {
  if (bytes.byteOffset % BUFFER_ALIGN === 0 && bytes.length > 0) return bytes;
  const copy = new Uint8Array(Math.max(bytes.length, BUFFER_ALIGN));
  copy.set(bytes);
  return copy;
}
