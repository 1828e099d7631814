// This cache, with reads that are asked for before they are wanted.
import { prepareCacheSystem, writeCopy } from '../cache_system.ts';
import type { ShaderPart, System } from '../system.ts';

const AHEAD = 3;
const PLACES = AHEAD + 1;

const part: Omit<ShaderPart, 'close'> = {
  ahead: AHEAD,
  open: `
    Ticket tickets[${PLACES}];`,
  start: `
    if (mode != ACCESS_OVERWRITE) {
      WARPFS_TRY(const Ticket started, gread_async(fs, file, offset, bytes, mine + (ulong)slot * (item_bytes / ${PLACES}u)));
      tickets[slot] = started;
    }`,
  access: `
    place = mine + (ulong)slot * (item_bytes / ${PLACES}u);
    if (mode != ACCESS_OVERWRITE) {
      WARPFS_TRY(int got, gwait(fs, tickets[slot]));
      if (got != (int)bytes) return got < 0 ? got : -Errno::eio;
    }`,
  release: `
    warp_sync(lane);
    if (mode != ACCESS_READ) {${writeCopy}
    }`,
};

export const system: System = {
  name: 'warpfs_async',
  models: `this cache, asked ahead: each warp has ${AHEAD} gread_async under way beside the bytes that it works on`,
  shaped: true,
  prepare: (job) => prepareCacheSystem('warpfs_async', job, part, PLACES * job.accessBytes),
};
