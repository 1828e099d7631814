// Where compiled kernels are kept.
import { mkdtempSync, rmSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolder } from './make_folder.ts';

export interface KernelFolder {
  path: string;
  /** Why the usual folder was not taken; undefined where it was. */
  fallback?: string;
}

export function usualKernelFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const override = environment['WARPFS_CACHE_DIR'];
  if (override !== undefined && override !== '') return resolve(override);
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'warpfs', 'kernels');
}

let temporary: string | undefined;

/** The usual folder where it can be written, else one for this process alone. */
export async function kernelFolder(environment: NodeJS.ProcessEnv = process.env): Promise<KernelFolder> {
  const path = usualKernelFolder(environment);
  try {
    // 0700: a kernel is code, and nobody else may put one there.
    await makeFolder(path, 0o700);
    await access(path, constants.W_OK | constants.X_OK);
    return { path };
  } catch (error) {
    return { path: temporaryFolder(), fallback: `${path} cannot be written: ${(error as Error).message}` };
  }
}

/** Of this process alone and with a name that nobody can foresee; gone when the process ends. */
function temporaryFolder(): string {
  if (temporary === undefined) {
    const created = mkdtempSync(join(tmpdir(), 'warpfs-kernels-'));
    process.once('exit', () => rmSync(created, { recursive: true, force: true }));
    temporary = created;
  }
  return temporary;
}
