// Empty folders for the files of scenarios, gone when their work is done.
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files in memory: schedules that sync wait for no disk, and are five times as fast. */
const MEMORY_FOLDER = '/dev/shm';

/** Calls `use` with a function that empties the folder and gives its path. */
export async function withScratchFolder<Result>(use: (fresh: () => Promise<string>) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(scratchPlace(), 'warpfs-check-'));
  const root = join(folder, 'root');
  try {
    return await use(async () => {
      await rm(root, { recursive: true, force: true });
      await mkdir(root);
      return root;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Who names a folder for temporary files wants that folder. */
function scratchPlace(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment['TMPDIR'];
  if (named !== undefined && named !== '') return tmpdir();
  try {
    accessSync(MEMORY_FOLDER, constants.W_OK | constants.X_OK);
    return MEMORY_FOLDER;
  } catch {
    return tmpdir();
  }
}
