// `npm run test:cuda`: every suite that takes a device, on a GPU of NVIDIA.
import { defineConfig } from 'vitest/config';
import { deviceSuites } from './gpufs/conformance/device_suites.ts';

process.env['WARPFS_TEST_DEVICE'] = 'cuda';

export default defineConfig({
  test: {
    pool: 'forks',
    include: [...deviceSuites],
    globalSetup: ['gpufs/conformance/require_device.ts'],
    env: { WARPFS_TEST_DEVICE: 'cuda' },
    // Processes take turns on a GPU, and a wait that is long for that reason looks like one that is wrong.
    fileParallelism: false,
    testTimeout: 120_000,
  },
});
