// The kernels of every system compile for a GPU, with NVRTC or nvcc, whichever is there. No GPU is needed: the systems are prepared on the cpu
// device, and what they give to be compiled is compiled once more.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { kernelsMissing, testDevice } from '../gpufs/conformance/test_device.ts';
import { compileCudaKernel } from '../gpufs/cuda_kernels.ts';
import { lookForCuda } from '../gpufs/cuda_sight.ts';
import { checkDefinition, type KernelDefinition } from '../gpufs/kernel_definition.ts';
import { cudaKernelText } from '../gpufs/kernel_source.ts';
import { loadNativeBinding } from '../gpufs/native_binding.ts';
import { experimentCatalogue } from './catalogue.ts';
import type { Job } from './system.ts';
import { read } from './workloads/read.ts';
import { update } from './workloads/update.ts';

const given: KernelDefinition[] = [];
vi.mock('./kernel_system.ts', async (original) => {
  const real = await original<typeof import('./kernel_system.ts')>();
  return {
    ...real,
    kernelOn: (fs: Parameters<typeof real.kernelOn>[0], definition: KernelDefinition) => {
      given.push(definition);
      return real.kernelOn(fs, definition);
    },
    prepareKernelSystem: (name: string, job: Job, system: Parameters<typeof real.prepareKernelSystem>[2]) => {
      given.push(real.kernelOfSystem(name, job, system));
      return real.prepareKernelSystem(name, job, system);
    },
  };
});

function obstacle(): string | undefined {
  const missing = nativePresence().missing ?? kernelsMissing();
  if (missing !== undefined || testDevice !== 'cpu') return missing ?? 'the cpu device prepares them';
  const { nvrtc, nvcc } = lookForCuda(loadNativeBinding().binding);
  return nvrtc.found || nvcc.found ? undefined : 'neither NVRTC nor nvcc';
}
const cannot = obstacle();
const { systems } = await experimentCatalogue();

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-cuda-texts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'kernels for a GPU' : `SKIP ${cannot}`, () => {
  // host_loads runs none.
  test.each(systems.filter(({ name }) => name !== 'host_loads'))('$name', async (system) => {
    const root = join(folder, system.name);
    mkdirSync(root);
    await makeDataFile(join(root, 'data'), 2 ** 18, 1);
    const job: Job = {
      device: 'cpu', medium: 'raw', root, file: 'data', workload: update, fileBytes: 2 ** 18, changedBytes: 2 ** 14, cacheBytes: 2 ** 16, lineBytes: 4096, items: 4, accessBytes: 4096,
      threads: 1, io: 'auto', advice: 'normal',
    };
    given.length = 0;
    await (await system.prepare(system.cannot?.(job) === undefined ? job : { ...job, workload: read })).close();
    expect(given.length).toBeGreaterThan(0);
    for (const definition of given) {
      const { name, source } = definition;
      const text = cudaKernelText(definition, checkDefinition(definition).shared);
      const request = { name, source, text, arch: 'sm_90', policy: 0, replay: false };
      const { module } = await compileCudaKernel(request, { binding: loadNativeBinding().binding, environment: { ...process.env, WARPFS_CACHE_DIR: join(folder, 'cache') } });
      expect(readFileSync(module).length).toBeGreaterThan(0);
    }
  }, 120_000);
});
