import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Processes of their own: a crash in the addon then fails one file and not the run.
    pool: 'forks',
    // Usually one core stays free; of two that would leave one idle for half of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    include: ['{gpufs,cache,native,model,experiments}/**/*.test.ts', '*.test.ts'],
    testTimeout: 30_000,
  },
});
