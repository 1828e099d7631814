// The device that the suites run on: the cpu device, or the one that WARPFS_TEST_DEVICE names. Here alone it is chosen.
import { mount, type Mount } from '../mount.ts';
import type { DeviceName, IoName, MountOptions, PolicyName, WaitName } from '../options.ts';
import { findCompiler } from '../system_compiler.ts';
import type { MakeMount } from './fixture.ts';
import { nativePresence } from './native_device.ts';

export const testDevice: DeviceName = wantedDevice(process.env['WARPFS_TEST_DEVICE']);

/** One way of running a suite: how items wait, what serves the files, and which line makes room. */
export type Strategy = [wait: WaitName, io: IoName, policy: PolicyName];

/** Where Metal itself reads the files: an engine of the metal device alone. */
export const mtlioStrategies: readonly Strategy[] = testDevice === 'metal' ? [['replay', 'mtlio', 'clock']] : [];

/** Two workers, where a device has workers. */
export function mountOnTestDevice(options: MountOptions): Promise<Mount> {
  return mount({ workers: 2, ...options, device: testDevice });
}

export function mountWithStrategy([wait, io, policy]: Strategy): MakeMount {
  return (options) => mountOnTestDevice({ ...options, wait, cache: { ...options.cache, policy }, daemon: { ...options.daemon, io } });
}

export function strategyName([wait, io, policy]: Strategy): string {
  return `${testDevice}, wait ${wait}, io ${io}, policy ${policy}`;
}

/** Why a strategy cannot be tried here. */
export function strategyMissing([, io]: Strategy): string | undefined {
  const { missing, noUring } = nativePresence();
  return missing ?? (io === 'uring' ? noUring : undefined);
}

/** Why kernels cannot be compiled for the device. A GPU without a compiler is not there at all: no mount is made on it. */
export function kernelsMissing(): string | undefined {
  return testDevice === 'cpu' && findCompiler() === undefined ? 'there is no C++ compiler for kernels' : undefined;
}

function wantedDevice(name: string | undefined): DeviceName {
  if (name === undefined || name === '') return 'cpu';
  if (name === 'cpu' || name === 'cuda' || name === 'metal') return name;
  throw new Error(`WARPFS_TEST_DEVICE: "${name}" is not one of cpu, cuda, metal`);
}
