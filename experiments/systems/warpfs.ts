// This cache, one call after the other.
import { RAW } from '../../gpufs/media/media.ts';
import { prepareCacheSystem, readCopy, writeCopy } from '../cache_system.ts';
import type { ShaderPart, System } from '../system.ts';

const part: Omit<ShaderPart, 'close'> = {
  open: '',
  access: `
    place = mine;
    if (mode != ACCESS_OVERWRITE) {${readCopy}
    }`,
  release: `
    warp_sync(lane);
    if (mode != ACCESS_READ) {${writeCopy}
    }`,
};

export const system: System = {
  name: 'warpfs',
  models: 'this cache: each warp calls gread and gwrite, and waits for each of them',
  shaped: true,
  cannot: ({ fill, medium }) => (fill === 'map' && medium !== RAW ? 'what a GPU reads in place never passes the medium' : undefined),
  prepare: (job) => prepareCacheSystem('warpfs', job, part, job.accessBytes),
};
