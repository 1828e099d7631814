// A figure as vega-lite draws it: a line for each system, a band for what the bootstrap says of its medians, and the numbers at the mouse.
import type { TopLevelSpec } from 'vega-lite';
import type { Figure } from '../experiment.ts';
import { pointOf, type Row, systemOf } from '../rows.ts';

export const FONT = 'DejaVu Sans';

/** Told apart also by those who see no difference of red and green (Okabe and Ito), and by their shapes in print. */
const colours = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#7F7F7F', '#8C564B', '#BCBD22', '#17BECF'];
const dashes = [[1, 0], [6, 3]];
const shapes = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-right', 'triangle-left', 'stroke', 'arrow', 'wedge'];

interface Datum {
  x: number | string;
  value: number;
  low: number;
  high: number;
  system: string;
  point: string;
}

/** Undefined where nothing of it was measured. `systems`: all that there are, so that each has one colour in all figures. */
export function figureSpec(figure: Figure, rows: readonly Row[], systems: readonly string[]): TopLevelSpec | undefined {
  const data = dataOf(figure, rows);
  if (data.length === 0) return undefined;
  const order = systems.filter((system) => data.some((datum) => datum.system === system));
  const unit = rows.find((row) => row.metric === figure.metric)?.unit ?? '';
  const x = { field: 'x', type: figure.x.names === true ? 'nominal' : 'quantitative', title: figure.x.title, sort: null, ...(figure.x.names === true ? {} : { scale: scaleOf(figure.x.log, data.every(({ x: at }) => at !== 0)) }), axis: axisOf(figure) };
  const y = { title: figure.y.title, type: 'quantitative', scale: scaleOf(figure.y.log, data.every(({ low }) => low > 0)) };
  const of = { field: 'system', type: 'nominal', title: null, sort: order, legend: { symbolOpacity: 1 } };
  const styles = order.map((system) => styleOf(systems.indexOf(system)));
  const dash = { ...of, scale: { domain: order, range: styles.map((style) => style.dash) } };
  const colour = { ...of, scale: { domain: order, range: styles.map((style) => style.colour) } };
  // Beside each other where they share a name, not one on the other.
  const aside = figure.x.names === true ? { xOffset: { ...of, legend: undefined, scale: { domain: order } } } : {};
  const tooltip = [
    { field: 'system', type: 'nominal', title: 'system' },
    { field: 'point', type: 'nominal', title: 'at' },
    { field: 'value', type: 'quantitative', title: `${figure.metric} (${unit})`, format: '.4~g' },
    { field: 'low', type: 'quantitative', title: '95 % from', format: '.4~g' },
    { field: 'high', type: 'quantitative', title: 'to', format: '.4~g' },
  ];
  const spread = figure.x.names === true ? { mark: { type: 'rule', strokeWidth: 2 } } : { mark: { type: 'area', opacity: 0.18 } };
  const layers: object[] = [
    { ...spread, encoding: { x, ...aside, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: colour } },
    ...(figure.x.names === true ? [] : [{ mark: { type: 'line', strokeWidth: 1.5 }, encoding: { x, y: { ...y, field: 'value' }, color: colour, strokeDash: dash } }]),
    {
      mark: { type: 'point', filled: true, size: 45, opacity: 1 },
      encoding: { x, ...aside, y: { ...y, field: 'value' }, color: colour, shape: { ...of, scale: { domain: order, range: styles.map((style) => style.shape) } }, tooltip },
    },
    ...(figure.marks ?? []).flatMap((mark) => marksOf(mark)),
  ];
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: figure.title, width: 420, height: 260, background: 'white', data: { values: data }, layer: layers,
    config: { font: FONT, axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: 'normal', gridColor: '#e6e6e6' }, legend: { labelFontSize: 11 }, title: { fontSize: 13 } },
  } as unknown as TopLevelSpec;
}

function dataOf({ metric, x, where = {} }: Figure, rows: readonly Row[]): Datum[] {
  return rows.flatMap((row) => {
    const at = row.parameters[x.parameter];
    const shown = row.metric === metric && Object.entries(where).every(([name, value]) => row.parameters[name] === value);
    if (!shown || at === undefined || row.value === null || !row.verified) return [];
    return [{ x: at, value: row.value, low: row.low ?? row.value, high: row.high ?? row.value, system: systemOf(row), point: pointOf(row.parameters) }];
  });
}

/** A logarithm of nothing would be drawn nowhere. */
function scaleOf(log: true | undefined, possible: boolean): object {
  return log === true && possible ? { type: 'log', nice: false, padding: 14 } : { zero: false, padding: 14 };
}

function axisOf({ x }: Figure): object {
  return x.names === true ? { labelAngle: -30, title: null } : { format: '~s' };
}

/** Who shares a colour has another shape, and another line. */
function styleOf(index: number): { colour: string; shape: string; dash: readonly number[] } {
  const again = Math.floor(index / colours.length);
  return {
    colour: colours[index % colours.length] as string,
    shape: shapes[(index + 4 * again) % shapes.length] as string,
    dash: dashes[again % dashes.length] as readonly number[],
  };
}

function marksOf({ x, label }: { x: number; label: string }): object[] {
  const at = { datum: x, type: 'quantitative' };
  return [
    { mark: { type: 'rule', strokeDash: [4, 3], color: '#555' }, encoding: { x: at } },
    { mark: { type: 'text', align: 'left', dx: 4, baseline: 'top', color: '#555', fontSize: 10, text: label }, encoding: { x: at, y: { value: 4 } } },
  ];
}
