// This cache where warps never wait on the device: for what goes with replay alone.
import { prepareCacheSystem, readCopy } from '../cache_system.ts';
import type { System } from '../system.ts';

export const system: System = {
  name: 'warpfs_replay',
  models: 'this cache with warps that leave to wait: each calls gread, and is run again from that access when the bytes are there',
  shaped: true,
  asked: true,
  cannot: ({ workload }) => (workload.writes ? 'it only reads' : undefined),
  prepare: (job) => prepareCacheSystem('warpfs_replay', job, { open: '', access: `place = mine;${readCopy}`, release: '', replayed: true }, job.accessBytes),
};
