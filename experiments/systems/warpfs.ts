// This cache, one call after the other.
import { RAW } from '../../gpufs/media/media.ts';
import { closeFile, openFile, prepareCacheSystem, readCopy, writeCopy } from '../cache_system.ts';
import type { Job, ShaderPart, System } from '../system.ts';

const part = (job: Job): ShaderPart => ({
  open: openFile(job),
  access: `
    place = mine;
    if (mode != ACCESS_OVERWRITE) {${readCopy}
    }`,
  release: `
    warp_sync(lane);
    if (mode != ACCESS_READ) {${writeCopy}
    }`,
  close: closeFile,
});

export const system: System = {
  name: 'warpfs',
  models: 'this cache: each warp calls gread and gwrite, and waits for each of them',
  shaped: true,
  cannot: ({ fill, medium }) => (fill === 'map' && medium !== RAW ? 'what a GPU reads in place never passes the medium' : undefined),
  prepare: (job) => prepareCacheSystem('warpfs', job, part(job), job.accessBytes),
};
