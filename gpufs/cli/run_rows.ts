// The outcome of an experiment as text: what was measured, what was predicted, what was left out.
import type { Experiment } from '../../experiments/experiment.ts';
import { pointOf, type Row, systemOf } from '../../experiments/rows.ts';
import type { LeftOut } from '../../experiments/run_experiment.ts';
import { isFake } from '../bench/machine.ts';
import { RAW } from '../media/media.ts';
import { verdictsOf } from '../../experiments/verdict.ts';
import { type Cell, formatNumber, formatTable } from './table.ts';

export function describeExperiment(experiment: Experiment, rows: readonly Row[], leftOut: readonly LeftOut[], file: string): string {
  const failed = [...new Set(rows.filter((row) => !row.verified).map((row) => `FAILED ${systemOf(row)}, ${pointOf(row.parameters)}: ${row.failure ?? 'the answer is wrong'}\n`))];
  const times = [...new Set(rows.filter((row) => row.medium !== RAW && row.note !== undefined).map((row) => `${systemOf(row)}, ${pointOf(row.parameters)}: ${row.note}\n`))];
  const verdict = rows.length === 0 ? 'nothing was measured' : failed.length === 0 ? `every answer was right in ${countOfRuns(rows)} of each` : 'NOT every answer was right';
  return [
    `${experiment.title}\n${experiment.question}\n\n`,
    isFake(rows[0]?.machine.gpu) ? `measured on ${rows[0]?.machine.gpu?.name}: that the work is done is all that this shows\n\n` : '',
    rows.length === 0 ? '' : `${measuredTable(experiment, rows)}\n\n`,
    rows.length === 0 ? '' : `${predictedTable(experiment, rows)}\n\n`,
    ...times,
    ...leftOut.map(({ what, reason }) => `left out ${what}: ${reason}\n`),
    ...failed,
    `${verdict}\nresult file: ${file}\n\n`,
  ].join('');
}

/** Slow systems have fewer. */
function countOfRuns(rows: readonly Row[]): string {
  const runs = rows.map(({ values }) => values.length);
  const [fewest, most] = [Math.min(...runs), Math.max(...runs)];
  return `${fewest === most ? most : `${fewest} to ${most}`} ${most === 1 ? 'run' : 'runs'}`;
}

/** One line for each point and system, one column for each metric. */
function measuredTable({ metrics }: Experiment, rows: readonly Row[]): string {
  const parameters = [...new Set(rows.flatMap((row) => Object.keys(row.parameters)))];
  const lines = new Map<string, { first: Row; of: Map<string, Row> }>();
  for (const row of rows) {
    const key = `${pointOf(row.parameters)} ${systemOf(row)}`;
    const line = lines.get(key) ?? { first: row, of: new Map<string, Row>() };
    line.of.set(row.metric, row);
    lines.set(key, line);
  }
  const used = Object.keys(metrics).filter((metric) => rows.some((row) => row.metric === metric));
  return formatTable(
    [...parameters, 'system', ...used.map((metric) => `${metric} (${metrics[metric]})`)],
    [...lines.values()].map(({ first, of }) => [...parameters.map((name) => first.parameters[name] ?? ''), systemOf(first), ...used.map((metric) => cellOf(of.get(metric)))]),
  );
}

function cellOf(row: Row | undefined): Cell {
  if (row === undefined) return '-';
  if (!row.verified) return 'FAILED';
  if (row.values.length < 2) return formatNumber(row.value ?? Number.NaN);
  return `${formatNumber(row.value ?? Number.NaN)} (${formatNumber(row.low ?? Number.NaN)} to ${formatNumber(row.high ?? Number.NaN)})`;
}

function predictedTable(experiment: Experiment, rows: readonly Row[]): string {
  return formatTable(
    ['predicted', '', 'measured', 'unit', 'verdict'],
    verdictsOf(experiment, rows).map(({ what, predicted, measured, unit, verdict }) => [what, predicted, measured === undefined ? '-' : formatNumber(measured), unit, verdict]),
  );
}
