// A kernel for the cuda device is two cubins: what the user wrote, compiled in a tenth of a second, and the built-in kernels with what is behind
// calls.h, which take seconds and are compiled once for each kind of GPU, policy and waiting strategy. The device links them when it loads a kernel.
import { compileCuda, type CudaCompileSettings } from './cuda_compiler.ts';
import type { KernelText } from './kernel_diagnostics.ts';
import type { CompiledKernel } from './module_store.ts';
import { shadersRoot as packageShaders } from './package_root.ts';
import { flatHeaders } from './shader_text.ts';

export interface CudaVariant {
  /** As 'sm_90'. */
  arch: string;
  policy: number;
  replay: boolean;
}

export interface CudaBuiltinVariant extends CudaVariant {
  /** The kernels know the lines that they were made of. Default: false. */
  lineInfo?: boolean;
}

export interface CudaBuiltinSettings extends CudaCompileSettings {
  shadersRoot?: string;
}

/** `text`: what cudaKernelText made. */
export async function compileCudaKernel(request: KernelText & { text: string } & CudaVariant, settings: CudaCompileSettings = {}): Promise<CompiledKernel> {
  const { name, source, text, arch } = request;
  const defines = ['WARPFS_CALLS_LINKED=1', ...definesOf(request)];
  return compileCuda({ name, source, text, arch, relocatable: true, lineInfo: true, defines }, settings);
}

export async function compileCudaBuiltin(variant: CudaBuiltinVariant, settings: CudaBuiltinSettings = {}): Promise<CompiledKernel> {
  const text = flatHeaders('#include "entry/builtin_cuda.h"\n', settings.shadersRoot ?? packageShaders);
  const defines = ['WARPFS_CALLS_HERE=1', ...definesOf(variant)];
  return compileCuda({ name: 'warpfs_builtin', source: '', text, arch: variant.arch, relocatable: true, lineInfo: variant.lineInfo === true, defines }, settings);
}

function definesOf({ policy, replay }: CudaVariant): string[] {
  return [`WARPFS_POLICY=${policy}`, `WARPFS_REPLAY=${replay ? 1 : 0}`];
}
