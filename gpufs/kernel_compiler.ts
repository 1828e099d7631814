// A kernel text to a shared object, once: the result is kept under a hash of everything that it depends on.
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { access, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ABI_HASH, Policy } from '../native/abi/abi.ts';
import { WarpfsError } from './errors.ts';
import { compileError, type KernelText } from './kernel_diagnostics.ts';
import { kernelFolder } from './kernel_folder.ts';
import { bindingCandidates } from './native_binding.ts';
import { shadersRoot as packageShaders } from './package_root.ts';
import { compilerVersion, requireCompiler, type SystemCompiler } from './system_compiler.ts';

const COMPILE_MS_MAX = 120_000;
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;

export interface CompileRequest extends KernelText {
  /** The whole text, as the compiler gets it. */
  text: string;
  policy: number;
  replay: boolean;
}

export interface CompileSettings {
  environment?: NodeJS.ProcessEnv;
  shadersRoot?: string;
}

export interface CompiledKernel {
  /** Absolute path of the shared object. */
  module: string;
  /** It was there already. */
  cached: boolean;
}

const running = new Map<string, Promise<CompiledKernel>>();

export async function compileKernel(request: CompileRequest, settings: CompileSettings = {}): Promise<CompiledKernel> {
  const environment = settings.environment ?? process.env;
  const shadersRoot = settings.shadersRoot ?? packageShaders;
  const compiler = requireCompiler(environment);
  const { path: folder } = await kernelFolder(environment);
  const linked = linkedCalls(request, environment);
  const flags = compilerFlags(request, shadersRoot, linked !== undefined);
  const key = createHash('sha256')
    .update([request.text, headersHash(shadersRoot), await compilerVersion(compiler, folder), flags.join(' '), linked?.version, ABI_HASH].join('\0'))
    .digest('hex');
  const module = join(folder, `${key}.so`);
  if (await isThere(module)) return { module, cached: true };
  // Two calls for one kernel at one time share one compiler run.
  const already = running.get(module);
  if (already !== undefined) return already;
  const compiled = runCompiler(request, { compiler, flags, libraries: linked === undefined ? [] : [linked.path], folder, module, shadersRoot }).finally(() => running.delete(module));
  running.set(module, compiled);
  return compiled;
}

interface CompilerRun {
  compiler: SystemCompiler;
  flags: string[];
  libraries: string[];
  folder: string;
  module: string;
  shadersRoot: string;
}

async function runCompiler(request: CompileRequest, { compiler, flags, libraries, folder, module, shadersRoot }: CompilerRun): Promise<CompiledKernel> {
  const stem = join(folder, `.${request.name}-${randomUUID()}`);
  try {
    await writeFile(`${stem}.cpp`, request.text);
    const { failed, output } = await execute(compiler, [...flags, '-o', `${stem}.so`, `${stem}.cpp`, ...libraries], folder);
    if (failed) throw compileError(request, output, [shadersRoot, folder]);
    // A rename is all or nothing: no process ever loads a half-written kernel, and the last of two equal ones wins.
    await rename(`${stem}.so`, module);
    return { module, cached: false };
  } finally {
    await Promise.all([rm(`${stem}.cpp`, { force: true }), rm(`${stem}.so`, { force: true })]);
  }
}

/** What is behind calls.h, compiled when the addon was: a kernel that is linked with it compiles ten times as fast. Without it all is compiled. */
function linkedCalls({ policy, replay }: CompileRequest, environment: NodeJS.ProcessEnv): { path: string; version: string } | undefined {
  const policyName = Object.entries(Policy).find(([, number]) => number === policy)?.[0].toLowerCase();
  const name = `libwarpfs_calls_${policyName}_${replay ? 'replay' : 'spin'}.a`;
  for (const addon of bindingCandidates(environment)) {
    const path = join(dirname(addon), name);
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined) return { path, version: `${found.size} ${found.mtimeMs}` };
  }
  return undefined;
}

function compilerFlags({ policy, replay }: CompileRequest, shadersRoot: string, linked: boolean): string[] {
  return [
    '-std=c++20', '-O3', '-fno-strict-aliasing', '-fPIC', '-shared', '-fno-exceptions', '-fno-rtti', '-fvisibility=hidden',
    '-I', shadersRoot, `-DWARPFS_POLICY=${policy}`, `-DWARPFS_REPLAY=${replay ? 1 : 0}`,
    ...(linked ? ['-DWARPFS_CALLS_LINKED=1'] : []),
  ];
}

function execute(compiler: SystemCompiler, options: string[], folder: string): Promise<{ failed: boolean; output: string }> {
  return new Promise((resolve, reject) => {
    // The C locale, so that an error is called "error"; the folder as cwd, so that no file of the user is taken for the kernel's text.
    const settings = { cwd: folder, timeout: COMPILE_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX, env: { ...process.env, LC_ALL: 'C' } };
    execFile(compiler.path, [...compiler.leading, ...options], settings, (error, stdout, stderr) => {
      if (error !== null && (error.killed === true || typeof error.code !== 'number')) {
        const reason = error.killed === true ? `was stopped after ${COMPILE_MS_MAX / 1000} s` : error.message;
        reject(new WarpfsError('ERR_WARPFS_COMPILE', `the compiler ${compiler.path} ${reason}`, { cause: error }));
      } else {
        resolve({ failed: error !== null, output: `${stderr}${stdout}` });
      }
    });
  });
}

const hashes = new Map<string, string>();

/** The headers do not change while a process runs, so they are read once. */
function headersHash(shadersRoot: string): string {
  const known = hashes.get(shadersRoot);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const folder of [shadersRoot, join(shadersRoot, '..', 'abi')]) {
    for (const name of headersIn(folder)) {
      hash.update(`${name}\0`);
      hash.update(readFileSync(join(folder, name)));
      hash.update('\0');
    }
  }
  const digest = hash.digest('hex');
  hashes.set(shadersRoot, digest);
  return digest;
}

function headersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.h'))
    .sort();
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
