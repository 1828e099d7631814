// Writes of a GPU: random pages of a file that is as large as the cache, and a sync, to tmpfs.
import { join } from 'node:path';
import { type Benchmark, preparing } from './benchmark.ts';
import { PreparedCeiling, tmpfsFolder } from './ceilings.ts';
import { makeDataFile } from './data_set.ts';
import { plainSeconds } from './file_benchmarks.ts';
import { PAGE_BYTES, sizesOf } from './speed_data.ts';
import { writeKernel } from './speed_kernels.ts';
import { SpeedRig } from './speed_rig.ts';

export const gwriteBenchmarks: Benchmark[] = [
  {
    name: 'gwrite_gfsync_4k',
    unit: 'GB/s',
    question: 'How fast are random pages of 4 KB written and synced, each page of a file in tmpfs once, every byte of the file compared afterwards?',
    ratioTo: 'ceiling_write_4k',
    ratioAtLeast: 0.8,
    cudaOnly: true,
    prepare: preparing(async (context, closeLater) => {
      const { hotBytes: bytes, warps } = sizesOf(context);
      const tmpfs = tmpfsFolder(context, bytes, closeLater);
      const path = join(tmpfs.folder, 'written.bin');
      await makeDataFile(path, bytes, context.seed);
      const pages = bytes / PAGE_BYTES;
      const rig = await SpeedRig.open(context, closeLater, path, bytes, { fill: 'map', daemon: { threads: 2 }, cache: { lines: pages, lineBytes: PAGE_BYTES } });
      // Somebody has it open to write all the time: when the last one closes it, it may have been written by others, and what is known of it ends.
      await rig.fs.run([[{ op: 'open', path: 'written.bin', mode: 'r+' }]]);
      const ceiling = await PreparedCeiling.prepare('ceiling_write_4k', context, closeLater);
      const kernel = await rig.kernel(writeKernel);
      let round = 0;
      let resident = 0;
      const launch = async (): Promise<number> => {
        const seed = (context.seed + ++round) >>> 0;
        const done = await rig.launch(kernel, { warps, total: pages, pieces: pages }, (used) => ({ source: used * PAGE_BYTES }), { seed });
        resident = done.warps;
        plainSeconds('plainReads', { path, pages, seed, threads: 4 }); // throws where a word is wrong
        return bytes / done.nanoseconds;
      };
      await rig.settle(launch);
      return {
        async run() {
          const most = await ceiling.measure();
          return { value: await launch(), ceiling: most };
        },
        note: () => `${resident} warps, ${tmpfs.note}; from the first write to the end of the last sync, of which each warp makes one; ${rig.fs.describe().fill}`,
      };
    }),
  },
];
