// Where the package lies: the .ts files run from gpufs/, the built ones from dist/gpufs/.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Manifest {
  name?: string;
  version?: string;
}

function findPackage(): { root: string; version: string } {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
      if (manifest.name === 'warpfs') return { root: folder, version: manifest.version ?? '0.0.0' };
    }
    if (folder === dirname(folder)) throw new Error(`[warpfs] no package.json of warpfs above ${start}`);
  }
}

const found = findPackage();

export const packageRoot: string = found.root;
export const packageVersion: string = found.version;
export const shadersRoot: string = join(found.root, 'native', 'shaders');
