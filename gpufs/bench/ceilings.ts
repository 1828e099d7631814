// The ceilings: what this GPU, its bus and this host reach without a file system. By name, so that benchmarks can be compared with them.
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { NativeYardstickRequest, NativeYardstickResult } from '../native_binding.ts';
import { type Benchmark, type BenchContext, type CloseLater, preparing } from './benchmark.ts';
import { makeDataFile } from './data_set.ts';
import { sharedDataFile, sizesOf } from './speed_data.ts';
import { Yardstick } from './yardstick.ts';

type Unit = 'GB/s' | 'M/s' | 'G/s' | 'us';
type Given = Partial<NativeYardstickRequest> & Pick<NativeYardstickRequest, 'what'>;

export interface Ceiling {
  name: string;
  unit: Unit;
  question: string;
  /** Of how many GB/s, as the rate of pieces of this size. */
  pieceBytes: number;
  /** How often all pieces are gone to. */
  passes: number;
  request: Given;
  /** What has to be a file: the large one that is read, or one in the memory of the host that is written. */
  file?: 'read' | 'tmpfs';
}

const all: readonly Ceiling[] = [
  { name: 'ceiling_copy_to_gpu', unit: 'GB/s', question: 'a copy of pinned memory to the GPU by the driver', pieceBytes: 4096, passes: 1, request: { what: 'copy', place: 'pinned' } },
  { name: 'ceiling_read_4k', unit: 'M/s', question: 'random reads of 4 KB from pinned memory by the GPU itself', pieceBytes: 4096, passes: 1, request: { what: 'read_4096', place: 'pinned', blocks: 1056 } },
  { name: 'ceiling_read_4k_file', unit: 'M/s', question: 'the same from a file that is mapped and registered with the driver', pieceBytes: 4096, passes: 1, request: { what: 'read_4096', place: 'file', blocks: 1056 }, file: 'read' },
  { name: 'ceiling_read_4k_2_sms', unit: 'M/s', question: 'the same from pinned memory by 2 blocks of 1,024 threads', pieceBytes: 4096, passes: 1, request: { what: 'read_4096', place: 'pinned', blocks: 2, threads: 1024 } },
  { name: 'ceiling_read_4k_8_sms', unit: 'M/s', question: 'the same from pinned memory by 8 blocks of 256 threads', pieceBytes: 4096, passes: 1, request: { what: 'read_4096', place: 'pinned', blocks: 8 } },
  { name: 'ceiling_read_512', unit: 'M/s', question: 'random reads of 512 B from pinned memory by the GPU itself', pieceBytes: 512, passes: 1, request: { what: 'read_512', place: 'pinned', blocks: 1056 } },
  { name: 'ceiling_read_512_file', unit: 'M/s', question: 'the same from a file that is mapped and registered with the driver', pieceBytes: 512, passes: 1, request: { what: 'read_512', place: 'file', blocks: 1056 }, file: 'read' },
  { name: 'ceiling_write_4k', unit: 'GB/s', question: 'random writes of 4 KB to pinned memory by the GPU itself', pieceBytes: 4096, passes: 1, request: { what: 'write_4096', place: 'pinned', blocks: 1056 } },
  { name: 'ceiling_write_4k_tmpfs', unit: 'GB/s', question: 'the same to a file in tmpfs that is mapped and registered with the driver', pieceBytes: 4096, passes: 1, request: { what: 'write_4096', place: 'file', blocks: 1056 }, file: 'tmpfs' },
  { name: 'ceiling_gather_4k', unit: 'GB/s', question: 'random reads of 4 KB from the memory of the GPU', pieceBytes: 4096, passes: 64, request: { what: 'read_4096', place: 'device' } },
  { name: 'ceiling_gather_4k_pin', unit: 'GB/s', question: 'the same, with a word of each page counted up before and down after', pieceBytes: 4096, passes: 64, request: { what: 'read_4096_pinned', place: 'device' } },
  { name: 'ceiling_copy_4k', unit: 'GB/s', question: 'random pages of 4 KB copied to a page of each warp in the memory of the GPU and compared there; bytes count once', pieceBytes: 4096, passes: 64, request: { what: 'copy_4096', place: 'device' } },
  { name: 'ceiling_gather_256', unit: 'GB/s', question: 'random reads of 256 B, 8 a lane, from the memory of the GPU', pieceBytes: 256, passes: 16, request: { what: 'read_256', place: 'device' } },
  { name: 'ceiling_gather_256_pin', unit: 'GB/s', question: 'the same, with a word for each 256 B counted up before and down after', pieceBytes: 256, passes: 16, request: { what: 'read_256_pinned', place: 'device' } },
  { name: 'ceiling_gather_4', unit: 'G/s', question: 'random reads of 4 B, a place of its own for each lane, from the memory of the GPU', pieceBytes: 4, passes: 8, request: { what: 'random_4', place: 'device' } },
  { name: 'ceiling_ring', unit: 'us', question: 'a word to a thread of the host and back, one warp, the median', pieceBytes: 4, passes: 1, request: { what: 'ring', place: 'pinned', blocks: 1, threads: 32 } },
  ...[1, 2, 12].map((threads): Ceiling => ({
    name: `ceiling_pread_${threads}`,
    unit: 'M/s',
    question: `random reads of 4 KB by pread into pinned memory, ${threads === 1 ? 'one thread' : `${threads} threads`}, no GPU`,
    pieceBytes: 4096,
    passes: 1,
    request: { what: 'pread', place: 'pinned', threads },
    file: 'read',
  })),
];

