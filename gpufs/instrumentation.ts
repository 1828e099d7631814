// How code is compiled so that every load, store, atomic and fence of it calls check mode: with -fsanitize=thread, and linked with entry
// points of ours instead of those of the thread sanitizer.
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WarpfsError } from './errors.ts';
import { bindingCandidates } from './native_binding.ts';
import type { SystemCompiler } from './system_compiler.ts';

export interface Library {
  path: string;
  /** Changes with its content. */
  version: string;
}

const HOOKS_NAME = 'libwarpfs_check_hooks.a';
const NOT_INSTRUMENTED = 'warpfs-not-instrumented';

/** Behind the text of a module: a compiler that takes the option and does nothing would make every check pass. */
export const instrumentedGuard = [
  '#if defined(__SANITIZE_THREAD__)',
  '#define WARPFS_IS_INSTRUMENTED 1',
  '#elif defined(__has_feature)',
  '#if __has_feature(thread_sanitizer)',
  '#define WARPFS_IS_INSTRUMENTED 1',
  '#endif',
  '#endif',
  '#ifndef WARPFS_IS_INSTRUMENTED',
  `#error ${NOT_INSTRUMENTED}`,
  '#endif',
  '',
].join('\n');

export interface ShaderVariant {
  policy: number;
  replay: boolean;
  /** The built-in kernels with what the cuda device has beside the others. */
  cuda?: boolean;
}

/** `version`: what the compiler prints for --version. */
export function instrumentedFlags({ policy, replay, cuda }: ShaderVariant, version: string, shadersRoot: string): string[] {
  return [
    '-std=c++20', '-O1', '-g1', '-fno-strict-aliasing', '-fPIC', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden', '-fsanitize=thread',
    // A loop that the compiler makes a call of memcpy or memset is a loop that nobody watches. Nobody asks when a function begins and ends.
    ...(/clang/i.test(version)
      ? ['-fno-builtin', '-mllvm', '-tsan-instrument-func-entry-exit=0']
      : ['-fno-tree-loop-distribute-patterns', '-Wno-tsan', '--param', 'tsan-instrument-func-entry-exit=0']),
    '-I', shadersRoot, `-DWARPFS_POLICY=${policy}`, `-DWARPFS_REPLAY=${replay ? 1 : 0}`, '-DWARPFS_LANES_BELOW_WAYS=1',
    ...(cuda === true ? ['-DWARPFS_CPU_AS_CUDA=1'] : []),
  ];
}

/** Without -fsanitize, which would bring the thread sanitizer itself. All of the hooks: the host looks one of them up by name. */
export function instrumentedLinkOptions(hooks: Library, platform: NodeJS.Platform = process.platform): string[] {
  if (platform === 'darwin') return ['-shared', `-Wl,-force_load,${hooks.path}`];
  return ['-shared', '-Wl,-z,defs', '-Wl,--whole-archive', hooks.path, '-Wl,--no-whole-archive'];
}

export function hooksLibrary(environment: NodeJS.ProcessEnv): Library {
  const found = libraryBesideAddon(HOOKS_NAME, environment);
  if (found !== undefined) return found;
  const places = bindingCandidates(environment).map((addon) => `  ${join(dirname(addon), HOOKS_NAME)}: no such file\n`);
  throw new WarpfsError('ERR_WARPFS_NO_NATIVE', `check mode needs a library that is built with the addon:\n${places.join('')}Fix: npm run build:native`);
}

export function libraryBesideAddon(name: string, environment: NodeJS.ProcessEnv): Library | undefined {
  for (const addon of bindingCandidates(environment)) {
    const path = join(dirname(addon), name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined) return { path, version: `${found.size} ${found.mtimeMs}` };
  }
  return undefined;
}

/** The error of a compiler that has no -fsanitize=thread; undefined where the output says something else. */
export function instrumentationError(what: string, compiler: SystemCompiler, output: string): WarpfsError | undefined {
  const line = output.split('\n').find((text) => text.includes('-fsanitize') || text.includes('tsan-instrument') || text.includes(NOT_INSTRUMENTED));
  if (line === undefined) return undefined;
  const said = line.includes(NOT_INSTRUMENTED) ? 'it takes -fsanitize=thread and does nothing' : line.trim();
  return new WarpfsError(
    'ERR_WARPFS_COMPILE',
    `${what} cannot be instrumented for check mode: the compiler ${compiler.path} has no -fsanitize=thread (${said}). ` +
      'g++ 11 or newer and clang++ 12 or newer have it; name one in WARPFS_CXX',
  );
}

export function linkError(what: string, output: string, folders: readonly string[]): WarpfsError {
  const text = folders.reduce((left, folder) => left.replaceAll(`${folder}/`, ''), output).trim();
  const missing = [...new Set([...text.matchAll(/undefined (?:reference|symbol)[^\n]*?(_*tsan\w+)/g)].map((match) => match[1]))];
  const hint = missing.length === 0 ? '' : `\ncheck mode does not know these entry points of the compiler: ${missing.join(', ')}`;
  return new WarpfsError('ERR_WARPFS_COMPILE', `${what} cannot be linked for check mode:\n${text}${hint}`);
}
