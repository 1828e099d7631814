// Results as lines of JSON; a file only grows, so no measurement is lost to a later one, and what was written stays valid whenever a run is ended.
import { access, appendFile, constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../gpufs/make_folder.ts';
import { RESULT_FORMAT, type Row } from './rows.ts';

/** Makes the folder before any long work starts, or says why results could not be written there. */
export async function prepareOutputFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new Error(`[warpfs] option out: results cannot be written to ${folder} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}

export function resultFile(folder: string, experiment: string): string {
  return join(folder, `${experiment}.jsonl`);
}

export async function appendRows(folder: string, experiment: string, rows: readonly Row[]): Promise<void> {
  await appendFile(resultFile(folder, experiment), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** Throws for a file that another version has written, or that was not written by an experiment. */
export async function readRows(file: string): Promise<Row[]> {
  const text = await readFile(file, 'utf8');
  return text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseRow(line, `${file}:${index + 1}`)]));
}

function parseRow(line: string, where: string): Row {
  let row: Partial<Row> | null;
  try {
    row = JSON.parse(line) as Partial<Row> | null;
  } catch {
    throw new Error(`[warpfs] ${where} is not a line of JSON: this is no result file, or its end is missing`);
  }
  if (typeof row !== 'object' || row === null || row.format !== RESULT_FORMAT) {
    const found = (row as { format?: unknown } | null)?.format;
    throw new Error(`[warpfs] ${where} has format ${found === undefined ? 'none' : JSON.stringify(found)}, and this version of WarpFS reads format ${RESULT_FORMAT}: run the experiment again`);
  }
  return row as Row;
}