const byName = new Map(all.map((ceiling) => [ceiling.name, ceiling]));

function find(name: string): Ceiling {
  const ceiling = byName.get(name);
  if (ceiling === undefined) throw new Error(`[bench] there is no ceiling ${name}`);
  return ceiling;
}

/** A ceiling that can be measured again and again. */
export class PreparedCeiling {
  readonly #yardstick: Yardstick;
  readonly #ceiling: Ceiling;
  readonly #request: Omit<NativeYardstickRequest, 'seed' | 'start'>;

  private constructor(yardstick: Yardstick, ceiling: Ceiling, request: Omit<NativeYardstickRequest, 'seed' | 'start'>) {
    this.#yardstick = yardstick;
    this.#ceiling = ceiling;
    this.#request = request;
  }

  static async prepare(name: string, context: BenchContext, closeLater: CloseLater): Promise<PreparedCeiling> {
    const ceiling = find(name);
    const { hotBytes, coldBytes } = sizesOf(context);
    const bytes = ceiling.file === 'read' ? coldBytes : hotBytes;
    let path = '';
    if (ceiling.file === 'read') path = await sharedDataFile(context, coldBytes);
    if (ceiling.file === 'tmpfs') {
      path = join(tmpfsFolder(context, bytes, closeLater).folder, 'written.bin');
      await makeDataFile(path, bytes, context.seed);
    }
    const count = ceiling.request.what === 'ring' ? (context.tiny ? 1000 : 20_000) : (bytes / ceiling.pieceBytes) * (context.tiny ? 1 : ceiling.passes);
    const usual = { place: 'pinned' as const, blocks: 0, threads: 256 };
    const yardstick = await Yardstick.open(context);
    closeLater(() => yardstick.close());
    return new PreparedCeiling(yardstick, ceiling, { ...usual, ...ceiling.request, path, bytes, pieceBytes: ceiling.pieceBytes, count });
  }

  /** In the unit of the ceiling. */
  async measure(): Promise<number> {
    return rateOf(this.#ceiling, await this.#yardstick.measure(this.#request));
  }
}

function rateOf({ unit, pieceBytes }: Ceiling, { pieces, nanoseconds }: NativeYardstickResult): number {
  if (unit === 'us') return nanoseconds / 1000;
  if (unit === 'GB/s') return (pieces * pieceBytes) / nanoseconds;
  return unit === 'G/s' ? pieces / nanoseconds : (pieces * 1000) / nanoseconds;
}

/** A folder in tmpfs with room for so many bytes; `note` says so where there is none, and it lies elsewhere. */
export function tmpfsFolder({ folder }: Pick<BenchContext, 'folder'>, bytes: number, closeLater: CloseLater, tmpfs = '/dev/shm'): { folder: string; note: string } {
  const missing = tmpfsObstacle(tmpfs, bytes);
  const made = mkdtempSync(join(missing === undefined ? tmpfs : folder, 'warpfs-bench-'));
  closeLater(() => rmSync(made, { recursive: true, force: true }));
  return { folder: made, note: missing === undefined ? `in ${tmpfs}` : `NOT IN TMPFS: ${missing}` };
}

function tmpfsObstacle(tmpfs: string, bytes: number): string | undefined {
  if (!existsSync(tmpfs)) return `there is no ${tmpfs}`;
  const { bavail, bsize } = statfsSync(tmpfs);
  return bavail * bsize > bytes * 1.1 ? undefined : `${tmpfs} has ${Math.floor((bavail * bsize) / 2 ** 20)} MiB free`;
}

export const ceilingBenchmarks: Benchmark[] = all.map(({ name, unit, question }) => ({
  name,
  unit,
  question: `The ceiling: ${question}?`,
  cudaOnly: true,
  prepare: preparing(async (context, closeLater) => {
    const ceiling = await PreparedCeiling.prepare(name, context, closeLater);
    return { run: () => ceiling.measure() };
  }),
}));
