// Systems on the cache of the mount: what they do in the same way around their own way to get at bytes.
import { cacheOf, prepareKernelSystem } from './kernel_system.ts';
import type { Job, PreparedSystem, ShaderPart } from './system.ts';

/** `file`, for all accesses of a warp, and `mine`, its own bytes. */
export const openFile = ({ workload }: Job): string => `
    WARPFS_TRY(int file, gopen(fs, path, ${workload.writes ? 'WARPFS_RDWR' : 'WARPFS_RDONLY'}));
    if (file < 0) return file;
    WARPFS_DEVICE uchar* mine = target + (ulong)item * item_bytes;`;

export const closeFile = `
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;`;

/** All of an access, into a copy at `mine`. */
export const readCopy = `
      WARPFS_TRY(int got, gread(fs, file, offset, bytes, mine));
      if (got != (int)bytes) return got < 0 ? got : -Errno::eio;`;

/** And back, from where the warp has worked on it. */
export const writeCopy = `
      WARPFS_TRY(int put, gwrite(fs, file, offset, bytes, place));
      if (put != (int)bytes) return put < 0 ? put : -Errno::eio;`;

/** `itemBytes`: so many bytes of its own each warp has. */
export function prepareCacheSystem(name: string, job: Job, part: ShaderPart, itemBytes: number): Promise<PreparedSystem> {
  return prepareKernelSystem(name, job, {
    part: { ...part, inputs: { item_bytes: 'u32' }, outputs: { target: 'u8[]' } },
    counts: true,
    mount: { cache: cacheOf(job), daemon: { threads: job.threads, io: job.io } },
    inputs: async () => ({ item_bytes: itemBytes }),
    outputs: { target: job.items * itemBytes },
  });
}
