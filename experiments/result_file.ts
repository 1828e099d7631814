// Results as lines of JSON, one for each run; a file only grows, so no measurement is lost to a later one.
import { access, appendFile, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { commit, machine } from '../gpufs/bench/machine.ts';
import { makeFolder } from '../gpufs/make_folder.ts';

export interface RunRecord {
  seed: number;
  options: object;
  values: object;
  verified: boolean;
}

/** Makes the folder before any long work starts, or says why results could not be written there. */
export async function prepareOutputFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new Error(`[warpfs] option out: results cannot be written to ${folder} (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}

export async function appendRuns(folder: string, experiment: string, runs: readonly RunRecord[]): Promise<string> {
  const head = { experiment, time: new Date().toISOString(), machine: machine(), commit: await commit() };
  const lines = runs.map((run, index) => JSON.stringify({ ...head, run: index, ...run }));
  const file = join(folder, `${experiment}.jsonl`);
  await appendFile(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}
