// The design of BaM: a direct table, tickets for slots, queue pairs that warps share and poll themselves. What it is about, and what it is not:
// native/shaders/baselines/BAM.md
import { type Baseline, dmaOf, flawMask, nvmePairBytes, prepareBaseline } from '../baseline_system.ts';
import { cacheOf } from '../kernel_system.ts';
import type { Job, System } from '../system.ts';

const BLOCK_BYTES = 512;
const LANES = 32;
const PAGE_BYTES = 32;
const SLOT_BYTES = 32;
const SHARED_BYTES = 640;

/** In the order of the bits of BamFlaw. */
const shaderFlaws = {
  wrong_index: 'a write marks the page whose number is that of the slot, so that its own page is never written back (array_d_t::acquire_page)',
  dirty_on_read: 'the pointer marks pages that are only read, so that each eviction writes',
  short_translation: 'of the page in a slot only some bits are kept, so that another page is taken out (pull request 39)',
  two_slots: 'who comes to load a page does not look whether it was loaded meanwhile, so that it gets a second slot (commit 11cbf91)',
  fence_read: 'each read waits for a further read of one block, as a fence of the bus; one for all that wait at that time',
  shared_counters: 'accesses and hits of all warps are counted in two words side by side',
  doorbell_first: 'nothing keeps a doorbell behind the command that it is rung for',
  status_ignored: 'a command that failed is taken for one that succeeded',
};
const hostFlaws = { flush_without_wait: 'the flush is launched, and nobody waits for its end' };
export const bamFlaws = { ...shaderFlaws, ...hostFlaws };
export type BamFlaw = keyof typeof bamFlaws;

/** `stages`: of each warp; where lanes miss on their own each needs one. */
export interface BamShape {
  fileBytes: number;
  lineBytes: number;
  slots: number;
  items: number;
  stages: number;
  queues: number;
  /** Powers of two. */
  depth: number;
  ids: number;
  flushWarps: number;
}

const log2 = (value: number): number => 31 - Math.clz32(value);

/** A warp's view of the cache, for the texts of a part. */
export const bamOf = (stages: string): string => `
      ${dmaOf('bam_lines')}
      const Bam bam = {bam_queue(bam_queues, bam_marks, item % bam_queue_count, bam_depth_shift, bam_id_count), bam_pages, bam_slots, bam_shared,
                       bam_slot_count, bam_line_shift, bam_file_blocks, item * ${stages}, dma};`;

export function bamBaseline(shape: BamShape, flaws: readonly BamFlaw[] = []): Baseline {
  const { fileBytes, lineBytes, slots, items, stages, queues, depth, ids, flushWarps } = shape;
  const markWords = Math.ceil((256 + depth * 24 + ids) / 32) * 32;
  return {
    part: {
      prelude: `#define BAM_FLAWS ${flawMask(shaderFlaws, flaws)}u\n#include "baselines/bam.h"\n#include "baselines/bam_array.h"\n#include "baselines/bam_flush.h"\n`,
      pieceBytes: lineBytes,
      open: `${bamOf('bam_stages')}
      BamPtr bam_at = {0u, 0u, 0u};`,
      access: `
      const int bam_got = bam_ptr_move(fs, bam, bam_at, offset >> bam_line_shift, mode != ACCESS_READ);
      if (bam_got < 0) return bam_got;
      place = bam_memref(bam, bam_at, offset);`,
      release: 'bam_ptr_release(fs, bam, bam_at);',
      close: '',
    },
    memories: {
      bam_pages: { bytes: Math.ceil(fileBytes / lineBytes) * PAGE_BYTES, place: 'device' },
      bam_slots: { bytes: slots * SLOT_BYTES, place: 'device' },
      bam_shared: { bytes: SHARED_BYTES, place: 'device' },
      bam_marks: { bytes: queues * markWords * 4, place: 'device' },
      bam_queues: { bytes: queues * nvmePairBytes(depth), place: 'host' },
      bam_lines: { bytes: slots * lineBytes, place: 'device' },
    },
    numbers: {
      bam_queue_count: queues, bam_depth_shift: log2(depth), bam_id_count: ids, bam_slot_count: slots, bam_line_shift: log2(lineBytes),
      bam_file_blocks: Math.ceil(fileBytes / BLOCK_BYTES), bam_stages: stages,
    },
    peer: { kind: 'nvme', shape: { queues, depth }, shared: 'bam_queues', lines: 'bam_lines', stageBytes: Math.max(items * stages, flushWarps * LANES) * lineBytes },
    flush: `${bamOf('lane.count')}
      const int bam_flushed = bam_flush(fs, bam, item, ${flushWarps}u);
      if (bam_flushed != 0) return bam_flushed;`,
    flushWarps,
    ...(flaws.includes('flush_without_wait') ? { flushWaits: false as const } : {}),
  };
}

/** Queues enough that no warp waits for an entry: on an H200 128 of 1024 served all warps. */
function shapeOf(job: Job): BamShape {
  const gpu = job.device !== 'cpu';
  const lines = cacheOf(job).lines ?? 0;
  return {
    fileBytes: job.fileBytes, lineBytes: job.lineBytes, slots: lines, items: job.items, stages: 1, queues: Math.min(job.items, gpu ? 128 : 4),
    depth: gpu ? 1024 : 256, ids: gpu ? 65536 : 1024, flushWarps: gpu && job.workload.writes ? Math.min(256, Math.ceil(lines / LANES)) : 1,
  };
}

export const system: System = {
  name: 'bam',
  models: 'BaM: warps find pages in a direct table, evict by ticket, and poll NVMe queue pairs themselves; dirty pages are written back within a miss',
  shaped: true,
  flaws: bamFlaws,
  cannot({ lineBytes, fileBytes, workload }) {
    if (lineBytes < BLOCK_BYTES || !Number.isInteger(Math.log2(lineBytes))) return `a page is whole blocks of ${BLOCK_BYTES} bytes, and a power of two`;
    return workload.writes && fileBytes % BLOCK_BYTES !== 0 ? `it writes whole blocks of ${BLOCK_BYTES} bytes, so that the file would grow` : undefined;
  },
  prepare: (job) => prepareBaseline('bam', job, bamBaseline(shapeOf(job), (job.flaws ?? []) as BamFlaw[])),
};
