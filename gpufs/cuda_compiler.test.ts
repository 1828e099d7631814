// CUDA texts to cubins, with NVRTC or nvcc, whichever this machine has. No GPU is needed.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindingForTests } from './binding_for_tests.ts';
import { compileCuda, type CudaCompileRequest } from './cuda_compiler.ts';
import { compileCudaBuiltin, compileCudaKernel } from './cuda_kernels.ts';
import { lookForCuda } from './cuda_sight.ts';
import { findNvcc, requireCudaTool } from './cuda_tools.ts';
import type { KernelDefinition } from './kernel_definition.ts';
import { cudaKernelText } from './kernel_source.ts';
import { loadNativeBinding } from './native_binding.ts';
import type { NvrtcRequest, NvrtcResult } from './native_cuda.ts';

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-cuda-test-'));
  environment = { ...process.env, WARPFS_CACHE_DIR: join(folder, 'cache') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sight = lookForCuda(loadNativeBinding().binding);
const tools = [...(sight.nvrtc.found ? ['nvrtc'] : []), ...(sight.nvcc.found ? ['nvcc'] : [])] as ('nvrtc' | 'nvcc')[];

/** With each compiler that is there. A test that cannot run stands in the report under a name that says so. */
function cudaTest(name: string, body: (settings: () => { environment: NodeJS.ProcessEnv; binding: ReturnType<typeof binding> }) => Promise<void>): void {
  for (const tool of tools) test(`${tool}: ${name}`, { timeout: 120_000 }, () => body(() => ({ environment, binding: binding(tool) })));
  if (tools.length === 0) test.skip(`SKIP neither NVRTC nor nvcc: ${name}`, () => undefined);
}

/** The binding of this machine, as if it had one compiler alone. */
function binding(tool: 'nvrtc' | 'nvcc') {
  const native = loadNativeBinding().binding;
  const compile = (wanted: NvrtcRequest): Promise<NvrtcResult> => native.nvrtcCompile(wanted);
  return { nvrtcCompile: compile, cudaProbe: () => ({ ...native.cudaProbe(), ...(tool === 'nvcc' ? { nvrtc: { found: false, reason: 'not looked for' } } : {}) }) };
}

const request: CudaCompileRequest = {
  name: 'fill', source: '', text: 'extern "C" __global__ void fill(int* out) { *out = VALUE; }\n', arch: 'sm_90', relocatable: false, lineInfo: true, defines: ['VALUE=1'],
};
const ELF = [0x7f, 0x45, 0x4c, 0x46];

cudaTest('a text becomes a cubin once', async (settings) => {
  const first = await compileCuda(request, settings());
  expect(first.cached).toBe(false);
  expect([...readFileSync(first.module).subarray(0, 4)]).toEqual(ELF);
  expect(await compileCuda(request, settings())).toEqual({ module: first.module, cached: true });
  const others = await Promise.all([
    compileCuda({ ...request, defines: ['VALUE=2'] }, settings()),
    compileCuda({ ...request, relocatable: true }, settings()),
    compileCuda({ ...request, arch: 'sm_80' }, settings()),
    compileCuda({ ...request, text: `${request.text}\n` }, settings()),
  ]);
  expect(new Set([first, ...others].map(({ module }) => module)).size).toBe(5);
  expect(readdirSync(join(folder, 'cache')).filter((name) => name.startsWith('.'))).toEqual([]);
});

/** Headers of the smallest kind: a stand-in for those that a kernel is compiled with. */
function standInHeaders(): string {
  const root = join(folder, 'shaders');
  const headers = {
    'dialect/cuda.h': 'namespace warpfs { typedef unsigned uint; typedef unsigned char uchar; }\n#define WARPFS_FN __device__ inline\n#define WARPFS_THREAD\n#define WARPFS_DEVICE\n',
    'warpfs.h': 'namespace warpfs { struct Lane {}; struct Fs { Lane lane; uint item; }; enum { WARPFS_DONE = 0 }; }\n',
    'entry/cuda.h': '#define WARPFS_KERNEL_ENTRY(call) extern "C" __global__ void warpfs_kernel(warpfs::Fs from, void** own) { using namespace warpfs; Fs fs = from; (void)(call); }\n',
  };
  for (const [name, text] of Object.entries(headers)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), `#pragma once\n${text}`);
  }
  return root;
}

cudaTest('a mistake is told in the lines of the user', async (settings) => {
  const source = '\n  uint total = 0;\n  total += missing;\n  sums[item] = total;\n';
  const definition: KernelDefinition = { name: 'sum_pages', source, outputs: { sums: 'u32[]' } };
  const text = cudaKernelText(definition, [], standInHeaders());
  expect(text).not.toContain('#include');
  const failed = compileCuda({ ...request, name: 'sum_pages', source, text }, settings());
  await expect(failed).rejects.toMatchObject({ code: 'ERR_WARPFS_COMPILE', diagnostics: [{ line: 3, column: 12, severity: 'error' }] });
  const message = await failed.catch((error: Error) => error.message);
  expect(message).toBe('[warpfs] kernel sum_pages does not compile:\nsum_pages:3:12: error: identifier "missing" is undefined\n    total += missing;\n             ^');
  const fine = cudaKernelText({ ...definition, source: source.replace('missing', 'item') }, [], standInHeaders());
  expect((await compileCuda({ ...request, text: fine }, settings())).cached).toBe(false);
});

