// A kernel for the cuda device is two cubins: what the user wrote, compiled in a tenth of a second, and what is behind calls.h, which takes
// seconds and is compiled once for each kind of GPU, policy and waiting strategy. The device links them when it loads a kernel.
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

export interface CudaKernel {
  /** Absolute path of the cubin of the user's text. */
  module: string;
  /** Absolute path of the cubin that it is to be linked with. */
  calls: string;
  /** Both were there already. */
  cached: boolean;
}

export interface CudaKernelSettings extends CudaCompileSettings {
  shadersRoot?: string;
}

/** `text`: what cudaKernelText made. */
export async function compileCudaKernel(request: KernelText & { text: string } & CudaVariant, settings: CudaKernelSettings = {}): Promise<CudaKernel> {
  const { name, source, text, arch } = request;
  // First the user's text: an error in it is said at once.
  const kernel = await compileCuda({ name, source, text, arch, relocatable: true, defines: ['WARPFS_CALLS_LINKED=1', ...definesOf(request)] }, settings);
  const calls = await compileCudaCalls(request, settings);
  return { module: kernel.module, calls: calls.module, cached: kernel.cached && calls.cached };
}

export async function compileCudaCalls(variant: CudaVariant, settings: CudaKernelSettings = {}): Promise<CompiledKernel> {
  const text = flatHeaders('#include "dialect/cuda.h"\n#include "warpfs.h"\n', settings.shadersRoot ?? packageShaders);
  const request = { name: 'warpfs_calls', source: '', text, arch: variant.arch, relocatable: true, defines: ['WARPFS_CALLS_HERE=1', ...definesOf(variant)] };
  return compileCuda(request, settings);
}

function definesOf({ policy, replay }: CudaVariant): string[] {
  return [`WARPFS_POLICY=${policy}`, `WARPFS_REPLAY=${replay ? 1 : 0}`];
}
