// What a number was measured on.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { NativeBinding } from '../native_binding.ts';
import type { DeviceName } from '../options.ts';
import { packageRoot, packageVersion } from '../package_root.ts';

export interface Machine {
  platform: string;
  release: string;
  arch: string;
  processor: string;
  cores: number;
  memoryGib: number;
  node: string;
  warpfs: string;
}

export function machine(): Machine {
  return {
    platform: process.platform,
    release: release(),
    arch: process.arch,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    warpfs: packageVersion,
  };
}

export interface MachineOfGpu {
  /** One that begins with `fake` is played for tests: what is measured there says nothing of a GPU. */
  name: string;
  memoryGib: number;
  /** With NVIDIA's driver alone, as the others. */
  multiprocessors?: number;
  /** Of the kernel module, as 580.65.06, where it says so. */
  driver?: string;
  /** What the driver supports, as 13.0. */
  cuda?: string;
}

/** What a device of a mount runs on; undefined: the processor. */
export function gpuOf(device: DeviceName, binding: Pick<NativeBinding, 'cudaProbe' | 'metalSight'>): MachineOfGpu | undefined {
  if (device === 'cuda') return machineOfGpu(binding);
  if (device !== 'metal') return undefined;
  const { name, memoryBytes } = binding.metalSight();
  return { name, memoryGib: Math.round(memoryBytes / 2 ** 30) };
}

export function isFake(gpu: MachineOfGpu | undefined): boolean {
  return gpu?.name.startsWith('fake ') === true;
}

const DRIVER_FILE = '/proc/driver/nvidia/version';

/** The first GPU of NVIDIA; undefined where there is none. */
export function machineOfGpu(binding: Pick<NativeBinding, 'cudaProbe'>, driverFile: string = DRIVER_FILE): MachineOfGpu | undefined {
  const { driver, devices } = binding.cudaProbe();
  const [gpu] = devices;
  if (gpu === undefined) return undefined;
  const { name, multiprocessors, memoryBytes } = gpu;
  return { name, multiprocessors, memoryGib: Math.round(memoryBytes / 2 ** 30), driver: driverVersion(driverFile), cuda: driver.version ?? 'unknown' };
}

/** `NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build ...` */
function driverVersion(file: string): string {
  try {
    return /\s(\d+\.\d+(\.\d+)?)\s/.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** The commit of the package, where it lies in a git checkout that has one. */
export function commit(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('git', ['rev-parse', '--verify', 'HEAD'], { cwd: packageRoot, timeout: 5000 }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined);
    });
  });
}
