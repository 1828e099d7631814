// What a user says about a kernel: its types, and the rules for its names.
import { optionError, WarpfsError } from './errors.ts';
import type { KernelMemory } from './kernel_memory.ts';

export const inputTypes = ['string', 'bytes', 'u32', 'i32', 'f32', 'u64', 'u8[]', 'u32[]', 'i32[]', 'f32[]', 'u64[]', 'memory'] as const;
export const outputTypes = ['u8[]', 'u32[]', 'i32[]', 'f32[]', 'u64[]'] as const;
export type InputType = (typeof inputTypes)[number];
export type OutputType = (typeof outputTypes)[number];

export type InputTypes = Readonly<Record<string, InputType>>;
export type OutputTypes = Readonly<Record<string, OutputType>>;

interface ValueOf {
  string: string;
  bytes: Uint8Array;
  u32: number;
  i32: number;
  f32: number;
  u64: number | bigint;
  'u8[]': Uint8Array;
  'u32[]': Uint32Array;
  'i32[]': Int32Array;
  'f32[]': Float32Array;
  'u64[]': BigUint64Array;
  /** The kernel sees bytes that it may write, and that stay as they are from dispatch to dispatch. */
  memory: KernelMemory;
}

export type InputValues<Inputs extends InputTypes> = { [Name in keyof Inputs]: ValueOf[Inputs[Name]] };
/** How many elements each output has. */
export type OutputCounts<Outputs extends OutputTypes> = { [Name in keyof Outputs]: number };
export type OutputArrays<Outputs extends OutputTypes> = { [Name in keyof Outputs]: ValueOf[Outputs[Name]] };

export interface KernelDefinition<Inputs extends InputTypes = InputTypes, Outputs extends OutputTypes = OutputTypes> {
  /** An identifier; compile errors are reported under it. */
  name: string;
  inputs?: Inputs;
  outputs?: Outputs;
  /** The body of one work item, which is one warp. It sees `fs`, `item`, `lane`, and its inputs and outputs by name. */
  source: string;
  /** Stands before the kernel, at the scope of the file: functions and types of its own, or an `#include` of one of the headers of the package. */
  prelude?: string;
  /** Warps that share memory and meet at `group_barrier(lane)`; consecutive items make a group. Default 1. */
  groupWarps?: number;
  /** Arrays that the warps of a group share, as `u32[64]`; zero when the group starts. */
  shared?: Readonly<Record<string, string>>;
  /** false: an item has effects that must not happen twice, so a mount with `wait: 'replay'` refuses the kernel. */
  replay?: boolean;
}

export interface SharedArray {
  name: string;
  type: 'u8' | 'u32' | 'i32' | 'f32';
  count: number;
  offsetBytes: number;
}

export const GROUP_WARPS_MAX = 32;
const GROUP_MEMORY_MAX = 32768; // what every Metal and CUDA device has for one group

const reservedWords = new Set(
  (
    'fs item lane own report warpfs ' +
    'alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl concept const consteval ' +
    'constexpr constinit const_cast continue co_await co_return co_yield decltype default delete do double dynamic_cast else enum explicit export ' +
    'extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected ' +
    'public register reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template this ' +
    'thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor xor_eq ' +
    'main uint ulong uchar half device constant thread threadgroup kernel vertex fragment'
  ).split(' '),
);

/** Throws ERR_WARPFS_OPTION for the first rule that the definition breaks; gives the layout of the shared arrays. */
export function checkDefinition(definition: KernelDefinition): { shared: SharedArray[]; groupMemoryBytes: number } {
  checkName('kernel.name', definition.name);
  const where = `kernel ${definition.name}`;
  if (typeof definition.source !== 'string') throw optionError(`${where}.source`, definition.source, 'is not the text of a kernel body');
  if (definition.prelude !== undefined && typeof definition.prelude !== 'string') throw optionError(`${where}.prelude`, definition.prelude, 'is not a text');
  const taken = new Set<string>();
  checkNames(`${where}.inputs`, definition.inputs ?? {}, inputTypes, taken);
  checkNames(`${where}.outputs`, definition.outputs ?? {}, outputTypes, taken);
  const group = definition.groupWarps ?? 1;
  if (!Number.isInteger(group) || group < 1 || group > GROUP_WARPS_MAX) {
    throw optionError(`${where}.groupWarps`, group, `is not a whole number from 1 to ${GROUP_WARPS_MAX}`);
  }
  return layOutShared(`${where}.shared`, definition.shared ?? {}, taken);
}

function checkNames(where: string, types: Readonly<Record<string, string>>, known: readonly string[], taken: Set<string>): void {
  for (const [name, type] of Object.entries(types)) {
    takeName(where, name, taken);
    if (!known.includes(type)) throw optionError(`${where}.${name}`, type, `is not one of ${known.join(', ')}`);
  }
}

function layOutShared(where: string, arrays: Readonly<Record<string, string>>, taken: Set<string>): { shared: SharedArray[]; groupMemoryBytes: number } {
  const shared: SharedArray[] = [];
  let groupMemoryBytes = 0;
  for (const [name, text] of Object.entries(arrays)) {
    takeName(where, name, taken);
    const match = /^(u8|u32|i32|f32)\[([1-9]\d{0,5})\]$/.exec(text);
    if (match === null) throw optionError(`${where}.${name}`, text, 'is not an array like u32[64] of u8, u32, i32 or f32');
    const type = match[1] as SharedArray['type'];
    const count = Number(match[2]);
    shared.push({ name, type, count, offsetBytes: groupMemoryBytes });
    groupMemoryBytes += Math.ceil((count * (type === 'u8' ? 1 : 4)) / 16) * 16;
  }
  if (groupMemoryBytes > GROUP_MEMORY_MAX) {
    throw optionError(where, groupMemoryBytes, `bytes are more than the ${GROUP_MEMORY_MAX} that a group has on every device`);
  }
  return { shared, groupMemoryBytes };
}

function takeName(where: string, name: string, taken: Set<string>): void {
  checkName(where, name);
  if (taken.has(name)) throw new WarpfsError('ERR_WARPFS_OPTION', `${where}: the name ${name} is used twice`);
  taken.add(name);
}

function checkName(where: string, name: unknown): void {
  if (typeof name !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) {
    throw optionError(where, name, 'is not an identifier: a letter or _, then letters, digits and _, 64 at most');
  }
  if (reservedWords.has(name) || name.startsWith('WARPFS_') || name.includes('__')) {
    throw optionError(where, name, 'is a reserved name');
  }
}
