// The outcome of benchmarks as a table.
import type { BenchRow } from '../bench/benchmark.ts';
import { formatNumber, formatTable } from './table.ts';

export interface FailedRow {
  name: string;
  unit: string;
  error: string;
}

export interface LeftOutRow {
  name: string;
  unit: string;
  leftOut: string;
}

export type Row = BenchRow | FailedRow | LeftOutRow;

export function describeRows(rows: readonly Row[]): string {
  const measured = rows.filter((row): row is BenchRow => 'runs' in row);
  const failed = rows.filter((row): row is FailedRow => 'error' in row);
  const leftOut = rows.filter((row): row is LeftOutRow => 'leftOut' in row);
  const compared = measured.some(({ ratioTo }) => ratioTo !== undefined);
  const table = formatTable(
    ['benchmark', 'median', 'min', 'max', 'unit', 'runs', 'goal', ...(compared ? ['beside it'] : [])],
    measured.map((row) => [row.name, row.value, row.min, row.max, row.unit, row.runs, judged(row), ...(compared ? [beside(row)] : [])]),
  );
  const notes = [
    ...measured.filter(({ note }) => note !== undefined).map((row) => `${row.name}: ${row.note}\n`),
    ...leftOut.map((row) => `left out ${row.name}: ${row.leftOut}\n`),
    ...failed.map((row) => `FAILED ${row.name}: ${row.error}\n`),
  ];
  return `${table}\n${notes.join('')}`;
}

function judged({ goal, reached }: { goal: string; reached: boolean }): string {
  return goal === '' ? '' : `${goal}${reached ? '' : ' (missed)'}`;
}

/** `0.97 of ceiling_read_4k = 12.41, goal >= 0.96` */
function beside({ ratioTo }: BenchRow): string {
  if (ratioTo === undefined) return '';
  const goal = ratioTo.goal === '' ? '' : `, goal ${judged(ratioTo)}`;
  return `${formatNumber(ratioTo.ratio.median)} of ${ratioTo.name} = ${formatNumber(ratioTo.ceiling.median)}${goal}`;
}
