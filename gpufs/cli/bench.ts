// `warpfs bench [names]`: what the parts cost on this machine.
import { type Command, Option } from '@commander-js/extra-typings';
import { type Benchmark, type BenchRow, runBenchmark, RUNS_MIN, RUNS_USUAL } from '../bench/benchmark.ts';
import { machine } from '../bench/machine.ts';
import { makeProgress, printJson, type Streams } from './output.ts';
import { formatTable } from './table.ts';
import { seedNumber, unknownName, wholeNumber } from './usage.ts';

interface FailedRow {
  name: string;
  unit: string;
  error: string;
}

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
      const progress = makeProgress(streams, 'bench', json === true);
      const rows: (BenchRow | FailedRow)[] = [];
      try {
        for (const [index, benchmark] of chosen.entries()) {
          progress.update(index, chosen.length);
          rows.push(await measure(benchmark, { seed, tiny: tiny === true, device }, runs));
        }
      } finally {
        progress.stop();
      }
      const failed = rows.filter((row): row is FailedRow => 'error' in row);
      if (json === true) printJson(streams, { command: 'bench', seed, tiny: tiny === true, machine: machine(), rows });
      else streams.out(describe(rows));
      finish(failed.length === 0 ? 0 : 1);
    });
}

/** One benchmark that fails does not keep the others from being measured. */
async function measure(benchmark: Benchmark, context: Parameters<typeof runBenchmark>[1], runs: number): Promise<BenchRow | FailedRow> {
  try {
    return await runBenchmark(benchmark, context, runs);
  } catch (error) {
    return { name: benchmark.name, unit: benchmark.unit, error: (error as Error).message };
  }
}

function describe(rows: readonly (BenchRow | FailedRow)[]): string {
  const measured = rows.filter((row): row is BenchRow => !('error' in row));
  const failed = rows.filter((row): row is FailedRow => 'error' in row);
  const table = formatTable(
    ['benchmark', 'median', 'min', 'max', 'unit', 'runs', 'goal'],
    measured.map((row) => [row.name, row.value, row.min, row.max, row.unit, row.runs, row.goal === '' ? '' : `${row.goal}${row.reached ? '' : ' (missed)'}`]),
  );
  return `${table}\n${failed.map((row) => `FAILED ${row.name}: ${row.error}\n`).join('')}`;
}
