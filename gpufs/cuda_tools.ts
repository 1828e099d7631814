// What compiles CUDA on this machine: NVRTC through the addon or, where there is none, nvcc.
import { realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { WarpfsError } from './errors.ts';
import type { NativeBinding } from './native_binding.ts';
import { compilerVersion, locateCompiler, type SystemCompiler } from './system_compiler.ts';

export type CudaBinding = Pick<NativeBinding, 'cudaProbe' | 'nvrtcCompile'>;

export type CudaTool = { kind: 'nvrtc'; path: string; version: string } | { kind: 'nvcc'; compiler: SystemCompiler };

const USUAL_TOOLKIT = '/usr/local/cuda';
const NVCC_PLACES = `WARPFS_NVCC, nvcc on PATH, CUDA_PATH/bin, CUDA_HOME/bin, ${USUAL_TOOLKIT}/bin`;

/** Looks in the order of NVCC_PLACES. Starts no process. */
export function findNvcc(environment: NodeJS.ProcessEnv = process.env, usualToolkit: string = USUAL_TOOLKIT): SystemCompiler | undefined {
  const override = environment['WARPFS_NVCC'] ?? '';
  if (override !== '') {
    const found = locateCompiler(override, 'WARPFS_NVCC', environment);
    if (found === undefined) throw new WarpfsError('ERR_WARPFS_COMPILE', `WARPFS_NVCC: ${override} is not a compiler that can be run`);
    return found;
  }
  const onPath = locateCompiler('nvcc', 'nvcc', environment);
  if (onPath !== undefined) return onPath;
  const toolkits: [string | undefined, string][] = [
    [environment['CUDA_PATH'], 'CUDA_PATH'],
    [environment['CUDA_HOME'], 'CUDA_HOME'],
    [usualToolkit, usualToolkit],
  ];
  for (const [folder, from] of toolkits) {
    const path = folder === undefined || folder === '' ? undefined : runnable(join(folder, 'bin', 'nvcc'));
    if (path !== undefined) return { path, leading: [], from };
  }
  return undefined;
}

/** Why neither is there, and what to do. */
export function cudaToolMissing(nvrtcReason: string): string {
  return `NVRTC ${nvrtcReason}; nvcc not found (${NVCC_PLACES})`;
}

export function requireCudaTool(binding: CudaBinding, environment: NodeJS.ProcessEnv = process.env, usualToolkit: string = USUAL_TOOLKIT): CudaTool {
  const { nvrtc } = binding.cudaProbe();
  if (nvrtc.found) return { kind: 'nvrtc', path: nvrtc.path ?? '', version: nvrtc.version ?? '' };
  const compiler = findNvcc(environment, usualToolkit);
  if (compiler !== undefined) return { kind: 'nvcc', compiler };
  throw new WarpfsError('ERR_WARPFS_COMPILE', `a kernel for the cuda device needs NVRTC or nvcc, and there is neither: ${cudaToolMissing(nvrtc.reason)}`);
}

/** Changes with whatever the tool makes of a text. `folder`: where answers of nvcc are kept. */
export async function cudaToolIdentity(tool: CudaTool, folder: string): Promise<string> {
  if (tool.kind === 'nvcc') return compilerVersion(tool.compiler, folder);
  const file = statSync(realpathSync(tool.path));
  return `nvrtc ${tool.version} ${tool.path} ${file.size} ${file.mtimeMs}`;
}

/** locateCompiler takes options behind a name, so it cannot be asked for a path with a space in it. */
function runnable(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? path : undefined;
}
