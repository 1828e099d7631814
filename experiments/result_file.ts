// Results as lines of JSON, one for each run; a file only grows, so no measurement is lost to a later one.
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { commit, machine } from '../gpufs/bench/machine.ts';

export interface RunRecord {
  seed: number;
  options: object;
  values: object;
  verified: boolean;
}

export async function appendRuns(folder: string, experiment: string, runs: readonly RunRecord[]): Promise<string> {
  const head = { experiment, time: new Date().toISOString(), machine: machine(), commit: await commit() };
  const lines = runs.map((run, index) => JSON.stringify({ ...head, run: index, ...run }));
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${experiment}.jsonl`);
  await appendFile(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}
