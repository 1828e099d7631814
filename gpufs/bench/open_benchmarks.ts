// What an open and a close of a path cost that the host has in memory.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mount } from '../mount.ts';
import type { Benchmark } from './benchmark.ts';
import { plainSeconds } from './file_benchmarks.ts';

const NAME_BYTES = 16;

/** Each warp opens and closes its path again and again; the paths are 16 bytes apart. */
const openPaths = {
  name: 'open_paths',
  inputs: { paths: 'u8[]', opens: 'u32' },
  source: `
    const WARPFS_DEVICE uchar* path = paths + item * ${NAME_BYTES}u;
    for (uint i = 0; i < opens; i++) {
      WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
      if (file < 0) return file;
      WARPFS_TRY(int closed, gclose(fs, file));
      if (closed != 0) return closed;
    }
  `,
} as const;

interface OpenCase {
  name: string;
  question: string;
  warps: number;
  files: number;
  /** As a multiple of what a plain loop of open and close takes. */
  relative?: boolean;
  atMost?: number;
}

function openBenchmark({ name, question, warps, files, relative = false, ...goal }: OpenCase): Benchmark {
  return {
    name,
    unit: relative ? 'times' : 'us for each pair',
    question,
    ...goal,
    async prepare({ folder, device, tiny }) {
      const opens = tiny ? 4 : Math.max(1024, 65536 / warps);
      const paths = new Uint8Array(warps * NAME_BYTES);
      for (let warp = 0; warp < warps; warp++) {
        const path = `file-${warp % files}`;
        writeFileSync(join(folder, path), 'x');
        new TextEncoder().encodeInto(path, paths.subarray(warp * NAME_BYTES));
      }
      const fs = await mount({ root: folder, device, cache: { lines: 64 } });
      const kernel = await fs.kernel(openPaths);
      const ours = async (): Promise<number> => {
        const { report } = await kernel.dispatch({ items: warps, inputs: { paths, opens }, outputs: {} });
        return report.nanoseconds / 1000 / (warps * opens);
      };
      await ours();
      return {
        async run() {
          if (!relative) return ours();
          const plain = (plainSeconds('plainOpens', { path: join(folder, 'file-0'), count: warps * opens }) * 1e6) / (warps * opens);
          return (await ours()) / plain;
        },
        close: () => fs.unmount(),
      };
    },
  };
}

export const openBenchmarks: Benchmark[] = [
  openBenchmark({
    name: 'open_close',
    question: 'How long do an open and a close of one cached path by 64 warps take, for each pair?',
    warps: 64, files: 1, atMost: 3,
  }),
  openBenchmark({ name: 'open_close_1024_warps', question: 'The same with 1024 warps?', warps: 1024, files: 1, atMost: 3 }),
  openBenchmark({ name: 'open_close_64_paths', question: 'The same with a path of its own for each of 64 warps?', warps: 64, files: 64, atMost: 3 }),
  openBenchmark({ name: 'open_close_one_warp', question: 'The same with one warp, which has to wait each time?', warps: 1, files: 1 }),
  openBenchmark({ name: 'open_close_to_plain', question: 'How many times as long as a plain loop of open and close?', warps: 64, files: 1, relative: true }),
];
