// Modules that were compiled once and are kept under a hash of everything that they depend on.
import { randomUUID } from 'node:crypto';
import { access, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

export interface CompiledKernel {
  /** Absolute path of the shared object, cubin or text. */
  module: string;
  /** It was there already. */
  cached: boolean;
}

export interface ModuleToBuild {
  folder: string;
  key: string;
  /** Part of the names of the files that are needed on the way. */
  name: string;
  extension: '.so' | '.cubin' | '.metal';
  /** Writes the stem with the extension; other files that begin with the stem are removed afterwards. */
  build: (stem: string) => Promise<void>;
}

const running = new Map<string, Promise<CompiledKernel>>();

export async function storedModule(wanted: ModuleToBuild): Promise<CompiledKernel> {
  const module = join(wanted.folder, `${wanted.key}${wanted.extension}`);
  if (await isThere(module)) return { module, cached: true };
  // Two calls for one kernel at one time share one compiler run.
  const already = running.get(module);
  if (already !== undefined) return already;
  const built = buildModule(wanted, module).finally(() => running.delete(module));
  running.set(module, built);
  return built;
}

async function buildModule({ folder, name, extension, build }: ModuleToBuild, module: string): Promise<CompiledKernel> {
  const stem = join(folder, `.${name}-${randomUUID()}`);
  try {
    await build(stem);
    // A rename is all or nothing: no process ever loads a half-written kernel, and the last of two equal ones wins.
    await rename(`${stem}${extension}`, module);
    return { module, cached: false };
  } finally {
    const left = (await readdir(folder)).filter((file) => file.startsWith(basename(stem)));
    await Promise.all(left.map((file) => rm(join(folder, file), { force: true, recursive: true })));
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
