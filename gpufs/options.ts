// The options of a mount: defaults, rules and messages. Every message names the option, its value and the rule.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { LINE_BYTES_MAX, LINE_BYTES_MIN, SLOTS_MAX } from '../native/abi/abi.ts';
import { checkNames, type CheckOptions, checkSchema, faultNames, type ResolvedCheckOptions } from './check_options.ts';
import { optionError, WarpfsError } from './errors.ts';
import { checkFault, type FaultOptions, faultOptionNames, faultSchema, type ResolvedFaultOptions } from './fault_options.ts';
import { type MediumName, RAW, titleOf } from './media/media.ts';
import type { MediumProfile } from './media/profile.ts';
import { resolveMedium } from './media/resolve_medium.ts';
import { nearest } from './nearest.ts';
import { group, oneOf, powerOfTwo, truth, valueAt, whole } from './option_rules.ts';

export type DeviceName = 'cpu' | 'cuda' | 'metal';
export type WaitName = 'spin' | 'replay';
export type PolicyName = 'clock' | 'fifo';
/** 'mtlio': Metal reads the files, on the metal device alone, and there with replay. */
export type IoName = 'auto' | 'pread' | 'uring' | 'mtlio';
export type SandboxName = 'auto' | 'required' | 'off';
export type FillName = 'auto' | 'pull' | 'push' | 'map';

export interface MountOptions {
  /** The folder that the gpu side sees; nothing outside it can be reached. */
  root: string;
  /** 'auto' takes the best device that is present; `mount.device` says which, and why the others were not taken. */
  device?: 'auto' | DeviceName;
  /** Which of several GPUs of one kind, as `warpfs doctor` counts them; default: 0. */
  deviceIndex?: number;
  /**
   * How a work item waits: 'spin' stays on the device, 'replay' leaves and is dispatched again. Default: 'spin', on the metal device 'replay', for
   * there spin rests on what Apple does not document, and a wait that goes wrong can stop the machine.
   */
  wait?: WaitName;
  cache?: { lines?: number; lineBytes?: number; policy?: PolicyName };
  /** Default: 4 rings, on the cuda device 8, on the metal device 16. */
  ring?: { count?: number; slots?: number };
  daemon?: { threads?: number; io?: IoName };
  readOnly?: boolean;
  /** Threads of the cpu device; default: one per core. */
  workers?: number;
  maxOpenFiles?: number;
  /** No file grows beyond it through this mount: EFBIG. */
  maxFileBytes?: number;
  /** Bytes in modified lines above which a call writes through to the file before it ends. Default: as much as the cache holds. */
  maxDirtyBytes?: number;
  /** Work items in flight at once. Default: 1024, on a GPU 4096. */
  residentWarps?: number;
  /** How long a wait on the device may last before it ends in ETIMEDOUT. */
  timeoutMs?: number;
  /**
   * How bytes of files get to a GPU: with 'pull' the host reads them and a small kernel fetches them, with 'push' copy engines bring them, there
   * and back, and no warp moves a byte; with 'map' the GPU reads them where they lie in the page cache; 'auto' does that with what lies there
   * already, and pulls the rest. `mount.device.fill` says what came of it.
   */
  fill?: FillName;
  /** Bytes of files that a GPU may read where they lie, at once; default: half of the memory of this machine. */
  windowBytes?: number;
  /** How long one launch on a GPU may take before it is given up, and the mount with it; 0: as long as it likes. */
  kernelTimeMs?: number;
  /** Every access is observed and ordered by a scheduler; a dispatch in which something was wrong rejects with ERR_WARPFS_CHECK. */
  check?: true | CheckOptions;
  /**
   * Whether the threads that serve the files lock themselves in with Landlock and seccomp (Linux): 'auto' takes what this machine has,
   * 'required' refuses to mount with less than both. `mount.device.sandbox` says what applied.
   */
  sandbox?: SandboxName;
  /**
   * What the storage is like: 'raw', the default, answers as soon as the bytes are there; a name (`warpfs media` lists them) or a profile of your
   * own holds each answer back until that medium would have given it. `mount.describe().medium` says how well that went.
   */
  medium?: MediumName | MediumProfile;
  /** For tests: makes a call of the host side fail. */
  faults?: FaultOptions;
}

export interface ResolvedOptions {
  root: string;
  device: 'auto' | DeviceName;
  deviceIndex: number;
  wait: WaitName;
  cache: { lines: number; lineBytes: number; policy: PolicyName };
  ring: { count: number; slots: number };
  daemon: { threads: number; io: IoName };
  readOnly: boolean;
  workers?: number | undefined;
  maxOpenFiles: number;
  maxFileBytes?: number | undefined;
  maxDirtyBytes?: number | undefined;
  residentWarps: number;
  timeoutMs: number;
  fill: FillName;
  windowBytes?: number | undefined;
  kernelTimeMs: number;
  check?: ResolvedCheckOptions | undefined;
  sandbox: SandboxName;
  medium: MediumName | MediumProfile;
  faults?: ResolvedFaultOptions | undefined;
}

interface Defaults {
  wait: WaitName;
  kernelTimeMs: number;
  lines: number;
  maxOpenFiles: number;
  residentWarps: number;
  rings: number;
}

const usual: Defaults = { wait: 'spin', kernelTimeMs: 600_000, lines: 65536, maxOpenFiles: 4096, residentWarps: 1024, rings: 4 };
/** A GPU runs many warps, and each ring has a part of the courier of its own. */
const onCuda: Defaults = { ...usual, residentWarps: SLOTS_MAX, rings: 8 };
/** No launch there is to take more than half a second; and what a round asks for waits in the rings until it has ended. */
const onMetal: Defaults = { ...usual, wait: 'replay', kernelTimeMs: 10_000, residentWarps: SLOTS_MAX, rings: 16 };
/** Check mode looks at every byte of the tables before each schedule, and finds more where little is shared by many. */
const underCheck: Defaults = { ...usual, lines: 64, maxOpenFiles: 64, residentWarps: 8 };

