// What this machine has for NVIDIA's GPUs, and what it lacks for a mount on one.
import { type CudaBinding, cudaToolMissing, findNvcc } from './cuda_tools.ts';
import type { NativeCudaDevice, NativeCudaProbe } from './native_cuda.ts';

/** Independent progress of lanes and the fences of the dialect begin here. */
const COMPUTE_MIN = 70;

export interface CudaSight extends NativeCudaProbe {
  nvcc: { found: boolean; detail: string };
}

/** Where the addon is missing, which would have looked. */
export function cudaUnseen(reason: string, environment: NodeJS.ProcessEnv = process.env): CudaSight {
  return { driver: { found: false, reason }, devices: [], nvrtc: { found: false, reason }, nvcc: lookForNvcc(environment) };
}

export function lookForCuda(binding: CudaBinding, environment: NodeJS.ProcessEnv = process.env): CudaSight {
  return { ...binding.cudaProbe(), nvcc: lookForNvcc(environment) };
}

function lookForNvcc(environment: NodeJS.ProcessEnv): CudaSight['nvcc'] {
  try {
    const found = findNvcc(environment);
    return found === undefined ? { found: false, detail: 'not found' } : { found: true, detail: `${found.path} (${found.from})` };
  } catch (error) {
    return { found: false, detail: (error as Error).message };
  }
}

/** Why nothing can run on this GPU, and what to do; undefined where everything is there. Of one that does not exist only the rest is said. */
export function cudaObstacle({ driver, devices, nvrtc, nvcc }: CudaSight, index: number): string | undefined {
  if (driver.reason !== '') return driver.reason;
  const device = devices[index] ?? devices[0];
  if (device === undefined) return 'the driver lists no device';
  if (device.computeMajor * 10 + device.computeMinor < COMPUTE_MIN) {
    return `device ${device.index}, ${device.name}, has compute capability ${device.computeMajor}.${device.computeMinor}, and 7.0 is the least`;
  }
  return nvrtc.found || nvcc.found ? undefined : `no compiler: ${cudaToolMissing(nvrtc.reason)}`;
}

/** `sm_90` */
export function cudaArch({ computeMajor, computeMinor }: NativeCudaDevice): string {
  return `sm_${computeMajor}${computeMinor}`;
}

/** What is there, line by line, as [name, detail]. */
export function describeCuda({ driver, devices, nvrtc, nvcc }: CudaSight): [string, string][] {
  return [
    ['cuda driver', driver.reason === '' ? `${driver.path} (${driver.version})` : driver.reason],
    ...devices.map((device): [string, string] => [`cuda device ${device.index}`, describeCudaDevice(device)]),
    ['nvrtc', nvrtc.found ? `${nvrtc.path} (${nvrtc.version})` : nvrtc.reason],
    ['nvcc', nvcc.detail],
  ];
}

/** `NVIDIA H200, sm_90, 132 multiprocessors, 139.8 GiB` */
export function describeCudaDevice(device: NativeCudaDevice): string {
  return `${device.name}, ${cudaArch(device)}, ${device.multiprocessors} multiprocessors, ${(device.memoryBytes / 2 ** 30).toFixed(1)} GiB`;
}
