// A tool for tests: one call of the host side is made to fail, so that what follows from it can be looked at.
import { z } from 'zod';
import { optionError } from './errors.ts';
import { hostCallKinds, type HostCallKind, type NativeFault } from './native_binding.ts';
import { fields, oneOf, truth, whole } from './option_rules.ts';

export type FaultName = 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EINTR' | 'short';

/** `mount.describe()` says how many calls there were (hostCalls) and how many of them were made to fail (hostFaults). */
export interface FaultOptions {
  /** Which call, counted from 1 since the mount among the calls of these kinds. */
  call: number;
  /** The errno that it ends in; 'short' lets a read or write move only a part of its bytes. */
  error: FaultName;
  /** That call and every one after it; default: that one alone. */
  forGood?: boolean;
  /** Default: all; for 'short' reads and writes. */
  kinds?: readonly HostCallKind[];
}

const movers: readonly HostCallKind[] = ['read', 'write'];

const shape = {
  call: whole(1, 2 ** 32 - 1),
  error: oneOf('EIO', 'ENOSPC', 'EDQUOT', 'EINTR', 'short'),
  forGood: truth().default(false),
  kinds: z
    .custom<readonly HostCallKind[]>(
      (value) => Array.isArray(value) && value.length > 0 && value.every((kind) => hostCallKinds.includes(kind as HostCallKind)),
      `is not a list of some of ${hostCallKinds.join(', ')}`,
    )
    .optional(),
};

export const faultSchema = fields(shape);
export const faultOptionNames: readonly string[] = Object.keys(shape);
export type ResolvedFaultOptions = z.output<typeof faultSchema>;

/** The rules that are about two options at once. */
export function checkFault({ error, forGood, kinds }: ResolvedFaultOptions): void {
  if (error === 'short' && kinds?.some((kind) => !movers.includes(kind))) {
    throw optionError('option faults.kinds', kinds, 'does not go with option faults.error "short": only read and write move bytes');
  }
  if (error === 'EINTR' && forGood) {
    throw optionError('option faults.forGood', forGood, 'does not go with option faults.error "EINTR": interrupted calls are made again until they are through');
  }
}

export function nativeFault({ call, error, forGood, kinds }: ResolvedFaultOptions): NativeFault {
  const wanted = kinds ?? (error === 'short' ? movers : hostCallKinds);
  return { call, error, forGood, kinds: hostCallKinds.reduce((bits, kind, index) => (wanted.includes(kind) ? bits | (1 << index) : bits), 0) };
}
