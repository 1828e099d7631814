// This cache, its lines looked at where they lie, and held by nobody.
import { placeOrCopy, prepareCacheSystem, readApart } from '../cache_system.ts';
import type { Job, ShaderPart, System } from '../system.ts';

const part = (job: Job): Omit<ShaderPart, 'close'> => ({
  prelude: readApart,
  pieceBytes: job.lineBytes,
  open: '',
  // What was taken away meanwhile is looked at again, in the end held.
  access: `
    Peek peek = {};
    const uint total_before = total;
    for (;;) {
      total = total_before;
      WARPFS_TRY(const int seen, gpeek(fs, file, offset, bytes, peek));
      ${placeOrCopy('seen', 'peek.bytes')}`,
  release: `
      WARPFS_TRY(const int right, gpeek_end(fs, peek));
      if (right < 0) return right;
      if (right != 0) break;
    }`,
});

export const system: System = {
  name: 'warpfs_peek',
  models: 'this cache, in place and without a hold: each warp looks at a line with gpeek, and once more if another page took it meanwhile',
  shaped: true,
  cannot: ({ workload }) => (workload.repeatable === true ? undefined : 'where a line was taken away meanwhile its work would have to be done again, and that does more than to add up'),
  prepare: (job) => prepareCacheSystem('warpfs_peek', job, part(job), job.lineBytes),
};
