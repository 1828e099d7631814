// `warpfs bench [names]`: what the parts cost on this machine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, Option } from '@commander-js/extra-typings';
import { type BenchContext, type Benchmark, type BenchRow, type BenchSettings, runBenchmark, RUNS_MIN, RUNS_USUAL } from '../bench/benchmark.ts';
import { commit, machine, machineOfGpu } from '../bench/machine.ts';
import { makeFolder } from '../make_folder.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { describeRows, type FailedRow, type Row } from './bench_rows.ts';
import { makeProgress, printJson, type Streams } from './output.ts';
import { deviceFor, prepareDevice } from './prepare_device.ts';
import { seedNumber, unknownName, UsageError, wholeNumber } from './usage.ts';

type BenchDevice = BenchContext['device'];

export function addBench(program: Command, benchmarks: readonly Benchmark[], streams: Streams, finish: (code: number) => void): void {
  const known = benchmarks.map((benchmark) => benchmark.name);
  program
    .command('bench')
    .description('measure what the parts cost; each benchmark checks the work that it measures')
    .argument('[names...]', `benchmarks to run (default: all but those of media). ${listed(benchmarks)}`)
    .option('--tiny', 'sizes that only show that the benchmarks work')
    .option('--json', 'write one JSON object on one line')
    .option('--runs <count>', 'measurements of each benchmark', wholeNumber(RUNS_MIN, 1000), RUNS_USUAL)
    .option('--seed <number>', 'seed of the data and of the offsets', seedNumber, 1)
    .option('--folder <path>', 'where the files of the benchmarks are made and removed (default: the folder of the system for temporary files)')
    .addOption(new Option('--device <name>', 'device to run on').choices(['auto', 'cpu', 'cuda', 'metal'] as const).default('auto' as const))
    .action(async (names, { tiny, json, runs, seed, folder, device }) => {
      for (const name of names) {
        if (name !== SPEED && !known.includes(name)) throw unknownName('benchmark', name, known);
      }
      const named = names.length === 0 ? benchmarks.filter(({ onRequest }) => onRequest !== true) : benchmarks.filter(({ name, cudaOnly }) => names.includes(name) || (cudaOnly === true && names.includes(SPEED)));
      const target = targetOf(device, named);
      const chosen = onDevice(named, target, names.length > 0);
      // One error, before large files are made, where there is no GPU.
      if (chosen.some(({ cudaOnly }) => cudaOnly === true)) deviceFor('cuda', loadNativeBinding().binding);
      if (folder !== undefined) await makeFolder(folder);
      const root = folder ?? tmpdir();
      await prepareDevice(streams, json === true, { device: target });
      const progress = makeProgress(streams, 'bench', json === true);
      const sharedFolder = mkdtempSync(join(root, 'warpfs-bench-data-'));
      const rows: Row[] = [];
      try {
        for (const [index, benchmark] of chosen.entries()) {
          progress.update(index, chosen.length);
          const leftOut = target === 'cpu' ? undefined : benchmark.cpuOnly;
          if (leftOut !== undefined) rows.push({ name: benchmark.name, unit: benchmark.unit, leftOut });
          else rows.push(await measure(benchmark, { seed, tiny: tiny === true, device, root, sharedFolder }, runs));
        }
      } finally {
        progress.stop();
        rmSync(sharedFolder, { recursive: true, force: true });
      }
      const failed = rows.filter((row): row is FailedRow => 'error' in row);
      if (json === true) printJson(streams, { command: 'bench', seed, tiny: tiny === true, device: target, ...(await whereAndWhen(target)), rows });
      else streams.out(describeRows(rows));
      finish(failed.length === 0 ? 0 : 1);
    });
}

/** Instead of a name: all benchmarks of the cuda device alone. */
const SPEED = 'speed';

function listed(benchmarks: readonly Benchmark[]): string {
  const ofCuda = benchmarks.filter(({ cudaOnly }) => cudaOnly === true).map(({ name }) => name);
  const everywhere = benchmarks.filter(({ cudaOnly }) => cudaOnly !== true).map(({ name }) => name);
  const more = ofCuda.length === 0 ? '' : `. With --device cuda also: ${ofCuda.join(', ')}; or ${SPEED}, which is all of these`;
  return `Known: ${everywhere.join(', ')}${more}`;
}

/** Which device 'auto' is only matters to benchmarks that are about one of them; NVIDIA's driver is looked for then alone. */
function targetOf(device: BenchDevice, chosen: readonly Benchmark[]): BenchDevice {
  if (device !== 'auto' || chosen.every(({ cpuOnly, cudaOnly }) => cpuOnly === undefined && cudaOnly !== true)) return device;
  return deviceFor(device, loadNativeBinding().binding);
}

/** What is about the cuda device is no part of the list elsewhere; who asks for it by name is told. */
function onDevice(chosen: readonly Benchmark[], target: BenchDevice, named: boolean): readonly Benchmark[] {
  if (target === 'cuda') return chosen;
  const wrong = chosen.filter(({ cudaOnly }) => cudaOnly === true);
  if (named && wrong.length > 0) {
    const several = wrong.length === 1 ? 'is a benchmark' : 'are benchmarks';
    throw new UsageError(`${wrong.map(({ name }) => name).join(', ')} ${several} of the cuda device alone, and this is the ${target} device: --device cuda`);
  }
  return chosen.filter(({ cudaOnly }) => cudaOnly !== true);
}

async function whereAndWhen(target: BenchDevice): Promise<object> {
  const gpu = target === 'cuda' ? machineOfGpu(loadNativeBinding().binding) : undefined;
  const hash = await commit();
  return { date: new Date().toISOString(), ...(hash === undefined ? {} : { commit: hash }), machine: { ...machine(), ...(gpu === undefined ? {} : { gpu }) } };
}

/** One benchmark that fails does not keep the others from being measured. */
async function measure(benchmark: Benchmark, context: BenchSettings, runs: number): Promise<BenchRow | FailedRow> {
  try {
    return await runBenchmark(benchmark, context, runs);
  } catch (error) {
    return { name: benchmark.name, unit: benchmark.unit, error: (error as Error).message };
  }
}
