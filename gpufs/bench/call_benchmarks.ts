// What the calls of the surface cost before any data moves.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mount } from '../mount.ts';
import { type Benchmark, type BenchContext, mustBe, type PreparedBenchmark } from './benchmark.ts';
import { median } from './statistics.ts';

const KERNEL_FOLDER = 'WARPFS_CACHE_DIR';

/** Kernels of a benchmark go to a folder of its own: a kernel that the user had compiled before would not be cold. */
async function withKernelFolder(context: BenchContext): Promise<() => void> {
  const before = process.env[KERNEL_FOLDER];
  process.env[KERNEL_FOLDER] = join(context.folder, 'kernels');
  return () => {
    if (before === undefined) delete process.env[KERNEL_FOLDER];
    else process.env[KERNEL_FOLDER] = before;
  };
}

/** A kernel of an ordinary size that uses most of what there is. */
const THIRTY_LINES = `
  WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDWR));
  if (file < 0) return file;
  ulong size = 0;
  WARPFS_TRY(int known, gfstat(fs, file, size));
  if (known < 0) return known;
  const uint version = VERSIONu;
  const uint pages = (uint)(size / 4096u);
  WARPFS_DEVICE uchar* mine = target + (ulong)item * 4096u;
  WARPFS_DEVICE uint* words = (WARPFS_DEVICE uint*)mine;
  uint total = 0;
  for (uint page = item; page < pages; page += 64u) {
    WARPFS_TRY(int ahead, gprefetch(fs, file, (ulong)(page + 64u) * 4096u, 4096u));
    if (ahead < 0) return ahead;
    WARPFS_TRY(int bytes, gread(fs, file, (ulong)page * 4096u, 4096u, mine));
    if (bytes < 0) return bytes;
    for (uint word = lane.index; word < 1024u; word += lane.count) {
      total += words[word] * version;
      words[word] = total;
    }
    WARPFS_TRY(int written, gwrite(fs, file, (ulong)page * 4096u, 4096u, mine));
    if (written < 0) return written;
    WARPFS_TRY(uint first, gload<uint>(fs, file, (ulong)page * 1024u));
    if (lane.any(first == version)) total ^= lane.ballot(first == version);
  }
  total = lane.sum(total);
  if (lane.index == 0) sums[item] = total;
  WARPFS_TRY(int synced, gfsync(fs, file));
  WARPFS_TRY(int closed, gclose(fs, file));
  return synced < 0 ? synced : closed;
`;

function compileBenchmark(cold: boolean): (context: BenchContext) => Promise<PreparedBenchmark> {
  return async (context) => {
    const restore = await withKernelFolder(context);
    const root = join(context.folder, 'root');
    mkdirSync(root);
    const fs = await mount({ root, device: context.device, cache: { lines: 64 } });
    const define = (version: number) =>
      fs.kernel({
        name: 'compile_me',
        inputs: { path: 'string' },
        outputs: { target: 'u8[]', sums: 'u32[]' },
        source: THIRTY_LINES.replace('VERSION', String(version)),
      });
    await define(0); // the headers are read and the compiler has named itself
    let version = 0;
    return {
      async run() {
        if (cold) version++;
        const start = performance.now();
        const kernel = await define(version);
        const milliseconds = performance.now() - start;
        mustBe(kernel.cached !== cold, `the kernel was ${cold ? 'there already' : 'compiled again'}`);
        return milliseconds;
      },
      async close() {
        restore();
        await fs.unmount();
      },
    };
  };
}

export const callBenchmarks: Benchmark[] = [
  {
    name: 'kernel_compile_cold',
    unit: 'ms',
    question: 'How long does fs.kernel take for a kernel of 30 lines that was never seen?',
    atMost: 400,
    prepare: compileBenchmark(true),
  },
  {
    name: 'kernel_compile_cached',
    unit: 'ms',
    question: 'How long does fs.kernel take for a text that was compiled before?',
    atMost: 5,
    prepare: compileBenchmark(false),
  },
  {
    name: 'run_round_trip',
    unit: 'us',
    question: 'How long does fs.run take for one warp that does nothing?',
    atMost: 300,
    async prepare({ folder, device, tiny }) {
      const fs = await mount({ root: folder, device, cache: { lines: 64 } });
      const calls = tiny ? 10 : 1000;
      return {
        async run() {
          const times: number[] = [];
          for (let call = 0; call < calls; call++) {
            const start = performance.now();
            await fs.run([[]]);
            times.push((performance.now() - start) * 1000);
          }
          return median(times);
        },
        close: () => fs.unmount(),
      };
    },
  },
  {
    name: 'memory_overhead_1_gib',
    unit: '% of the line data',
    question: 'What do the tables of a cache of 1 GiB in lines of 4 KB cost?',
    atMost: 5,
    async prepare({ folder, device, tiny }) {
      const lines = tiny ? 4096 : 262144;
      return {
        async run() {
          const fs = await mount({ root: folder, device, cache: { lines, lineBytes: 4096 } });
          const { overheadBytes } = fs.describe();
          await fs.unmount();
          return (overheadBytes / (lines * 4096)) * 100;
        },
      };
    },
  },
];
