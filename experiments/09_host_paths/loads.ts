// The points of loads alone: threads that pread, queues of Metal, and a file that the GPU reads where it is mapped, for accesses of several sizes.
import { type MetalCompression, metalCompressions } from '../../gpufs/native_loads.ts';
import type { Point } from '../experiment.ts';

const KIB = 1024;
/** Of loads of compressed files: what Metal compresses at once, if nobody says otherwise. */
const COMPRESSED_LOAD = 64 * KIB;
const onlyOn = { device: 'metal', because: 'only the metal device has queues that read files, and buffers over a mapping' } as const;

/** One way to load, as a part of a point. */
export interface LoadWay {
  path: string;
  system: 'host_loads' | 'mapped';
  job: Pick<Point['job'], 'loads' | 'threads'>;
  onlyOn?: typeof onlyOn;
  /** Of accesses of this size alone. */
  bytes?: number;
}

const loadWays: readonly LoadWay[] = [
  ...[1, 8, 32].map((threads): LoadWay => ({ path: `pread_load_${threads}`, system: 'host_loads', job: { loads: { way: 'pread', compression: '' }, threads } })),
  { path: 'mtlio_load', system: 'host_loads', job: { loads: { way: 'mtlio', compression: '' } }, onlyOn },
  { path: 'mmap_load', system: 'mapped', job: {}, onlyOn },
  ...metalCompressions.map((compression: MetalCompression): LoadWay => ({ path: `mtlio_${compression}`, system: 'host_loads', job: { loads: { way: 'mtlio', compression } }, onlyOn, bytes: COMPRESSED_LOAD })),
];

/** Each way with each size that it is about. Where a device has not got it, once: one reason is enough. */
export function loadsOf(sizesKib: readonly number[], isMetal: boolean): { way: LoadWay; bytes: number }[] {
  const sizes = sizesKib.map((kib) => kib * KIB);
  return loadWays.flatMap((way) => {
    const wanted = sizes.filter((bytes) => way.bytes === undefined || way.bytes === bytes);
    return (way.onlyOn === undefined || isMetal ? wanted : wanted.slice(0, 1)).map((bytes) => ({ way, bytes }));
  });
}
