// This cache, its lines used where they lie.
import { placeOrCopy, prepareCacheSystem, readApart, writeCopy } from '../cache_system.ts';
import type { Job, ShaderPart, System } from '../system.ts';

const part = (job: Job): Omit<ShaderPart, 'close'> => ({
  prelude: readApart,
  pieceBytes: job.lineBytes,
  open: '',
  // Where other warps have all lines of a set mapped, a program that cannot wait for them copies.
  access: `
    Map map;
    WARPFS_TRY(const int mapped, gmmap(fs, file, offset, bytes, mode == ACCESS_READ ? WARPFS_RDONLY : WARPFS_RDWR, map));
    ${placeOrCopy('mapped', 'map.bytes')}`,
  release: `
    warp_sync(lane);
    if (mapped == (int)bytes) {
      WARPFS_TRY(int unmapped, gmunmap(fs, map));
      if (unmapped != 0) return unmapped;
    } else if (mode != ACCESS_READ) {${writeCopy}
    }`,
});

export const system: System = {
  name: 'warpfs_map',
  models: 'this cache, in place: each warp maps a line with gmmap and works on it where it lies',
  shaped: true,
  prepare: (job) => prepareCacheSystem('warpfs_map', job, part(job), job.lineBytes),
};
