// Which suites mount a device, and which of them can run on another one than the cpu device.

/** They run on the device that WARPFS_TEST_DEVICE names. */
export const deviceSuites: readonly string[] = [
  'gpufs/conformance/device.test.ts',
  'gpufs/conformance/posix.test.ts',
  'gpufs/conformance/kernels.test.ts',
  'gpufs/conformance/kernel_corners.test.ts',
  'gpufs/conformance/kernel_memory.test.ts',
  'gpufs/conformance/property.test.ts',
  'gpufs/conformance/stress.test.ts',
  'gpufs/conformance/host_faults.test.ts',
  'gpufs/conformance/large_cache.test.ts',
  'gpufs/conformance/medium.test.ts',
  'gpufs/conformance/mtlio.test.ts',
  'gpufs/conformance/sandbox.test.ts',
  'gpufs/conformance/scale.test.ts',
  'gpufs/conformance/fio.test.ts',
  'gpufs/conformance/cuda_fill.test.ts',
  'gpufs/conformance/cuda_stores.test.ts',
  'gpufs/conformance/cuda_trouble.test.ts',
  'gpufs/conformance/own_process.test.ts',
  'gpufs/conformance/own_process_errors.test.ts',
  'gpufs/conformance/own_process_exit.test.ts',
  'gpufs/bench/medium_benchmarks.native.test.ts',
  'experiments/experiments.test.ts',
  'experiments/nvme_queue.native.test.ts',
  'gpufs/exercise/exercise.test.ts',
  'gpufs/listing.native.test.ts',
  'gpufs/cli/metal_self_test.native.test.ts',
];

const CHECK_MODE = 'check mode orders the accesses of the cpu device, and of no other';
const BASELINE = 'a baseline in small and in check mode; experiments.test.ts runs it on every device';
const NO_DEVICE = 'it asks the addon and mounts nothing';

/** They use the addon and no other device than the cpu device, and why. */
export const cpuSuites: Readonly<Record<string, string>> = {
  'experiments/agile.native.test.ts': BASELINE,
  'experiments/bam.native.test.ts': BASELINE,
  'experiments/cam.native.test.ts': BASELINE,
  'experiments/copilot.native.test.ts': BASELINE,
  'experiments/gpufs_style.native.test.ts': BASELINE,
  'experiments/cuda_texts.test.ts': 'what it compiles is for a GPU, and runs nowhere',
  'experiments/nvme_controller.native.test.ts': NO_DEVICE,
  'gpufs/check/check_mount.test.ts': CHECK_MODE,
  'gpufs/check/planted.test.ts': CHECK_MODE,
  'gpufs/check/progress_models.test.ts': CHECK_MODE,
  'gpufs/check/property_faults.test.ts': CHECK_MODE,
  'gpufs/check/property_fsync.test.ts': CHECK_MODE,
  'gpufs/check/property_linearizable.test.ts': CHECK_MODE,
  'gpufs/check/property_oracle.test.ts': CHECK_MODE,
  'gpufs/check/property_protocol.test.ts': CHECK_MODE,
  'gpufs/check/property_twice.test.ts': CHECK_MODE,
  'gpufs/cli/check_native.test.ts': CHECK_MODE,
  'native/check/progress.test.ts': CHECK_MODE,
  'gpufs/bench/cuda_kernels.test.ts': NO_DEVICE,
  'gpufs/bench/yardstick.native.test.ts': NO_DEVICE,
  'gpufs/cli/cli.test.ts': NO_DEVICE,
  'gpufs/cuda_compiler.test.ts': NO_DEVICE,
  'gpufs/kernel_memory.test.ts': 'its device is played by arrays',
  'gpufs/cuda_driver.native.test.ts': NO_DEVICE,
  'gpufs/cuda_exit.native.test.ts': 'its driver is a stand-in',
  'gpufs/mount_place.native.test.ts': 'its driver is a stand-in',
  'gpufs/media/media.native.test.ts': NO_DEVICE,
  'native/abi/abi.test.ts': NO_DEVICE,
};
