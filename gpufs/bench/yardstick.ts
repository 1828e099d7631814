// What a GPU reaches with plain kernels: the yardsticks of native/host/cuda/yardstick.h, by name and as rates.
import { compileCuda } from '../cuda_compiler.ts';
import { cudaArch, cudaObstacle, lookForCuda } from '../cuda_sight.ts';
import { fromNative, WarpfsError } from '../errors.ts';
import { loadNativeBinding, type NativeCudaDevice, type NativeYardstick, type NativeYardstickRequest, type NativeYardstickResult } from '../native_binding.ts';
import { shadersRoot } from '../package_root.ts';
import { flatHeaders } from '../shader_text.ts';
import { type BenchContext, mustBe } from './benchmark.ts';

export const DEVICE_INDEX = 0;

/** The text of all kernels, as the compiler gets it. */
export function yardstickText(root: string = shadersRoot): string {
  return flatHeaders('#include "bench/yardsticks_cuda.h"\n', root);
}

/** Throws ERR_WARPFS_DEVICE, which says what is missing. */
export function cudaDevice(): NativeCudaDevice {
  const sight = lookForCuda(loadNativeBinding().binding);
  const obstacle = cudaObstacle(sight, DEVICE_INDEX);
  if (obstacle !== undefined) throw new WarpfsError('ERR_WARPFS_DEVICE', `this benchmark measures an NVIDIA GPU: ${obstacle}`);
  return sight.devices[DEVICE_INDEX] as NativeCudaDevice;
}

async function openNative(): Promise<NativeYardstick> {
  const { binding } = loadNativeBinding();
  const request = { name: 'warpfs_yardsticks', source: '', text: yardstickText(), arch: cudaArch(cudaDevice()), relocatable: false, lineInfo: false, defines: [] };
  const { module } = await compileCuda(request, { binding });
  return binding.cudaYardstick({ deviceIndex: DEVICE_INDEX, cubin: module });
}

/** One context on the GPU, in which the yardsticks of one benchmark are measured. */
export class Yardstick {
  readonly #native: NativeYardstick;
  readonly #seed: number;
  #start = 0;

  private constructor(native: NativeYardstick, seed: number) {
    this.#native = native;
    this.#seed = seed;
  }

  static async open({ seed, yardstick }: BenchContext): Promise<Yardstick> {
    return new Yardstick(await (yardstick ?? openNative)(), seed);
  }

  /** Throws where a word was wrong. Each measurement goes through its pieces in another order. */
  async measure(request: Omit<NativeYardstickRequest, 'seed' | 'start'>): Promise<NativeYardstickResult> {
    this.#start = (this.#start + 0x9e3779b1) >>> 0;
    const result = await this.#native.measure({ ...request, seed: this.#seed, start: this.#start }).catch((error: unknown) => {
      throw fromNative('yardstick', error);
    });
    mustBe(result.wrongWords === 0, `yardstick ${request.what}: ${result.wrongWords} words or more are wrong`);
    mustBe(result.nanoseconds > 0, `yardstick ${request.what}: it took no time`);
    return result;
  }

  close(): void {
    this.#native.close();
  }
}
