// A kernel for the metal device is a text, which the device compiles itself when it loads it. It is kept in a file, by a hash of it: what the system has compiled
// of one text it finds again.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { compileError, type KernelText } from './kernel_diagnostics.ts';
import { kernelFolder } from './kernel_folder.ts';
import { type CompiledKernel, storedModule } from './module_store.ts';
import { shadersRoot as packageShaders } from './package_root.ts';
import { flatHeaders } from './shader_text.ts';

export interface MetalVariant {
  policy: number;
  /** Else kernels wait for the host, by means that Apple does not document. */
  replay: boolean;
}

export interface MetalSettings {
  shadersRoot?: string;
  environment?: NodeJS.ProcessEnv;
}

/** Compiles the text in this file. */
export type LoadMetal = (module: string) => Promise<void>;

export function storeMetalBuiltin(variant: MetalVariant, settings: MetalSettings = {}): Promise<CompiledKernel> {
  return storeText('warpfs_builtin', flatHeaders('#include "entry/builtin_metal.h"\n', settings.shadersRoot ?? packageShaders), variant, settings);
}

/** `text`: what metalKernelText made. */
export async function compileMetalKernel(kernel: KernelText & { text: string }, variant: MetalVariant, load: LoadMetal, settings: MetalSettings = {}): Promise<CompiledKernel> {
  const stored = await storeText(kernel.name, kernel.text, variant, settings);
  try {
    await load(stored.module);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (code === 'ERR_WARPFS_COMPILE') throw compileError(kernel, message, []);
    throw error;
  }
  return stored;
}

async function storeText(name: string, text: string, { policy, replay }: MetalVariant, { environment = process.env }: MetalSettings): Promise<CompiledKernel> {
  const whole = `#define WARPFS_POLICY ${policy}\n${replay ? '#define WARPFS_REPLAY 1\n' : '#define WARPFS_REPLAY 0\n#define WARPFS_SPIN 1\n'}#line 1 "warpfs-shaders"\n${text}`;
  const { path: folder } = await kernelFolder(environment);
  const key = createHash('sha256').update(whole).digest('hex');
  return storedModule({ folder, key, name, extension: '.metal', build: (stem) => writeFile(`${stem}.metal`, whole) });
}
