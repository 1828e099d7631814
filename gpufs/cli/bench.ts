// `warpfs bench [names]`: what the parts cost on this machine.
import { type Command, Option } from '@commander-js/extra-typings';
import { type BenchContext, type Benchmark, type BenchRow, runBenchmark, RUNS_MIN, RUNS_USUAL } from '../bench/benchmark.ts';
import { machine } from '../bench/machine.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { makeProgress, printJson, type Streams } from './output.ts';
import { deviceFor, prepareDevice } from './prepare_device.ts';
import { formatTable } from './table.ts';
import { seedNumber, unknownName, wholeNumber } from './usage.ts';

type BenchDevice = BenchContext['device'];

interface FailedRow {
  name: string;
  unit: string;
  error: string;
}

interface LeftOutRow {
  name: string;
  unit: string;
  leftOut: string;
}

type Row = BenchRow | FailedRow | LeftOutRow;

export function addBench(program: Command, benchmarks: readonly Benchmark[], streams: Streams, finish: (code: number) => void): void {
  const known = benchmarks.map((benchmark) => benchmark.name);
  program
    .command('bench')
    .description('measure what the parts cost; each benchmark checks the work that it measures')
    .argument('[names...]', `benchmarks to run (default: all). Known: ${known.join(', ')}`)
    .option('--tiny', 'sizes that only show that the benchmarks work')
    .option('--json', 'write one JSON object on one line')
    .option('--runs <count>', 'measurements of each benchmark', wholeNumber(RUNS_MIN, 1000), RUNS_USUAL)
    .option('--seed <number>', 'seed of the data and of the offsets', seedNumber, 1)
    .addOption(new Option('--device <name>', 'device to run on').choices(['auto', 'cpu', 'cuda', 'metal'] as const).default('auto' as const))
    .action(async (names, { tiny, json, runs, seed, device }) => {
      for (const name of names) {
        if (!known.includes(name)) throw unknownName('benchmark', name, known);
      }
      const chosen = names.length === 0 ? benchmarks : benchmarks.filter((benchmark) => names.includes(benchmark.name));
      const target = targetOf(device, chosen);
      await prepareDevice(streams, json === true, { device: target });
      const progress = makeProgress(streams, 'bench', json === true);
      const rows: Row[] = [];
      try {
        for (const [index, benchmark] of chosen.entries()) {
          progress.update(index, chosen.length);
          const leftOut = target === 'cpu' ? undefined : benchmark.cpuOnly;
          if (leftOut !== undefined) rows.push({ name: benchmark.name, unit: benchmark.unit, leftOut });
          else rows.push(await measure(benchmark, { seed, tiny: tiny === true, device }, runs));
        }
      } finally {
        progress.stop();
      }
      const failed = rows.filter((row): row is FailedRow => 'error' in row);
      if (json === true) printJson(streams, { command: 'bench', seed, tiny: tiny === true, device: target, machine: machine(), rows });
      else streams.out(describe(rows));
      finish(failed.length === 0 ? 0 : 1);
    });
}

/** Which device 'auto' is only matters to benchmarks that are about one of them; NVIDIA's driver is looked for then alone. */
function targetOf(device: BenchDevice, chosen: readonly Benchmark[]): BenchDevice {
  if (device !== 'auto' || chosen.every(({ cpuOnly }) => cpuOnly === undefined)) return device;
  return deviceFor(device, loadNativeBinding().binding);
}

/** One benchmark that fails does not keep the others from being measured. */
async function measure(benchmark: Benchmark, context: Parameters<typeof runBenchmark>[1], runs: number): Promise<BenchRow | FailedRow> {
  try {
    return await runBenchmark(benchmark, context, runs);
  } catch (error) {
    return { name: benchmark.name, unit: benchmark.unit, error: (error as Error).message };
  }
}

function describe(rows: readonly Row[]): string {
  const measured = rows.filter((row): row is BenchRow => 'runs' in row);
  const failed = rows.filter((row): row is FailedRow => 'error' in row);
  const leftOut = rows.filter((row): row is LeftOutRow => 'leftOut' in row);
  const table = formatTable(
    ['benchmark', 'median', 'min', 'max', 'unit', 'runs', 'goal'],
    measured.map((row) => [row.name, row.value, row.min, row.max, row.unit, row.runs, row.goal === '' ? '' : `${row.goal}${row.reached ? '' : ' (missed)'}`]),
  );
  const notes = [...leftOut.map((row) => `left out ${row.name}: ${row.leftOut}\n`), ...failed.map((row) => `FAILED ${row.name}: ${row.error}\n`)];
  return `${table}\n${notes.join('')}`;
}
