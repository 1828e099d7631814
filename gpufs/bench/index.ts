// All benchmarks, in the order in which they run.
import type { Benchmark } from './benchmark.ts';
import { callBenchmarks } from './call_benchmarks.ts';
import { checkBenchmarks } from './check_benchmarks.ts';
import { cudaBenchmarks } from './cuda_benchmarks.ts';
import { deviceBenchmarks } from './device_benchmarks.ts';
import { fileBenchmarks } from './file_benchmarks.ts';
import { mediumBenchmarks } from './medium_benchmarks.ts';
import { openBenchmarks } from './open_benchmarks.ts';
import { readBenchmarks } from './read_benchmarks.ts';
import { replayBenchmarks } from './replay_benchmarks.ts';

export const benchmarks: readonly Benchmark[] = [
  ...callBenchmarks, ...readBenchmarks, ...fileBenchmarks, ...openBenchmarks, ...replayBenchmarks, ...deviceBenchmarks, ...mediumBenchmarks, ...checkBenchmarks, ...cudaBenchmarks,
];
