// The C++ compiler of this machine: which one, and what it calls itself.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { WarpfsError } from './errors.ts';

const run = promisify(execFile);
const VERSION_MS_MAX = 10_000;

export interface SystemCompiler {
  /** Absolute path. */
  path: string;
  /** What stood behind the command in an environment variable, as in CXX="ccache g++". */
  leading: string[];
  /** Which name led to it: `WARPFS_CXX`, `CXX`, or the name of the command. */
  from: string;
}

/** Looks in this order: WARPFS_CXX, CXX, c++, g++, clang++. Starts no process. */
export function findCompiler(environment: NodeJS.ProcessEnv = process.env): SystemCompiler | undefined {
  const override = environment['WARPFS_CXX'];
  if (override !== undefined && override !== '') {
    const found = locateCompiler(override, 'WARPFS_CXX', environment);
    if (found === undefined) throw new WarpfsError('ERR_WARPFS_COMPILE', `WARPFS_CXX: ${override} is not a compiler that can be run`);
    return found;
  }
  const candidates: [string, string][] = [[environment['CXX'] ?? '', 'CXX'], ['c++', 'c++'], ['g++', 'g++'], ['clang++', 'clang++']];
  for (const [command, from] of candidates) {
    const found = locateCompiler(command, from, environment);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function requireCompiler(environment: NodeJS.ProcessEnv = process.env): SystemCompiler {
  const found = findCompiler(environment);
  if (found !== undefined) return found;
  throw new WarpfsError(
    'ERR_WARPFS_COMPILE',
    'a kernel needs a C++20 compiler, and there is none (tried WARPFS_CXX, CXX, c++, g++, clang++). Install one: ' +
      '`apt install g++`, `dnf install gcc-c++` or `xcode-select --install`; or name it in WARPFS_CXX. Programs (fs.run) need none.',
  );
}

const versions = new Map<string, string>();

/**
 * What the compiler prints for --version. It is kept in `folder` under the compiler's path, size and time of change, so that a
 * start that finds its kernels compiled starts no process.
 */
export async function compilerVersion(compiler: SystemCompiler, folder: string): Promise<string> {
  const file = statSync(realpathSync(compiler.path));
  const identity = [compiler.path, ...compiler.leading, file.size, file.mtimeMs].join('\n');
  const known = versions.get(identity);
  if (known !== undefined) return known;
  const record = join(folder, `compiler-${createHash('sha256').update(identity).digest('hex').slice(0, 32)}.txt`);
  let version = await readFile(record, 'utf8').catch(() => '');
  if (version === '') {
    version = await askVersion(compiler);
    await writeFile(record, version).catch(() => undefined); // only a shortcut for the next start
  }
  versions.set(identity, version);
  return version;
}

async function askVersion(compiler: SystemCompiler): Promise<string> {
  try {
    const { stdout } = await run(compiler.path, [...compiler.leading, '--version'], { timeout: VERSION_MS_MAX });
    return stdout;
  } catch (error) {
    throw new WarpfsError('ERR_WARPFS_COMPILE', `${compiler.path} --version failed: ${(error as Error).message}`, { cause: error });
  }
}

/** `command`: a path, or a name on PATH; options may follow it. */
export function locateCompiler(command: string, from: string, environment: NodeJS.ProcessEnv): SystemCompiler | undefined {
  const [program = '', ...leading] = command.trim().split(/\s+/);
  if (program === '') return undefined;
  if (program.includes('/')) return isRunnable(resolve(program)) ? { path: resolve(program), leading, from } : undefined;
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const path = folders.map((folder) => join(folder, program)).find(isRunnable);
  return path === undefined ? undefined : { path, leading, from };
}

function isRunnable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