const schemaWith = (defaults: Defaults) => z.strictObject({
  root: z.custom<string>((value) => typeof value === 'string' && value !== '' && !value.includes('\0'), 'is not the path of a folder'),
  device: oneOf('auto', 'cpu', 'cuda', 'metal').default('auto'),
  deviceIndex: whole(0, 1023).default(0),
  wait: oneOf('spin', 'replay').default(defaults.wait),
  cache: group({
    lines: whole(1, 2 ** 30).default(defaults.lines),
    lineBytes: powerOfTwo(LINE_BYTES_MIN, LINE_BYTES_MAX).default(4096),
    policy: oneOf('clock', 'fifo').default('clock'),
  }),
  ring: group({ count: whole(1, 64).default(defaults.rings), slots: powerOfTwo(1, 65536).default(1024) }),
  daemon: group({ threads: whole(1, 64).default(1), io: oneOf('auto', 'pread', 'uring', 'mtlio').default('auto') }),
  readOnly: truth().default(false),
  workers: whole(1, 1024).optional(),
  maxOpenFiles: whole(1, 131071).default(defaults.maxOpenFiles),
  maxFileBytes: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  maxDirtyBytes: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  residentWarps: whole(1, SLOTS_MAX).default(defaults.residentWarps),
  timeoutMs: whole(1, 2 ** 31 - 1).default(30000),
  fill: oneOf('auto', 'pull', 'push', 'map').default('auto'),
  windowBytes: whole(1, Number.MAX_SAFE_INTEGER).optional(),
  kernelTimeMs: whole(0, 2 ** 31 - 1).default(defaults.kernelTimeMs),
  check: checkSchema.optional(),
  sandbox: oneOf('auto', 'required', 'off').default('auto'),
  medium: z.unknown().default(RAW),
  faults: faultSchema.optional(),
});
const usualSchema = schemaWith(usual);
const schemaOf = { auto: usualSchema, cpu: usualSchema, cuda: schemaWith(onCuda), metal: schemaWith(onMetal) };
const schemaOfCheck = schemaWith(underCheck);

const knownNames: Record<string, readonly string[]> = {
  '': Object.keys(usualSchema.shape),
  cache: ['lines', 'lineBytes', 'policy'],
  ring: ['count', 'slots'],
  daemon: ['threads', 'io'],
  check: checkNames,
  'check.faults': faultNames,
  faults: faultOptionNames,
};

/**
 * Fills in the defaults; throws ERR_WARPFS_OPTION for the first rule that is broken. `device`: what the mount is to run on, where that is known;
 * some defaults and rules depend on it.
 */
export function resolveOptions(options: MountOptions, device?: DeviceName): ResolvedOptions {
  if (typeof options !== 'object' || options === null) throw optionError('options', options, 'is not an object with a root');
  const checked = options.check !== undefined;
  const given = options.check === true ? { ...options, check: {} } : options;
  const target = device ?? options.device;
  const parsed = (checked ? schemaOfCheck : (schemaOf[target as DeviceName] ?? usualSchema)).safeParse(given);
  if (!parsed.success) throw explain(given, parsed.error.issues[0] as z.core.$ZodIssue);
  const resolved: ResolvedOptions = { ...parsed.data, root: resolve(parsed.data.root), medium: resolveMedium(parsed.data.medium) };
  if (resolved.faults !== undefined) checkFault(resolved.faults);
  if (checked) checkCheck(resolved);
  if (resolved.medium !== RAW && resolved.fill === 'map') {
    throw optionError('option fill', resolved.fill, 'does not go with a medium: what the GPU reads in place never passes it (auto, pull or push)');
  }
  const other = checked ? 'cpu' : target;
  if (other === 'cpu' || other === 'metal') checkFill(resolved.fill, other);
  if (resolved.daemon.io === 'mtlio') checkMtlio(resolved.wait, other);
  return resolved;
}

/** What does not go with option check. */
function checkCheck(resolved: ResolvedOptions): void {
  resolved.device = cpuForCheck(resolved.device);
  if (resolved.faults !== undefined) throw optionError('option faults', resolved.faults, 'does not go with option check: check.faults are its faults');
  if (resolved.medium !== RAW) throw optionError('option medium', titleOf(resolved.medium), 'does not go with option check: there no time passes');
  if (resolved.sandbox === 'required') throw optionError('option sandbox', resolved.sandbox, 'does not go with option check: there the host has no threads to lock in');
}

function checkFill(fill: FillName, device: DeviceName): void {
  if (fill !== 'auto') throw optionError('option fill', fill, `does not go with the ${device} device: only the cuda device fills lines in more than one way`);
}

/** Who asks for any device is told once it is known which one it is. */
function checkMtlio(wait: WaitName, device: ResolvedOptions['device'] | undefined): void {
  if (device === 'cpu' || device === 'cuda') {
    throw optionError('option daemon.io', 'mtlio', `does not go with the ${device} device: only the metal device has Metal read its files (auto, pread or uring)`);
  }
  if (device === 'metal' && wait === 'spin') {
    throw optionError('option daemon.io', 'mtlio', 'does not go with wait "spin": what Metal reads is sure to be seen by the kernels that begin behind it, and by no other (wait "replay")');
  }
}

function cpuForCheck(device: ResolvedOptions['device']): DeviceName {
  if (device === 'auto' || device === 'cpu') return 'cpu';
  throw optionError('option device', device, 'does not go with option check: only the cpu device can be checked (cpu or auto)');
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
