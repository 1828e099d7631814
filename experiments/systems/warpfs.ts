// This cache, one call after the other.
import { cacheOf, prepareKernelSystem } from '../kernel_system.ts';
import type { Job, ShaderPart, System } from '../system.ts';

const part = ({ workload }: Job): ShaderPart => ({
  inputs: { target_bytes: 'u32' },
  outputs: { target: 'u8[]' },
  open: `
    WARPFS_TRY(int file, gopen(fs, path, ${workload.writes ? 'WARPFS_RDWR' : 'WARPFS_RDONLY'}));
    if (file < 0) return file;
    WARPFS_DEVICE uchar* mine = target + (ulong)item * target_bytes;`,
  access: `
    place = mine;
    if (mode != ACCESS_OVERWRITE) {
      WARPFS_TRY(int got, gread(fs, file, offset, bytes, mine));
      if (got != (int)bytes) return got < 0 ? got : -Errno::eio;
    }`,
  release: `
    warp_sync(lane);
    if (mode != ACCESS_READ) {
      WARPFS_TRY(int put, gwrite(fs, file, offset, bytes, mine));
      if (put != (int)bytes) return put < 0 ? put : -Errno::eio;
    }`,
  close: `
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;`,
});

export const system: System = {
  name: 'warpfs',
  models: 'this cache: each warp calls gread and gwrite, and waits for each of them',
  shaped: true,
  prepare: (job) =>
    prepareKernelSystem('warpfs', job, {
      part: part(job),
      counts: true,
      mount: { cache: cacheOf(job), daemon: { threads: job.threads, io: job.io } },
      inputs: () => ({ target_bytes: job.accessBytes }),
      outputs: { target: job.items * job.accessBytes },
    }),
};
