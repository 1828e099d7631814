// This cache, with reads that are asked for before they are wanted.
import { cacheOf, prepareKernelSystem } from '../kernel_system.ts';
import type { Job, ShaderPart, System } from '../system.ts';

const AHEAD = 3;

const part = ({ workload }: Job): ShaderPart => ({
  ahead: AHEAD,
  inputs: { target_bytes: 'u32' },
  outputs: { target: 'u8[]' },
  open: `
    WARPFS_TRY(int file, gopen(fs, path, ${workload.writes ? 'WARPFS_RDWR' : 'WARPFS_RDONLY'}));
    if (file < 0) return file;
    WARPFS_DEVICE uchar* mine = target + (ulong)item * ${AHEAD + 1}u * target_bytes;
    Ticket tickets[${AHEAD + 1}];`,
  start: `
    if (mode != ACCESS_OVERWRITE) {
      WARPFS_TRY(const Ticket started, gread_async(fs, file, offset, bytes, mine + (ulong)slot * target_bytes));
      tickets[slot] = started;
    }`,
  access: `
    place = mine + (ulong)slot * target_bytes;
    if (mode != ACCESS_OVERWRITE) {
      WARPFS_TRY(int got, gwait(fs, tickets[slot]));
      if (got != (int)bytes) return got < 0 ? got : -Errno::eio;
    }`,
  release: `
    warp_sync(lane);
    if (mode != ACCESS_READ) {
      WARPFS_TRY(int put, gwrite(fs, file, offset, bytes, place));
      if (put != (int)bytes) return put < 0 ? put : -Errno::eio;
    }`,
  close: `
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;`,
});

export const system: System = {
  name: 'warpfs_async',
  models: `this cache, asked ahead: each warp has ${AHEAD} gread_async under way beside the bytes that it works on`,
  shaped: true,
  prepare: (job) =>
    prepareKernelSystem('warpfs_async', job, {
      part: part(job),
      counts: true,
      mount: { cache: cacheOf(job), daemon: { threads: job.threads, io: job.io } },
      inputs: () => ({ target_bytes: job.accessBytes }),
      outputs: { target: job.items * (AHEAD + 1) * job.accessBytes },
    }),
};
