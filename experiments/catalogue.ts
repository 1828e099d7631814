// All experiments and systems: whatever lies in their folders. There is no list to add a name to.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Experiment } from './experiment.ts';
import type { System } from './system.ts';

const here = fileURLToPath(new URL('.', import.meta.url));

export interface ExperimentCatalogue {
  experiments: Experiment[];
  systems: System[];
}

/** `more`: further folders with `NN_name/run` and `systems/name` in them. */
export async function experimentCatalogue(more: readonly string[] = []): Promise<ExperimentCatalogue> {
  const folders = [here, ...more];
  const experiments = await Promise.all(folders.flatMap(experimentFiles).map((file) => load<Experiment>(file, 'experiment')));
  const systems = await Promise.all(folders.flatMap(systemFiles).map((file) => load<System>(file, 'system')));
  mustDiffer('experiment', experiments);
  mustDiffer('system', systems);
  return { experiments, systems };
}

/** In the order of their numbers. */
function experimentFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^\d\d_\w+$/.test(name))
    .toSorted()
    .flatMap((name) => ['run.ts', 'run.js'].map((file) => join(folder, name, file)).filter((path) => existsSync(path)));
}

function systemFiles(folder: string): string[] {
  const systems = join(folder, 'systems');
  if (!existsSync(systems)) return [];
  // Beside a .js file of a build lies its .d.ts.
  return readdirSync(systems)
    .filter((name) => /^\w+\.[jt]s$/.test(name))
    .toSorted()
    .map((name) => join(systems, name));
}

async function load<Exported>(file: string, name: string): Promise<Exported> {
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const exported = module[name];
  if (exported === undefined) throw new Error(`[experiments] ${file} exports no ${name}`);
  return exported as Exported;
}

function mustDiffer(kind: string, named: readonly { name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) throw new Error(`[experiments] two ${kind}s are called ${name}`);
    seen.add(name);
  }
}
