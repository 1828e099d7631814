// `node report.js run.json [more.json ...] [report.md]`: what `warpfs bench --device cuda speed --json` measured, beside what was predicted.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from '../../gpufs/bench/benchmark.ts';
import type { Machine, MachineOfGpu } from '../../gpufs/bench/machine.ts';

type ReportedRow = BenchRow | { name: string; unit: string; error: string } | { name: string; unit: string; leftOut: string };

export interface SpeedRun {
  command: string;
  seed: number;
  tiny: boolean;
  device: string;
  date: string;
  commit?: string;
  machine: Machine & { gpu?: MachineOfGpu };
  rows: ReportedRow[];
}

/** Throws where the object is no run of benchmarks on a GPU. */
export function speedReport(run: SpeedRun): string {
  if (run.command !== 'bench' || !Array.isArray(run.rows)) throw new Error('[report] this is not what `warpfs bench --json` writes');
  if (run.device !== 'cuda') throw new Error(`[report] this run was on the ${run.device} device; it takes --device cuda`);
  const measured = run.rows.filter((row): row is BenchRow => 'runs' in row);
  const ceilings = measured.filter(({ name }) => name.startsWith('ceiling_'));
  const rows = measured.filter(({ name }) => !name.startsWith('ceiling_'));
  const failed = run.rows.flatMap((row) => ('error' in row ? [`- \`${row.name}\` failed: ${row.error}`] : []));
  return [
    '# The cuda device at the speed of the bus: a run',
    '',
    ...(run.tiny ? ['**Tiny sizes: these numbers say nothing.**', ''] : []),
    ...describeMachine(run),
    '',
    'Medians of the runs; least and most in brackets. A ratio is that of the two numbers of one run, and the median of these.',
    '',
    ...table(['what', 'goal', 'got', 'ceiling of the same run', 'ratio'], rows.map(rowCells)),
    '',
    '## Ceilings alone',
    '',
    ...table(['what', 'got'], ceilings.map((row) => [`\`${row.name}\``, got(row)])),
    '',
    ...section('Missed', rows.filter((row) => !isReached(row)).map((row) => `- \`${row.name}\`: ${missed(row)}`)),
    ...section('Failed', failed),
    ...section('Notes', rows.filter(({ note }) => note !== undefined).map((row) => `- \`${row.name}\`: ${row.note}`)),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

function describeMachine({ machine, commit, seed, date }: SpeedRun): string[] {
  const { gpu } = machine;
  return table(['', ''], [
    ['GPU', gpu === undefined ? 'unknown' : `${gpu.name}, ${gpu.multiprocessors} multiprocessors, ${gpu.memoryGib} GiB`],
    ['driver', gpu === undefined ? 'unknown' : `${gpu.driver}, CUDA ${gpu.cuda}`],
    ['host', `${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB; ${machine.platform} ${machine.release}, node ${machine.node}`],
    ['WarpFS', `${machine.warpfs}, commit ${commit ?? 'unknown'}`],
    ['seed', String(seed)],
    ['date', date],
  ]);
}

function rowCells(row: BenchRow): string[] {
  const { ratioTo } = row;
  const goals = [...(row.goal === '' ? [] : [`${row.goal} ${row.unit}`]), ...(ratioTo === undefined || ratioTo.goal === '' ? [] : [`${ratioTo.goal} of the ceiling`])];
  return [
    `\`${row.name}\``,
    goals.join(', ') || '-',
    `${got(row)}${isReached(row) ? '' : ' **missed**'}`,
    ratioTo === undefined ? '-' : `${number(ratioTo.ceiling.median)} (\`${ratioTo.name}\`)`,
    ratioTo === undefined ? '-' : spread(ratioTo.ratio),
  ];
}

function got(row: BenchRow): string {
  return `${spread(row)} ${row.unit}`;
}

function isReached({ reached, ratioTo }: BenchRow): boolean {
  return reached && (ratioTo?.reached ?? true);
}

function missed({ reached, goal, value, unit, ratioTo }: BenchRow): string {
  const own = reached ? [] : [`${number(value)} ${unit}, goal ${goal}`];
  const ratio = ratioTo === undefined || ratioTo.reached ? [] : [`${number(ratioTo.ratio.median)} of \`${ratioTo.name}\`, goal ${ratioTo.goal}`];
  return [...own, ...ratio].join('; ');
}

function spread({ median, min, max }: { median: number; min: number; max: number }): string {
  return `${number(median)} (${number(min)} to ${number(max)})`;
}

/** Four significant digits. */
function number(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(4)));
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines, ''];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** Runs of one commit with one seed, each of other rows: what takes too long at once may be measured in parts. */
export function mergeRuns([first, ...others]: readonly SpeedRun[]): SpeedRun {
  if (first === undefined) throw new Error('[report] usage: node report.js run.json [more.json ...] [report.md]');
  for (const { commit, seed, tiny, device, machine } of others) {
    const same = commit === first.commit && seed === first.seed && tiny === first.tiny && device === first.device && machine.gpu?.name === first.machine.gpu?.name;
    if (!same) throw new Error('[report] these runs are not of one commit, one seed and one GPU');
  }
  return { ...first, rows: [first, ...others].flatMap(({ rows }) => rows) };
}

function main(words: readonly string[]): void {
  const runs = words.filter((word) => !word.endsWith('.md')).map((file) => JSON.parse(readFileSync(file, 'utf8')) as SpeedRun);
  const text = speedReport(mergeRuns(runs));
  const [to] = words.filter((word) => word.endsWith('.md'));
  if (to === undefined) process.stdout.write(text);
  else writeFileSync(to, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
