// The benchmarks of the cuda device: what the GPU, its bus and the host reach, and WarpFS beside them.
import type { Benchmark } from './benchmark.ts';
import { ceilingBenchmarks } from './ceilings.ts';
import { coldBenchmarks } from './cold_benchmarks.ts';
import { gwriteBenchmarks } from './gwrite_benchmarks.ts';
import { hotBenchmarks } from './hot_benchmarks.ts';
import { sharingBenchmarks } from './sharing_benchmarks.ts';

export const cudaBenchmarks: readonly Benchmark[] = [...ceilingBenchmarks, ...coldBenchmarks, ...hotBenchmarks, ...sharingBenchmarks, ...gwriteBenchmarks];
