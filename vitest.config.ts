import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Processes of their own: a crash in the addon then fails one file and not the run.
    pool: 'forks',
    include: ['{gpufs,cache,native,model,experiments}/**/*.test.ts', '*.test.ts'],
    testTimeout: 30_000,
  },
});
