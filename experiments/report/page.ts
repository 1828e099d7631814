// The report as one page that needs nothing beside it: the scripts that draw are in it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TopLevelSpec } from 'vega-lite';
import { finderOf, verdictsOf } from '../verdict.ts';
import { pointOf, type Row, systemOf } from '../rows.ts';
import { nameOf, originsOf, type Part, titleOf } from './chosen_rows.ts';
import { escapeHtml, htmlTable, inScript, shortNumber } from './html.ts';

export interface DrawnFigure {
  /** As its files are called. */
  name: string;
  spec: TopLevelSpec;
  svg: string;
}

export interface DrawnPart extends Part {
  figures: DrawnFigure[];
}

const STYLE = `
  body { font: 15px/1.45 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; }
  table { border-collapse: collapse; margin: .6rem 0 1.4rem; font-size: 13px; } th, td { border-bottom: 1px solid #ddd; padding: .25rem .6rem; text-align: left; vertical-align: top; }
  .number { text-align: right; font-variant-numeric: tabular-nums; } .figure { display: inline-block; margin: 0 1.5rem 1rem 0; } .wrong { color: #b00020; font-weight: 600; } .origin { color: #555; font-size: 12px; }
`;

/** The static picture stays where no script runs; what was drawn is counted for whoever tests the page. */
const DRAW = `
  const body = document.body.dataset;
  body.drawn = '0';
  body.failed = '';
  for (const place of document.querySelectorAll('.figure')) {
    const spec = JSON.parse(document.getElementById(place.id + '-spec').textContent);
    vegaEmbed(place, spec, { renderer: 'svg', actions: { export: true, source: false, compiled: false, editor: false } }).then(
      () => { body.drawn = String(Number(body.drawn) + 1); },
      (error) => { body.failed += place.id + ': ' + error + '\\n'; });
  }
`;

export function reportPage(parts: readonly DrawnPart[]): string {
  const drawn = parts.flatMap(({ figures }) => figures);
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>WarpFS: experiments</title>',
    `<style>${STYLE}</style>\n</head>\n<body>`,
    '<h1>WarpFS: experiments</h1>',
    '<p>Medians of interleaved runs. A band is where 95 of 100 bootstrap samples of the runs have their median. Every answer was compared with a CPU computation; what was wrong has no number.</p>',
    ...(parts.length < 2 ? [] : [`<ul>${parts.map((part) => `<li><a href="#${nameOf(part)}">${escapeHtml(titleOf(part))}</a></li>`).join('')}</ul>`]),
    ...parts.map(partHtml),
    ...drawn.map(({ name, spec }) => `<script type="application/json" id="figure-${name}-spec">${inScript(JSON.stringify(spec))}</script>`),
    ...(drawn.length === 0 ? [] : [...libraries().map((text) => `<script>${inScript(text)}</script>`), `<script>${DRAW}</script>`]),
    '</body>\n</html>\n',
  ].join('\n');
}

function libraries(): string[] {
  const require = createRequire(import.meta.url);
  return ['vega/build/vega.min.js', 'vega-lite/build/vega-lite.min.js', 'vega-embed/build/vega-embed.min.js'].map((name) => {
    const text = readFileSync(fileOf(require, name), 'utf8');
    return text.replace(/^\/\/# sourceMappingURL=.*$/m, '');
  });
}

/** These packages export no such path, so it is found from one that they do export. */
function fileOf(require: NodeJS.Require, name: string): string {
  const [packageName = '', ...rest] = name.split('/');
  for (const folder of require.resolve.paths(packageName) ?? []) {
    const file = [folder, packageName, ...rest].join('/');
    try {
      readFileSync(file);
      return file;
    } catch {
      continue; // the next folder above
    }
  }
  throw new Error(`[warpfs] ${name} is not installed: npm ci`);
}

function partHtml(part: DrawnPart): string {
  const { experiment, rows, figures } = part;
  const failed = [...new Set(rows.filter(({ verified }) => !verified).map((row) => `${systemOf(row)}, ${pointOf(row.parameters)}: ${row.failure ?? 'the answer is wrong'}`))];
  const tiny = rows.some(({ profile }) => profile === 'tiny');
  return [
    `<h2 id="${nameOf(part)}">${escapeHtml(titleOf(part))}</h2>`,
    `<p>${escapeHtml(experiment.question)}</p>`,
    tiny ? '<p class="wrong">Tiny sizes: these numbers say nothing.</p>' : '',
    ...failed.map((text) => `<p class="wrong">FAILED ${escapeHtml(text)}</p>`),
    ...figures.map(({ name, svg }) => `<div class="figure" id="figure-${name}">${svg}</div>`),
    '<h3>Predicted and measured</h3>',
    htmlTable(['what', 'predicted', 'measured', 'unit', 'verdict', 'because'], verdictsOf(experiment, rows).map(({ what, predicted, measured, unit, verdict, because }) => [what, predicted, measured ?? '-', unit, verdict, because]), shortNumber),
    ...papersHtml(part),
    `<details><summary>All ${rows.length} medians</summary>`,
    htmlTable(['point', 'system', 'metric', 'median', '95 % from', 'to', 'unit', 'runs'], rows.map(rowCells), shortNumber),
    '</details>',
    ...originsOf(rows).map((text) => `<p class="origin">${escapeHtml(text)}</p>`),
  ].join('\n');
}

function papersHtml({ experiment, rows }: Part): string[] {
  if (experiment.papers.length === 0) return [];
  const find = finderOf(rows);
  const lines = experiment.papers.map(({ system, what, value, unit, on, source, ours, design }) => [system, what, value, unit, on, source, ours?.(find) ?? '-', design?.(find) ?? '-']);
  return ['<h3>What papers say, and what was measured here</h3>', htmlTable(['system', 'what', 'there', 'unit', 'on', 'source', 'here: this cache', 'here: that design'], lines, shortNumber)];
}

function rowCells(row: Row): (string | number)[] {
  const { parameters, metric, value, low, high, unit, values, verified } = row;
  const system = systemOf(row);
  if (!verified) return [pointOf(parameters), system, metric, 'FAILED', '-', '-', unit, 0];
  return [pointOf(parameters), system, metric, value ?? '-', low ?? '-', high ?? '-', unit, values.length];
}
