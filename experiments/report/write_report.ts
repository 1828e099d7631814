// From result files to a page and its figures.
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../../gpufs/make_folder.ts';
import type { ExperimentCatalogue } from '../catalogue.ts';
import { prepareOutputFolder, readRows } from '../result_file.ts';
import { systemOf } from '../rows.ts';
import { isOwn } from '../system.ts';
import { nameOf, partsOf } from './chosen_rows.ts';
import { figurePng, figureSvg } from './figure_image.ts';
import { figureSpec } from './figure_spec.ts';
import { type DrawnPart, reportPage } from './page.ts';

export interface WrittenReport {
  page: string;
  figures: string[];
  rows: number;
}

/** `sources`: result files, or folders of them. */
export async function writeReport(sources: readonly string[], folder: string, { experiments, systems }: ExperimentCatalogue): Promise<WrittenReport> {
  const files = (await Promise.all(sources.map(filesOf))).flat();
  if (files.length === 0) throw new Error(`[warpfs] there are no results (*.jsonl) in ${sources.join(', ')}: warpfs run all makes some`);
  const rows = (await Promise.all(files.map(readRows))).flat();
  const parts = partsOf(rows, experiments);
  await prepareOutputFolder(folder);
  await makeFolder(join(folder, 'figures'));
  // Also those that are not there any more have their own colour.
  const names = [...new Set([...systems.map(({ name }) => name), ...rows.map(systemOf)])].toSorted((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
  const drawn: DrawnPart[] = [];
  const figures: string[] = [];
  for (const part of parts) {
    const own: DrawnPart['figures'] = [];
    for (const [index, figure] of part.experiment.figures.entries()) {
      const spec = figureSpec(figure, part.rows, names);
      if (spec === undefined) continue;
      const name = `${nameOf(part)}_${index + 1}`;
      const svg = await figureSvg(spec);
      const path = join(folder, 'figures', name);
      await writeFile(`${path}.svg`, svg);
      await writeFile(`${path}.png`, await figurePng(svg));
      own.push({ name, spec, svg });
      figures.push(`${path}.svg`, `${path}.png`);
    }
    drawn.push({ ...part, figures: own });
  }
  const page = join(folder, 'index.html');
  await writeFile(page, reportPage(drawn));
  return { page, figures, rows: rows.length };
}

async function filesOf(source: string): Promise<string[]> {
  const entry = await stat(source).catch(() => undefined);
  if (entry === undefined) throw new Error(`[warpfs] ${source} does not exist: warpfs run all writes results`);
  if (!entry.isDirectory()) return [source];
  return (await readdir(source)).filter((name) => name.endsWith('.jsonl')).toSorted().map((name) => join(source, name));
}
