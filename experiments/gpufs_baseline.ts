// GPUfs as a baseline: what its systems have in common. native/shaders/baselines/GPUFS.md says what is modelled.
import { type Baseline, dmaOf, flawMask } from './baseline_system.ts';
import type { Job, ShaderPart } from './system.ts';

export interface GpufsShape {
  frames: number;
  pageBytes: number;
  /** Threads of the host, and slots of each. */
  workers: number;
  slots: number;
  /** Pages that one swap frees. */
  swapPages: number;
  writes: boolean;
  flaws?: readonly string[] | undefined;
}

const SLOTS = 32;
const SWAP_PAGES = 64;
const BUCKETS_PER_FRAME = 16;
const [POOL_WORDS, FRAME_WORDS, BUCKET_WORDS] = [160, 16, 2]; // gpufs_pool.h

/** In the order of the bits of GpufsFlaw. */
export const gpufsFlaws: Readonly<Record<string, string>> = {
  index_after_free: 'which staging area a page lies in is read from the slot again when the slot has been given back: somebody else may have it, and an area is never free again',
  dirty_asserts: 'a swap that passes half of the pages without finding one to free gives up, though there are clean ones further on',
  writes_refused: 'the workers know reads alone, so whatever was changed cannot be written back',
  dirty_seen_early: 'a swap looks whether a page was changed before it has its lock, and not again: what is changed in between is lost',
  bucket_held: 'a frame is waited for with the bucket of its page locked: where the pages that could go are in that bucket, none can',
  init_tried_once: 'the lock of a new frame is tried once, whatever comes of it: somebody who followed an old chain may have it',
  map_dirties: 'every page that is mapped through a file open for writing counts as changed, also those that were only read',
  few_buckets: 'a file has one in 256 of the buckets',
  ring_moved: 'a swap exchanges places of the ring that somebody has drawn and has not yet looked at: two get the same frame',
};

export function gpufsShapeOf(job: Job): GpufsShape {
  const frames = Math.floor(job.cacheBytes / job.lineBytes);
  return {
    frames,
    pageBytes: job.lineBytes,
    workers: job.threads,
    slots: SLOTS,
    // A batch that is much of the pool would take away what others are about to use.
    swapPages: Math.max(1, Math.min(SWAP_PAGES, Math.floor(frames / 8))),
    writes: job.workload.writes,
    flaws: job.flaws,
  };
}

export function gpufsCannot({ cacheBytes, lineBytes, fileBytes, workload, changedBytes }: Job): string | undefined {
  if (fileBytes % lineBytes !== 0) return 'its pages are whole';
  // One page at least has to come and go.
  if (workload.writes && (changedBytes ?? fileBytes) > cacheBytes - lineBytes) return 'pages that were changed stay in its cache until the file is synced, and these do not fit';
  return undefined;
}

const powerOfTwo = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(2, least)));

/** `more`: memories of the system itself. */
export function gpufsBaseline(shape: GpufsShape, part: Omit<ShaderPart, 'prelude'>, more: Baseline['memories'] = {}): Baseline {
  const { frames, pageBytes, workers, slots, flaws = [] } = shape;
  const ring = powerOfTwo(frames);
  const buckets = powerOfTwo(frames * BUCKETS_PER_FRAME);
  const opened = `
      ${dmaOf('pages')}
      const Gpufs gpufs = {slots, (WARPFS_DEVICE uint*)claims, (WARPFS_DEVICE uint*)pool, (WARPFS_DEVICE uint*)buckets, dma,
                           frames, ${ring}u, ${buckets}u, page_shift, workers, slots_of_worker, swap_pages, ${shape.writes ? 1 : 0}u};`;
  return {
    part: { ...part, prelude: `#define GPUFS_FLAWS ${flawMask(gpufsFlaws, flaws)}u\n#include "baselines/gpufs_group.h"\n`, open: `${opened}${part.open}` },
    memories: {
      slots: { bytes: (workers * slots + workers * 2) * 128, place: 'host' },
      claims: { bytes: workers * slots * 128, place: 'device' },
      pool: { bytes: (POOL_WORDS + Math.ceil(ring / 16) * 16 + frames * FRAME_WORDS) * 4, place: 'device' },
      buckets: { bytes: buckets * BUCKET_WORDS * 4, place: 'device' },
      pages: { bytes: frames * pageBytes, place: 'device' },
      ...more,
    },
    numbers: { frames, page_shift: Math.log2(pageBytes), workers, slots_of_worker: slots, swap_pages: shape.swapPages },
    peer: { kind: 'gpufs', shape: { slots, pageBytes }, shared: 'slots', lines: 'pages', stageBytes: workers * slots * 3 * pageBytes },
    flush: `${opened}
      const int synced = gpufs_sync(fs, gpufs);
      if (synced != 0) return synced;`,
  };
}

/** In place: each warp maps the page of its access. */
export const mapPart = (shape: GpufsShape): Omit<ShaderPart, 'prelude'> => ({
  pieceBytes: shape.pageBytes,
  open: '',
  access: `
    uint frame = 0u;
    const int mapped = gpufs_map(fs, gpufs, offset, frame);
    if (mapped != 0) return mapped;
    place = pages + gpufs_place(gpufs, frame) + (offset & ((1u << page_shift) - 1u));`,
  release: `
    const int unmapped = gpufs_unmap(fs, gpufs, frame, mode != ACCESS_READ);
    if (unmapped != 0) return unmapped;`,
  close: '',
});

/**
 * The calls of a whole group: gread into buffers of the warps, and gwrite from there. One call is for one buffer, so a group makes one for each
 * of its warps.
 */
export const groupPart = (bufferBytes: number, groupWarps: number): Omit<ShaderPart, 'prelude'> => ({
  groupWarps,
  shared: { group_words: `u32[${4 + groupWarps * 4}]` },
  open: `
      const uint warp_of_group = item % ${groupWarps}u;
      const GpufsGroup group = {group_words, warp_of_group, ${groupWarps}u, buffers + (ulong)(item - warp_of_group) * ${bufferBytes}u, ${bufferBytes}u};
      gpufs_group_begin(lane, group);
      WARPFS_DEVICE uchar* const mine = buffers + (ulong)item * ${bufferBytes}u;`,
  access: `
    place = mine;
    const int moved = gpufs_group_move(fs, gpufs, group, offset, mode == ACCESS_OVERWRITE ? 0u : bytes, false);
    if (moved != 0) return moved;`,
  release: `
    const int put = gpufs_group_move(fs, gpufs, group, offset, mode == ACCESS_READ ? 0u : bytes, true);
    if (put != 0) return put;`,
  close: '',
});

/** Statements of the warp that plays the workers in check mode. */
export const gpufsDrive = ({ workers, slots }: GpufsShape): string => `
      const GpufsDrive drive = {slots, pages, disk, disk_bytes, ${workers}u, ${slots}u};
      return gpufs_drive(fs, drive, ended_items, all_items);`;
