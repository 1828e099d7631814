// The one error class, and the one vocabulary of codes: errno names, plus what only the surface can get wrong.
import { ERRNO, type ErrnoName } from '../native/abi/abi.ts';
import type { NativeFinding } from './native_check.ts';

const surfaceCodes = [
  'ERR_WARPFS_OPTION', // an argument breaks a rule; the message names it, its value and the rule
  'ERR_WARPFS_COMPILE', // a kernel does not compile, or there is no compiler
  'ERR_WARPFS_DISPATCH', // work items failed
  'ERR_WARPFS_NO_NATIVE', // the native addon is missing, or belongs to another version
  'ERR_WARPFS_UNMOUNTED', // a call after unmount
  'ERR_WARPFS_RESIDENT', // work items wait for each other, and they do not all fit on the device
  'ERR_WARPFS_DEVICE', // the device is not there
  'ERR_WARPFS_CHECK', // check mode saw something wrong; the message is the report
] as const;

export type WarpfsErrorCode = ErrnoName | (typeof surfaceCodes)[number];

export interface ItemFailure {
  item: number;
  /** Its name, as EBADF. */
  errno: string;
}

/** One message of a compiler, in the coordinates of the text that the user wrote. */
export interface KernelDiagnostic {
  line: number;
  column: number;
  severity: 'error' | 'warning' | 'note';
  message: string;
}

export interface WarpfsErrorDetails {
  cause?: unknown;
  failures?: readonly ItemFailure[];
  diagnostics?: readonly KernelDiagnostic[];
  finding?: NativeFinding;
}

export class WarpfsError extends Error {
  readonly code: WarpfsErrorCode;
  /** ERR_WARPFS_DISPATCH: the first items that failed. */
  readonly failures: readonly ItemFailure[];
  /** ERR_WARPFS_COMPILE: what the compiler said. */
  readonly diagnostics: readonly KernelDiagnostic[];
  /** ERR_WARPFS_CHECK: what was wrong, with the schedule that shows it. */
  readonly finding: NativeFinding | undefined;

  constructor(code: WarpfsErrorCode, message: string, details: WarpfsErrorDetails = {}) {
    super(`[warpfs] ${message}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'WarpfsError';
    this.code = code;
    this.failures = details.failures ?? [];
    this.diagnostics = details.diagnostics ?? [];
    this.finding = details.finding;
  }
}

const nameByNumber = new Map<number, ErrnoName>(Object.entries(ERRNO).map(([name, { number }]) => [number, name as ErrnoName]));

/** The name of a negative result; undefined for a result that is no error or that the vocabulary does not know. */
export function errnoName(result: number): ErrnoName | undefined {
  return result < 0 ? nameByNumber.get(-result) : undefined;
}

/** `EBADF bad file handle` for -9; `errno 999` for a number outside the vocabulary. */
export function describeErrno(result: number): string {
  const name = errnoName(result);
  return name === undefined ? `errno ${Math.abs(result)}` : `${name} ${ERRNO[name].text}`;
}

function isErrnoName(code: unknown): code is ErrnoName {
  return typeof code === 'string' && Object.hasOwn(ERRNO, code);
}

/** The error for a call that ended in -errno. */
export function errnoError(what: string, result: number): WarpfsError {
  return new WarpfsError(errnoName(result) ?? 'EIO', `${what}: ${describeErrno(result)}`);
}

/** What the addon throws carries one of our codes; anything else is a failure below us, an EIO with its cause. */
export function fromNative(what: string, error: unknown): WarpfsError {
  if (error instanceof WarpfsError) return error;
  const code = (error as { code?: unknown } | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  const surfaceCode = surfaceCodes.find((known) => known === code);
  if (surfaceCode !== undefined) return new WarpfsError(surfaceCode, `${what}: ${message}`, { cause: error });
  if (!isErrnoName(code)) return new WarpfsError('EIO', `${what}: ${message}`, { cause: error });
  const named = message.includes(code) ? message : `${code} ${message === '' ? ERRNO[code].text : message}`;
  return new WarpfsError(code, `${what}: ${named}`, { cause: error });
}

/** `option cache.lineBytes: 3000 is not a power of two from 512 to 65536` */
export function optionError(option: string, value: unknown, rule: string): WarpfsError {
  return new WarpfsError('ERR_WARPFS_OPTION', `${option}: ${showValue(value)} ${rule}`);
}

/** A value as an error message shows it: short, on one line. */
export function showValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  if (typeof value === 'number' || value === undefined) return String(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined; // cyclic, or with a bigint inside
  }
  text ??= Object.prototype.toString.call(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
