// This cache, its lines used where they lie.
import { cacheOf, prepareKernelSystem } from '../kernel_system.ts';
import type { Job, ShaderPart, System } from '../system.ts';

const part = ({ workload, lineBytes }: Job): ShaderPart => ({
  pieceBytes: lineBytes,
  outputs: { target: 'u8[]' },
  open: `
    WARPFS_TRY(int file, gopen(fs, path, ${workload.writes ? 'WARPFS_RDWR' : 'WARPFS_RDONLY'}));
    if (file < 0) return file;
    WARPFS_DEVICE uchar* mine = target + (ulong)item * ${lineBytes}u;`,
  // Where other warps have all lines of a set mapped, a program that cannot wait for them copies.
  access: `
    Map map;
    WARPFS_TRY(const int mapped, gmmap(fs, file, offset, bytes, mode == ACCESS_READ ? WARPFS_RDONLY : WARPFS_RDWR, map));
    if (mapped == (int)bytes) {
      place = map.bytes;
    } else if (mapped == -Errno::eagain) {
      place = mine;
      WARPFS_TRY(int got, gread(fs, file, offset, bytes, mine));
      if (got != (int)bytes) return got < 0 ? got : -Errno::eio;
    } else {
      return mapped < 0 ? mapped : -Errno::eio;
    }`,
  release: `
    warp_sync(lane);
    if (mapped == (int)bytes) {
      WARPFS_TRY(int unmapped, gmunmap(fs, map));
      if (unmapped != 0) return unmapped;
    } else if (mode != ACCESS_READ) {
      WARPFS_TRY(int put, gwrite(fs, file, offset, bytes, mine));
      if (put != (int)bytes) return put < 0 ? put : -Errno::eio;
    }`,
  close: `
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;`,
});

export const system: System = {
  name: 'warpfs_map',
  models: 'this cache, in place: each warp maps a line with gmmap and works on it where it lies',
  shaped: true,
  prepare: (job) =>
    prepareKernelSystem('warpfs_map', job, {
      part: part(job),
      counts: true,
      mount: { cache: cacheOf(job), daemon: { threads: job.threads, io: job.io } },
      outputs: { target: job.items * job.lineBytes },
    }),
};
