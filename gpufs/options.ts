// The options of a mount: defaults, rules and messages. Every message names the option, its value and the rule.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { LINE_BYTES_MAX, LINE_BYTES_MIN } from '../native/abi/abi.ts';
import { optionError, WarpfsError } from './errors.ts';
import { nearest } from './nearest.ts';

export type DeviceName = 'cpu' | 'cuda' | 'metal';
export type WaitName = 'spin' | 'replay';
export type PolicyName = 'clock' | 'fifo';
export type IoName = 'auto' | 'pread' | 'uring';

export interface MountOptions {
  /** The folder that the gpu side sees; nothing outside it can be reached. */
  root: string;
  /** 'auto' takes the best device that is present; `mount.device` says which, and why the others were not taken. */
  device?: 'auto' | DeviceName;
  /** How a work item waits: 'spin' stays on the device, 'replay' leaves and is dispatched again. */
  wait?: WaitName;
  cache?: { lines?: number; lineBytes?: number; policy?: PolicyName };
  ring?: { count?: number; slots?: number };
  daemon?: { threads?: number; io?: IoName };
  readOnly?: boolean;
  /** Threads of the cpu device; default: one per core. */
  workers?: number;
  maxOpenFiles?: number;
  /** Work items in flight at once. */
  residentWarps?: number;
  /** How long a wait on the device may last before it ends in ETIMEDOUT. */
  timeoutMs?: number;
}

export interface ResolvedOptions {
  root: string;
  device: 'auto' | DeviceName;
  wait: WaitName;
  cache: { lines: number; lineBytes: number; policy: PolicyName };
  ring: { count: number; slots: number };
  daemon: { threads: number; io: IoName };
  readOnly: boolean;
  workers?: number | undefined;
  maxOpenFiles: number;
  residentWarps: number;
  timeoutMs: number;
}

const schema = z.strictObject({
  root: z.custom<string>((value) => typeof value === 'string' && value !== '' && !value.includes('\0'), 'is not the path of a folder'),
  device: oneOf('auto', 'cpu', 'cuda', 'metal').default('auto'),
  wait: oneOf('spin', 'replay').default('spin'),
  cache: group({
    lines: whole(1, 2 ** 30).default(65536),
    lineBytes: powerOfTwo(LINE_BYTES_MIN, LINE_BYTES_MAX).default(4096),
    policy: oneOf('clock', 'fifo').default('clock'),
  }),
  ring: group({ count: whole(1, 64).default(4), slots: powerOfTwo(1, 65536).default(1024) }),
  daemon: group({ threads: whole(1, 64).default(1), io: oneOf('auto', 'pread', 'uring').default('auto') }),
  readOnly: z.custom<boolean>((value) => typeof value === 'boolean', 'is not true or false').default(false),
  workers: whole(1, 1024).optional(),
  maxOpenFiles: whole(1, 131071).default(4096),
  residentWarps: whole(1, 8192).default(1024),
  timeoutMs: whole(1, 2 ** 31 - 1).default(30000),
});

const knownNames: Record<string, readonly string[]> = {
  '': Object.keys(schema.shape),
  cache: ['lines', 'lineBytes', 'policy'],
  ring: ['count', 'slots'],
  daemon: ['threads', 'io'],
};

/** Fills in the defaults; throws ERR_WARPFS_OPTION for the first rule that is broken. */
export function resolveOptions(options: MountOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw optionError('options', options, 'is not an object with a root');
  const parsed = schema.safeParse(options);
  if (parsed.success) return { ...parsed.data, root: resolve(parsed.data.root) };
  throw explain(options, parsed.error.issues[0] as z.core.$ZodIssue);
}

/** The addon checks too; this check only gives the clearer message. */
export function checkRoot(root: string): void {
  const entry = statSync(root, { throwIfNoEntry: false });
  if (entry === undefined) throw new WarpfsError('ENOENT', `option root: the folder ${root} does not exist`);
  if (!entry.isDirectory()) throw new WarpfsError('ENOTDIR', `option root: ${root} is not a folder`);
}

function explain(options: object, issue: z.core.$ZodIssue): WarpfsError {
  if (issue.code !== 'unrecognized_keys') {
    return optionError(`option ${issue.path.join('.')}`, valueAt(options, issue.path), issue.message);
  }
  const group = issue.path.join('.');
  const name = issue.keys[0] ?? '';
  const known = knownNames[group] ?? [];
  const prefix = group === '' ? '' : `${group}.`;
  const guess = nearest(name, known);
  const hint = guess === undefined ? `known: ${known.join(', ')}` : `did you mean ${prefix}${guess}?`;
  return new WarpfsError('ERR_WARPFS_OPTION', `option ${prefix}${name} does not exist; ${hint}`);
}

function valueAt(options: object, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], options);
}

function whole(min: number, max: number): z.ZodCustom<number, number> {
  return z.custom<number>(
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
    `is not a whole number from ${min} to ${max}`,
  );
}

function powerOfTwo(min: number, max: number): z.ZodCustom<number, number> {
  return z.custom<number>((value) => {
    const number = value as number;
    return Number.isInteger(number) && number >= min && number <= max && (number & (number - 1)) === 0;
  }, `is not a power of two from ${min} to ${max}`);
}

function oneOf<const Names extends readonly string[]>(...names: Names): z.ZodCustom<Names[number], Names[number]> {
  return z.custom<Names[number]>((value) => names.includes(value as string), `is not one of ${names.join(', ')}`);
}

function group<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? 'is not an object of options' : undefined) }).prefault({} as never);
}
