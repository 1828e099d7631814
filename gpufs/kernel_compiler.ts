// A kernel text to a shared object, once: the result is kept under a hash of everything that it depends on.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { ABI_HASH, Policy } from '../native/abi/abi.ts';
import { runCompiler } from './compiler_process.ts';
import { headersHash } from './headers_hash.ts';
import {
  hooksLibrary,
  instrumentationError,
  instrumentedFlags,
  instrumentedGuard,
  instrumentedLinkOptions,
  type Library,
  libraryBesideAddon,
  linkError,
} from './instrumentation.ts';
import { compileError, type KernelText } from './kernel_diagnostics.ts';
import { kernelFolder } from './kernel_folder.ts';
import { type CompiledKernel, storedModule } from './module_store.ts';
import { shadersRoot as packageShaders } from './package_root.ts';
import { compilerVersion, requireCompiler, type SystemCompiler } from './system_compiler.ts';

export interface CompileRequest extends KernelText {
  /** The whole text, as the compiler gets it. */
  text: string;
  policy: number;
  replay: boolean;
  /** Every access calls check mode. */
  instrumented?: boolean;
}

export interface CompileSettings {
  environment?: NodeJS.ProcessEnv;
  shadersRoot?: string;
}

/** How a kernel is compiled: all that its shared object depends on, beside its text and the headers. */
interface Recipe {
  flags: string[];
  /** What is behind the headers, where it was compiled before. */
  library: Library | undefined;
  /** Of a link step of its own, which brings no thread sanitizer; undefined: compiled and linked in one step. */
  linkOptions: string[] | undefined;
}

export async function compileKernel(request: CompileRequest, settings: CompileSettings = {}): Promise<CompiledKernel> {
  const environment = settings.environment ?? process.env;
  const shadersRoot = settings.shadersRoot ?? packageShaders;
  const compiler = requireCompiler(environment);
  const { path: folder } = await kernelFolder(environment);
  const version = await compilerVersion(compiler, folder);
  const recipe = request.instrumented === true ? instrumentedRecipe(request, version, shadersRoot, environment) : usualRecipe(request, shadersRoot, environment);
  const text = request.instrumented === true ? `${request.text}${instrumentedGuard}` : request.text;
  const parts = [text, headersHash(shadersRoot), version, recipe.flags.join(' '), recipe.library?.version, recipe.linkOptions?.join(' '), ABI_HASH];
  const key = createHash('sha256').update(parts.join('\0')).digest('hex');
  const run = { compiler, recipe, folders: [shadersRoot, folder] };
  return storedModule({ folder, key, name: request.name, extension: '.so', build: (stem) => build({ ...request, text }, run, stem) });
}

interface CompilerRun {
  compiler: SystemCompiler;
  recipe: Recipe;
  /** Places of ours whose names tell the user nothing; the last is the one to work in. */
  folders: string[];
}

async function build(request: CompileRequest, { compiler, recipe, folders }: CompilerRun, stem: string): Promise<void> {
  const folder = folders.at(-1) as string;
  await writeFile(`${stem}.cpp`, request.text);
  const { flags, library, linkOptions } = recipe;
  const options = linkOptions === undefined ? ['-o', `${stem}.so`, `${stem}.cpp`, ...(library === undefined ? [] : [library.path])] : ['-c', '-o', `${stem}.o`, `${stem}.cpp`];
  const compiled = await runCompiler(compiler, [...flags, ...options], folder);
  if (compiled.failed) {
    const error = compileError(request, compiled.output, folders);
    if (linkOptions === undefined || error.diagnostics.some(({ severity }) => severity === 'error')) throw error;
    throw instrumentationError(`kernel ${request.name}`, compiler, compiled.output) ?? error;
  }
  if (linkOptions === undefined) return;
  const linked = await runCompiler(compiler, ['-o', `${stem}.so`, `${stem}.o`, ...linkOptions], folder);
  if (linked.failed) throw linkError(`kernel ${request.name}`, linked.output, folders);
}

/** A kernel that is linked with what is behind calls.h compiles ten times as fast. Without that library all is compiled. */
function usualRecipe({ policy, replay }: CompileRequest, shadersRoot: string, environment: NodeJS.ProcessEnv): Recipe {
  const policyName = Object.entries(Policy).find(([, number]) => number === policy)?.[0].toLowerCase();
  const library = libraryBesideAddon(`libwarpfs_calls_${policyName}_${replay ? 'replay' : 'spin'}.a`, environment);
  const flags = [
    '-std=c++20', '-O3', '-fno-strict-aliasing', '-fPIC', '-shared', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden',
    '-I', shadersRoot, `-DWARPFS_POLICY=${policy}`, `-DWARPFS_REPLAY=${replay ? 1 : 0}`,
    ...(library === undefined ? [] : ['-DWARPFS_CALLS_LINKED=1']),
  ];
  return { flags, library, linkOptions: undefined };
}

/** All headers are compiled in: what was compiled before is not instrumented. */
function instrumentedRecipe(request: CompileRequest, version: string, shadersRoot: string, environment: NodeJS.ProcessEnv): Recipe {
  const library = hooksLibrary(environment);
  return { flags: instrumentedFlags(request, version, shadersRoot), library, linkOptions: instrumentedLinkOptions(library) };
}
