// A CUDA text to a cubin, once: the result is kept under a hash of everything that it depends on.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { runCompiler } from './compiler_process.ts';
import { type CudaBinding, cudaToolIdentity, type CudaTool, requireCudaTool } from './cuda_tools.ts';
import { compileError, type KernelText } from './kernel_diagnostics.ts';
import { kernelFolder } from './kernel_folder.ts';
import { type CompiledKernel, storedModule } from './module_store.ts';
import { loadNativeBinding } from './native_binding.ts';

export interface CudaCompileRequest extends KernelText {
  /** The whole text: it includes nothing. */
  text: string;
  /** As 'sm_90'. */
  arch: string;
  /** The cubin is linked with another one before it is loaded. */
  relocatable: boolean;
  /** A debugger is to find the lines of the text again. */
  lineInfo: boolean;
  /** As 'NAME=1'. */
  defines: readonly string[];
}

export interface CudaCompileSettings {
  environment?: NodeJS.ProcessEnv;
  /** Called before the compiler runs; never where the result is there already. */
  onCompile?: () => void;
  /** For tests. */
  binding?: CudaBinding;
}

/** What a line of the headers is called in a compile error. */
const HEADERS_NAME = 'warpfs-shaders';

export async function compileCuda(request: CudaCompileRequest, settings: CudaCompileSettings = {}): Promise<CompiledKernel> {
  const environment = settings.environment ?? process.env;
  const binding = settings.binding ?? loadNativeBinding().binding;
  const tool = requireCudaTool(binding, environment);
  const { path: folder } = await kernelFolder(environment);
  const options = tool.kind === 'nvrtc' ? nvrtcOptions(request) : nvccOptions(request);
  const text = `#line 1 "${HEADERS_NAME}"\n${request.text}`;
  const parts = [text, options.join(' '), await cudaToolIdentity(tool, folder)];
  const key = createHash('sha256').update(parts.join('\0')).digest('hex');
  const build = (stem: string): Promise<void> => {
    settings.onCompile?.();
    return buildCubin({ ...request, text }, { tool, options, folder, binding }, stem);
  };
  return storedModule({ folder, key, name: request.name, extension: '.cubin', build });
}

interface CudaRun {
  tool: CudaTool;
  options: string[];
  folder: string;
  binding: CudaBinding;
}

async function buildCubin(request: CudaCompileRequest, { tool, options, folder, binding }: CudaRun, stem: string): Promise<void> {
  const output = `${stem}.cubin`;
  if (tool.kind === 'nvrtc') {
    const { ok, log, cubin } = await binding.nvrtcCompile({ text: request.text, name: HEADERS_NAME, options });
    if (!ok || cubin === undefined) throw compileError(request, log, [folder]);
    await writeFile(output, cubin);
  } else {
    await writeFile(`${stem}.cu`, request.text);
    const run = await runCompiler(tool.compiler, [...options, '-o', output, `${stem}.cu`], folder);
    if (run.failed) throw compileError(request, run.output, [folder]);
  }
}

function nvrtcOptions(request: CudaCompileRequest): string[] {
  return [`--gpu-architecture=${request.arch}`, '--std=c++17', ...commonOptions(request)];
}

function nvccOptions(request: CudaCompileRequest): string[] {
  return ['-cubin', `-arch=${request.arch}`, '-std=c++17', ...commonOptions(request)];
}

function commonOptions({ relocatable, lineInfo, defines }: CudaCompileRequest): string[] {
  // With more registers fewer warps are resident than have slots, and waiting warps are what hides the bus.
  return [`-rdc=${relocatable}`, ...(relocatable ? ['--maxrregcount=64'] : []), ...(lineInfo ? ['-lineinfo'] : []), ...defines.map((define) => `-D${define}`)];
}
