// Everything that the benchmarks of the cuda device run on a GPU compiles, with NVRTC or nvcc, whichever is there. No GPU is needed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileCuda } from '../cuda_compiler.ts';
import { compileCudaKernel } from '../cuda_kernels.ts';
import { lookForCuda } from '../cuda_sight.ts';
import { checkDefinition, type KernelDefinition } from '../kernel_definition.ts';
import { cudaKernelText } from '../kernel_source.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { besideKernel, gatherKernel, latencyKernel, loadKernel, mapKernel, readKernel, writeKernel } from './speed_kernels.ts';
import { yardstickText } from './yardstick.ts';

const { binding } = loadNativeBinding();
const sight = lookForCuda(binding);
const found = sight.nvrtc.found || sight.nvcc.found;
const kernels: readonly KernelDefinition[] = [
  readKernel(4096), readKernel(512), readKernel(4096, 32), mapKernel, loadKernel, gatherKernel, latencyKernel, besideKernel(32), writeKernel,
];

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-bench-cuda-'));
  environment = { ...process.env, WARPFS_CACHE_DIR: join(folder, 'cache') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function cudaTest(name: string, body: () => Promise<void>): void {
  if (found) test(name, { timeout: 120_000 }, body);
  else test.skip(`SKIP neither NVRTC nor nvcc: ${name}`, () => undefined);
}

cudaTest('the yardsticks', async () => {
  const request = { name: 'yardsticks', source: '', text: yardstickText(), relocatable: false, lineInfo: false, defines: [] };
  for (const arch of ['sm_80', 'sm_90']) {
    const { module } = await compileCuda({ ...request, arch }, { environment, binding });
    const cubin = readFileSync(module, 'latin1');
    for (const name of ['read_4096', 'read_4096_pinned', 'read_512', 'read_256', 'read_256_pinned', 'random_4', 'copy_4096', 'write_4096', 'ring']) {
      expect(cubin, name).toContain(`.text.${name}\0`);
    }
  }
});

for (const [index, kernel] of kernels.entries()) {
  cudaTest(`kernel ${index}, ${kernel.name}`, async () => {
    const { name, source } = kernel;
    const text = cudaKernelText(kernel, checkDefinition(kernel).shared);
    const { module } = await compileCudaKernel({ name, source, text, arch: 'sm_90', policy: 0, replay: false }, { environment, binding });
    expect(readFileSync(module).length).toBeGreaterThan(0);
  });
}
