// What a number was measured on.
import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
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

/** The commit of the package, where it lies in a git checkout that has one. */
export function commit(): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('git', ['rev-parse', '--verify', 'HEAD'], { cwd: packageRoot, timeout: 5000 }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined);
    });
  });
}
