// The built-in kernels with every mutant woven in, instrumented and linked into a module of their own. It is kept like a compiled kernel.
// native/check/mutant_module.cpp is its frame, which says what it exports and wants every variant.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ABI_HASH, Policy } from '../../native/abi/abi.ts';
import { runCompiler } from '../compiler_process.ts';
import { WarpfsError } from '../errors.ts';
import { hooksLibrary, instrumentationError, instrumentedFlags, instrumentedGuard, instrumentedLinkOptions, linkError, type ShaderVariant } from '../instrumentation.ts';
import { kernelFolder } from '../kernel_folder.ts';
import { type CompiledKernel, storedModule } from '../module_store.ts';
import { packageRoot } from '../package_root.ts';
import { compilerVersion, requireCompiler, type SystemCompiler } from '../system_compiler.ts';

export interface MutatedSources {
  /** Writes abi/, host/cpu/builtin.h and shaders/ below the folder, as they lie below native/, with the mutants woven in. */
  write: (folder: string) => void;
}

const NAME = 'mutants';
const BUILTIN_SOURCE = join('shaders', 'builtin_cpu.cpp');
const FRAME_SOURCE = join('check', 'mutant_module.cpp');
const variants: readonly ShaderVariant[] = Object.values(Policy).flatMap((policy) =>
  [false, true].flatMap((replay) => [false, true].map((cuda) => ({ policy, replay, cuda }))),
);

export async function buildMutantModule({ write }: MutatedSources, environment: NodeJS.ProcessEnv = process.env): Promise<CompiledKernel> {
  const compiler = requireCompiler(environment);
  const { path: folder } = await kernelFolder(environment);
  const version = await compilerVersion(compiler, folder);
  const hooks = hooksLibrary(environment);
  const linkOptions = instrumentedLinkOptions(hooks);
  const tree = mkdtempSync(join(tmpdir(), 'warpfs-mutants-'));
  try {
    // Named as in the repository, so that a finding names the place there.
    const native = join(tree, 'native');
    await mkdir(join(native, dirname(FRAME_SOURCE)), { recursive: true });
    write(native);
    const frame = await readFile(join(packageRoot, 'native', FRAME_SOURCE), 'utf8');
    await writeFile(join(native, FRAME_SOURCE), `${frame}${instrumentedGuard}`);
    const flags = variants.flatMap((variant) => variantFlags(variant, version, 'shaders'));
    const parts = [NAME, treeHash(native), version, ...flags, hooks.version, ...linkOptions, ABI_HASH];
    const key = createHash('sha256').update(parts.join('\0')).digest('hex');
    return await storedModule({ folder, key, name: NAME, extension: '.so', build: (stem) => build({ compiler, version, linkOptions, native, work: folder }, stem) });
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

function variantName({ policy, replay, cuda }: ShaderVariant): string {
  const name = Object.entries(Policy).find(([, number]) => number === policy)?.[0].toLowerCase();
  return `builtin_${name}_${replay ? 'replay' : 'spin'}${cuda === true ? '_cuda' : ''}`;
}

interface Build {
  compiler: SystemCompiler;
  version: string;
  linkOptions: string[];
  /** The folder with the sources. */
  native: string;
  work: string;
}

async function build({ compiler, version, linkOptions, native, work }: Build, stem: string): Promise<void> {
  const [first] = variants;
  if (first === undefined) throw new WarpfsError('ERR_WARPFS_COMPILE', `${NAME}: no variant is asked for`);
  const shaders = join(native, 'shaders');
  const compile = async (source: string, object: string, flags: readonly string[]): Promise<string> => {
    const { failed, output } = await runCompiler(compiler, [...flags, '-c', '-o', object, join(native, source)], work);
    if (!failed) return object;
    throw instrumentationError(NAME, compiler, output) ?? new WarpfsError('ERR_WARPFS_COMPILE', `${NAME} do not compile:\n${output.replaceAll(`${native}/`, '').trim()}`);
  };
  const objects = await Promise.all([
    compile(FRAME_SOURCE, `${stem}-frame.o`, instrumentedFlags({ policy: Policy.CLOCK, replay: false }, version, shaders)),
    ...variants.map((variant) => compile(BUILTIN_SOURCE, `${stem}-${variantName(variant)}.o`, variantFlags(variant, version, shaders))),
  ]);
  const linked = await runCompiler(compiler, ['-o', `${stem}.so`, ...objects, ...linkOptions], work);
  if (linked.failed) throw linkError(NAME, linked.output, [work]);
}

function variantFlags(variant: ShaderVariant, version: string, shaders: string): string[] {
  return [...instrumentedFlags(variant, version, shaders), `-DWARPFS_BUILTIN=${variantName(variant)}`];
}

function treeHash(folder: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).toSorted()) hash.update(`${path.slice(folder.length)}\0`).update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}