cudaTest('a kernel is compiled apart from the built-in ones, which are compiled once', async (settings) => {
  const variant = { arch: 'sm_90', policy: 0, replay: false };
  const notes: string[] = [];
  const noted = { ...settings(), onCompile: () => void notes.push('compiled') };
  const builtin = await compileCudaBuiltin(variant, noted);
  expect(await compileCudaBuiltin(variant, noted)).toEqual({ module: builtin.module, cached: true });
  expect(notes).toEqual(['compiled']);
  const definition: KernelDefinition = { name: 'opens', source: 'return gopen(fs, path, WARPFS_RDONLY);', inputs: { path: 'string' } };
  const kernel = await compileCudaKernel({ ...definition, text: cudaKernelText(definition, []), ...variant }, settings());
  const cubins = [kernel, builtin].map(({ module }) => readFileSync(module));
  for (const cubin of cubins) expect([...cubin.subarray(0, 4)]).toEqual(ELF);
  expect(cubins[1]?.length).toBeGreaterThan((cubins[0]?.length ?? 0) * 5);
  for (const name of ['warpfs_program', 'warpfs_sweep', 'warpfs_courier', 'warpfs_abi_hash']) expect(cubins[1]?.includes(name), name).toBe(true);
  expect(cubins[0]?.includes('warpfs_kernel')).toBe(true);
});

test('the variants of the built-in kernels, as the compiler is asked for them', async () => {
  const fake = bindingForTests();
  const library = join(folder, 'libnvrtc.so.12');
  writeFileSync(library, '');
  fake.cuda.nvrtc = { found: true, path: library, version: '12.4', reason: '' };
  const modules = [];
  for (const change of [{}, { arch: 'sm_80' }, { policy: 1 }, { replay: true }]) {
    modules.push((await compileCudaBuiltin({ arch: 'sm_90', policy: 0, replay: false, ...change }, { environment, binding: fake })).module);
  }
  expect(new Set(modules).size).toBe(4);
  const { options, text } = fake.nvrtcRequests[3] as NvrtcRequest;
  expect(options).toEqual(['--gpu-architecture=sm_90', '--std=c++17', '-rdc=true', '--maxrregcount=64', '-DWARPFS_CALLS_HERE=1', '-DWARPFS_POLICY=0', '-DWARPFS_REPLAY=1']);
  expect(text).toContain('warpfs_program');
  expect(text).not.toMatch(/#\s*include\s+"/);
});

test('NVRTC gets the text, its name and the options, and its cubin is kept', async () => {
  const fake = bindingForTests();
  const library = join(folder, 'libnvrtc.so.13');
  writeFileSync(library, '');
  fake.cuda.nvrtc = { found: true, path: library, version: '13.0', reason: '' };
  const { module } = await compileCuda({ ...request, relocatable: true }, { environment, binding: fake });
  expect(fake.nvrtcRequests).toEqual([
    {
      text: `#line 1 "warpfs-shaders"\n${request.text}`,
      name: 'warpfs-shaders',
      options: ['--gpu-architecture=sm_90', '--std=c++17', '-rdc=true', '--maxrregcount=64', '-lineinfo', '-DVALUE=1'],
    },
  ]);
  expect(readFileSync(module, 'utf8')).toBe('a cubin');
  // Another version of the library may compile it otherwise.
  fake.cuda.nvrtc.version = '12.4';
  expect((await compileCuda({ ...request, relocatable: true }, { environment, binding: fake })).cached).toBe(false);
});

test('without a compiler the error says what was looked for and what helps', () => {
  expect(() => requireCudaTool(bindingForTests(), { PATH: '/nowhere' }, '/nowhere')).toThrow(
    expect.objectContaining({
      code: 'ERR_WARPFS_COMPILE',
      message:
        '[warpfs] a kernel for the cuda device needs NVRTC or nvcc, and there is neither: NVRTC no NVRTC in a test; ' +
        'nvcc not found (WARPFS_NVCC, nvcc on PATH, CUDA_PATH/bin, CUDA_HOME/bin, /usr/local/cuda/bin)',
    }),
  );
});

test('which nvcc', () => {
  const mine = join(folder, 'toolkit');
  mkdirSync(join(mine, 'bin'), { recursive: true });
  const path = join(mine, 'bin', 'nvcc');
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  expect(findNvcc({ PATH: '/nowhere', CUDA_PATH: mine })).toEqual({ path, leading: [], from: 'CUDA_PATH' });
  expect(findNvcc({ PATH: '/nowhere', CUDA_HOME: mine })).toMatchObject({ from: 'CUDA_HOME' });
  expect(findNvcc({ PATH: join(mine, 'bin') })).toMatchObject({ path, from: 'nvcc' });
  expect(findNvcc({ WARPFS_NVCC: path })).toMatchObject({ path, from: 'WARPFS_NVCC' });
  expect(() => findNvcc({ WARPFS_NVCC: 'my-nvcc', PATH: '/nowhere' })).toThrow('WARPFS_NVCC: my-nvcc is not a compiler that can be run');
  expect(requireCudaTool(bindingForTests(), { WARPFS_NVCC: path })).toMatchObject({ kind: 'nvcc', compiler: { path } });
});
