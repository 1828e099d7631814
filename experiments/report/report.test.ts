// The report: which rows it shows, what it refuses, and that its page works in a browser without any network.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { machine } from '../../gpufs/bench/machine.ts';
import { sheepCatalogue } from '../../gpufs/cli/sheep_for_tests.ts';
import type { Experiment, Figure } from '../experiment.ts';
import { RESULT_FORMAT, type Row, systemOf } from '../rows.ts';
import { finderOf, verdictsOf } from '../verdict.ts';
import { nameOf, originsOf, partsOf, titleOf } from './chosen_rows.ts';
import { figureSpec } from './figure_spec.ts';
import { inScript } from './html.ts';
import { writeReport } from './write_report.ts';

const folder = mkdtempSync(join(tmpdir(), 'warpfs-report-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function row(more: Partial<Row>): Row {
  return {
    format: RESULT_FORMAT, experiment: 'count_sheep', system: 'fast', device: 'cpu', medium: 'raw', parameters: { size: 5 }, metric: 'rate', unit: 'sheep/s', value: 2, low: 1, high: 3,
    values: [1, 2, 3], verified: true, profile: 'usual', seed: 1, options: {}, time: '2026-11-22T00:00:00.000Z', machine: machine(), commit: 'abcdef0123456789', ...more,
  };
}

const rows: Row[] = [5, 7].flatMap((size) => [
  row({ parameters: { size }, value: size, low: size / 2, high: size * 2 }),
  row({ parameters: { size }, system: 'wool', value: 3 * size, low: 2 * size, high: 4 * size }),
]);
const failed = row({ parameters: { size: 9 }, system: 'wool', value: null, low: null, high: null, values: [], verified: false, failure: 'a </script><b>wolf</b> came' });

function write(name: string, lines: readonly unknown[]): string {
  const path = join(folder, name, 'count_sheep.jsonl');
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return path;
}

test('of each point the last row of the largest sizes is shown', () => {
  const { experiments } = sheepCatalogue();
  const later = row({ value: 99, time: '2026-11-23T00:00:00.000Z' });
  const tiny = row({ value: 1000, profile: 'tiny', time: '2026-11-24T00:00:00.000Z' });
  const [part] = partsOf([later, ...rows, tiny], experiments);
  expect(part?.rows.map(({ value }) => value)).toEqual([99, 15, 7, 21]);
  expect(partsOf([tiny], experiments)[0]?.rows).toEqual([tiny]);
  expect(partsOf([row({}), row({ device: 'cuda' })], experiments).map(({ device }) => device)).toEqual(['cpu', 'cuda']);
});

test('what was measured on another medium is a part of its own', () => {
  const { experiments } = sheepCatalogue();
  const parts = partsOf([...rows, row({ value: 50, medium: 'apple_m4' })], experiments);
  expect(parts.map(nameOf)).toEqual(['count_sheep_cpu', 'count_sheep_cpu_apple_m4']);
  expect(parts.map(titleOf)).toEqual(['Sheep, cpu device', 'Sheep, cpu device, medium apple_m4']);
  expect(parts.map((part) => part.rows.length)).toEqual([4, 1]);
  const [experiment] = experiments as [Experiment];
  const onlyThere: Experiment = { ...experiment, predictions: experiment.predictions.map((prediction) => ({ ...prediction, medium: 'apple_m4' })) };
  expect(parts.map((part) => verdictsOf(onlyThere, part.rows).length)).toEqual([0, 1]);
});

test('no two systems look alike in a figure', () => {
  const [experiment] = sheepCatalogue().experiments as [Experiment];
  const names = Array.from({ length: 22 }, (_, index) => `system_${index}`);
  const { layer } = figureSpec(experiment.figures[0] as Figure, names.map((system) => row({ system })), names) as unknown as { layer: { encoding: Record<string, { scale?: { range?: unknown[] } } | undefined> }[] };
  const ranges = ['color', 'strokeDash', 'shape'].map((channel) => layer.map(({ encoding }) => encoding[channel]?.scale?.range).find((range) => range !== undefined) ?? []);
  expect(new Set(names.map((_, index) => JSON.stringify([ranges[0]?.[index], ranges[1]?.[index]]))).size).toBe(22);
  expect(new Set(names.map((_, index) => JSON.stringify([ranges[0]?.[index], ranges[2]?.[index]]))).size).toBe(22);
});

test('a fake GPU makes no prediction right or wrong, and is named', () => {
  const [experiment] = sheepCatalogue().experiments;
  const on = (name: string): Row[] => rows.map((each) => ({ ...each, machine: { ...machine(), gpu: { name, memoryGib: 64 } } }));
  expect(verdictsOf(experiment as Experiment, on('fake Metal on the cpu device')).map(({ verdict }) => verdict)).toEqual(['fake Metal on the cpu device says nothing']);
  expect(verdictsOf(experiment as Experiment, on('Apple M4')).map(({ verdict }) => verdict)).not.toContain('Apple M4 says nothing');
  expect(originsOf(on('fake Metal on the cpu device'))[0]).toMatch(/^fake Metal on the cpu device; /);
});

test('a system with flaws is another one than without', () => {
  const { experiments } = sheepCatalogue();
  const flawed = row({ system: 'wool', flaws: ['shrunk'], time: '2026-11-23T00:00:00.000Z' });
  const [part] = partsOf([...rows, flawed], experiments);
  expect(part?.rows.map(systemOf)).toEqual(['fast', 'wool', 'fast', 'wool', 'wool+shrunk']);
  expect(finderOf([flawed])('rate', 'wool')).toBeUndefined();
  expect(finderOf([flawed, ...rows])('rate', 'wool')).toBe(15);
});

test.each([
  ['another format', [{ ...rows[0], format: 2 }], 'count_sheep.jsonl:1 has format 2, and this version of WarpFS reads format 1'],
  ['a file of an older version', [rows[0], { experiment: 'count_sheep', values: {} }], 'count_sheep.jsonl:2 has format none'],
  ['a line that is cut off', [rows[0], '{"format":1,"exper'], 'count_sheep.jsonl:2 is not a line of JSON'],
  ['an unknown experiment', [row({ experiment: 'goats' })], "an experiment 'goats', which is not known here. Known: count_sheep"],
])('%s is refused, and nothing is written', async (name, lines, message) => {
  const out = join(folder, `out of ${name}`);
  await expect(writeReport([write(name, lines)], out, sheepCatalogue())).rejects.toThrow(message);
  expect(existsSync(out)).toBe(false);
});

test('what is not there, and where nothing can be written, is said', async () => {
  await expect(writeReport([join(folder, 'nowhere')], folder, sheepCatalogue())).rejects.toThrow('nowhere does not exist');
  mkdirSync(join(folder, 'empty'));
  await expect(writeReport([join(folder, 'empty')], folder, sheepCatalogue())).rejects.toThrow('there are no results (*.jsonl)');
  writeFileSync(join(folder, 'blocked'), '');
  await expect(writeReport([write('fine', rows)], join(folder, 'blocked', 'below'), sheepCatalogue())).rejects.toThrow('option out: results cannot be written');
});

test('text cannot leave its script', () => {
  expect(inScript('"</script><!-- </SCRIPT"')).toBe('"<\\/script><\\!-- <\\/SCRIPT"');
});

describe('a page', () => {
  const out = join(folder, 'report');
  let html = '';
  beforeAll(async () => {
    await writeReport([write('shown', [...rows, failed])], out, sheepCatalogue());
    html = readFileSync(join(out, 'index.html'), 'utf8');
  }, 60_000);

  test('has the figures, the predictions, the numbers of papers and the origin of the rows', () => {
    expect(html).toContain('<td>fast beside wool</td><td>1 to 2</td><td class="number">5</td><td>x</td><td>otherwise</td>');
    expect(html).toContain('<td>Dolly</td><td>sheep</td><td class="number">1</td><td>sheep/s</td><td>a farm</td><td>Nature</td><td class="number">15</td><td>-</td>');
    expect(html).toContain('commit abcdef012345; seed 1; usual sizes');
    expect(html).toContain('FAILED wool, size 9: a &lt;/script&gt;&lt;b&gt;wolf&lt;/b&gt; came');
    expect(html).not.toContain('<b>wolf');
  });

  test('asks for nothing from anywhere', () => {
    const [bare, scripts] = [html.replaceAll(/(<script[^>]*>)[^]*?<\/script>/g, '$1'), [...html.matchAll(/<script[^>]*>/g)].length];
    expect(scripts).toBeGreaterThan(4);
    const tags = [...bare.matchAll(/<(?:script|link|img|iframe|object|embed)\b[^>]*>/gi)].map(([tag]) => tag).filter((tag) => /\s(?:src|href|data)\s*=/i.test(tag));
    expect(tags).toEqual([]);
    expect(bare).not.toMatch(/@import|url\(\s*['"]?http/);
  });

  test('each figure is an SVG with its text, and a PNG fit for print', () => {
    expect(readdirSync(join(out, 'figures')).toSorted()).toEqual(['count_sheep_cpu_1.png', 'count_sheep_cpu_1.svg']);
    const svg = readFileSync(join(out, 'figures', 'count_sheep_cpu_1.svg'), 'utf8');
    for (const text of ['sheep a second', 'fast', 'wool', 'Dolly', 'Sheep &lt;b&gt;']) expect(svg).toContain(`>${text}<`);
    expect(svg).toContain('DejaVu Sans');
    const png = readFileSync(join(out, 'figures', 'count_sheep_cpu_1.png'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.readUInt32BE(16)).toBeGreaterThan(1200); // pixels across
  });

  const browser = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => works(name));
  if (browser === undefined) console.warn('SKIPPED: no chromium here, so the page of the report is not tried in a browser (Debian: apt-get install chromium)');

  test.skipIf(browser === undefined)('draws all figures in a browser without a network, and shows numbers at the mouse', () => {
    // The mouse is moved over a point once all is drawn; what the tooltip says is left in the page for us.
    const probe = `<script>
      const wait = setInterval(() => {
        const point = document.querySelector('.vega-embed .mark-symbol.role-mark path');
        if (document.body.dataset.drawn !== '1' || point === null) return;
        clearInterval(wait);
        const box = point.getBoundingClientRect();
        const at = { bubbles: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
        for (const kind of ['pointerover', 'pointermove', 'mouseover', 'mousemove']) point.dispatchEvent(new MouseEvent(kind, at));
        setTimeout(() => { document.body.dataset.tooltip = document.querySelector('#vg-tooltip-element')?.textContent ?? 'none'; }, 300);
      }, 50);
    </script>`;
    const page = join(out, 'probe.html');
    const end = html.lastIndexOf('</body>');
    writeFileSync(page, `${html.slice(0, end)}${probe}${html.slice(end)}`);
    const dom = execFileSync(
      browser as string,
      ['--headless', '--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP * ~NOTFOUND', '--virtual-time-budget=10000', `--user-data-dir=${join(folder, 'browser')}`, '--dump-dom', `file://${page}`],
      { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 },
    );
    const [, data = ''] = /<body([^>]*)>/.exec(dom) ?? [];
    expect(data).toContain('data-drawn="1"');
    expect(data).toContain('data-failed=""');
    expect(data).toMatch(/data-tooltip="[^"]*system[^"]*(fast|wool)/);
    expect(dom).toMatch(/class="figure vega-embed[^]*<svg/);
  }, 90_000);
});

function works(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
