// AGILE for its two systems: how much memory it needs, and the texts that both have.
import { type Baseline, dmaOf, flawMask, nvmePairBytes } from './baseline_system.ts';
import type { Job, ShaderPart } from './system.ts';

/** The bits of AgileFlaw in agile_state.h, in their order. */
export const agileFlaws = {
  dirty_evict_traps: 'a line that was changed cannot be evicted: whoever tries fails',
  modified_read_traps: 'a line that was changed cannot be read from the cache: whoever tries fails',
  hit_without_recheck: 'a reader adds its reference to a line that it saw ready and does not look again, nor does who evicts: the line may be another by then',
  flush_by_line_bytes: 'the last flush looks at as many lines as a line has bytes',
  reference_never_set: 'an access to the array does not mark its line as used, so that the clock is a FIFO (costs only)',
  window_steps_twice: 'the service warp steps over a window of completions for each that is whole: a queue stands still after its first 32',
  loads_are_additions: 'the words of a line are looked at by adding 0, six read-modify-writes a hit (costs only)',
} as const;
export type AgileFlaw = keyof typeof agileFlaws;

export interface AgileShape {
  queues: number;
  depth: number;
  lines: number;
  blocks: number;
  /** Of the users, of one line each; 0: none. */
  buffers: number;
  serviceWarps: number;
  lineBytes: number;
  /** That write back at the end. Default: one. */
  flushWarps?: number;
}

export interface AgileOptions {
  flaws?: readonly string[];
  /** Bytes are landed by who waits also where the drive brings them to their place. */
  lands?: boolean;
}

const QUEUE_WORDS = 4 * 32;
const QUEUES_OF_SERVICE_MAX = 4;

/** On a GPU a service warp for each queue pair; the cores of a CPU have better things to do. */
export function agileShape(job: Job, buffers = 0): AgileShape {
  const { queues, depth } = job.device === 'cpu' ? { queues: 2, depth: 64 } : { queues: 16, depth: 256 };
  const { lineBytes, fileBytes, cacheBytes } = job;
  const lines = Math.max(2, Math.floor(cacheBytes / lineBytes));
  const gpu = job.device !== 'cpu';
  return { queues, depth, serviceWarps: gpu ? queues : 1, lines, blocks: fileBytes / lineBytes, buffers, lineBytes, flushWarps: gpu ? Math.min(256, Math.ceil(lines / 32)) : 1 };
}

export function agileCannot({ fileBytes, lineBytes }: Job): string | undefined {
  return fileBytes % lineBytes === 0 ? undefined : 'its file is blocks of a line each, and the last one is not whole';
}

/** `agile` and `queue`, for a warp of this number. */
const agileOpen = (warp: string): string => `
    ${dmaOf('lines')}
    const AgileShape agile_shape = {agile_queues, agile_depth, agile_lines, agile_blocks, agile_buffers};
    const Agile agile = agile_at(agile_shape, dma, queues, (WARPFS_DEVICE uint*)agile_words, lines, buffers);
    const uint queue = ${warp} % agile_queues;
    (void)queue;`;

/** What stands between the accesses of a warp and the cache. */
export type AgileAccess = Pick<ShaderPart, 'start' | 'access' | 'release' | 'ahead'> & { open?: string };

export function agileBaseline(shape: AgileShape, access: AgileAccess, { flaws = [], lands = false }: AgileOptions = {}): Baseline {
  const { queues, depth, lines, blocks, buffers, serviceWarps, lineBytes, flushWarps = 1 } = shape;
  if (serviceWarps * QUEUES_OF_SERVICE_MAX < queues) throw new Error(`a service warp serves at most ${QUEUES_OF_SERVICE_MAX} queues, and ${serviceWarps} cannot serve ${queues}`);
  const queueWords = QUEUE_WORDS + Math.ceil((2 * depth) / 32) * 32;
  const words = 2 * 32 + queues * queueWords + 6 * lines + 3 * blocks + 6 * buffers;
  const { open = '', ...others } = access;
  return {
    part: {
      ...others,
      prelude: `#define AGILE_FLAWS ${flawMask(agileFlaws, flaws)}u\n#define AGILE_LANDS ${lands ? 1 : 0}u\n#define AGILE_LINE_BYTES ${lineBytes}u\n#include "baselines/agile.h"\n`,
      pieceBytes: lineBytes,
      open: agileOpen('item') + open,
      close: '',
      service: { warps: serviceWarps, text: `${agileOpen('service_warp')}\nreturn agile_serve(fs, agile, service_warp, ${serviceWarps}u, ended_items, all_items);` },
    },
    memories: {
      queues: { bytes: queues * nvmePairBytes(depth), place: 'host' },
      agile_words: { bytes: words * 4, place: 'device' },
      lines: { bytes: lines * lineBytes, place: 'device' },
      buffers: { bytes: Math.max(1, buffers) * lineBytes, place: 'device' },
    },
    numbers: { agile_queues: queues, agile_depth: depth, agile_lines: lines, agile_blocks: blocks, agile_buffers: buffers },
    peer: { kind: 'nvme', shape: { queues, depth }, shared: 'queues', lines: 'lines', stageBytes: lines * lineBytes },
    flush: `${agileOpen('0u')}\nreturn agile_flush(fs, agile, item, ${flushWarps}u);`,
    flushWarps,
  };
}

/** The array interface: a warp works on a line where it lies, and waits for each. */
export const agileArray: AgileAccess = {
  access: `
    uint my_line = 0u;
    const int my_outcome = agile_array(fs, agile, queue, offset, bytes, mode, my_line);
    if (my_outcome != 0) return my_outcome;
    place = agile_line(agile, my_line) + offset % AGILE_LINE_BYTES;`,
  release: `
    const int released = agile_release(fs, agile, my_line, mode != ACCESS_READ);
    if (released != 0) return released;`,
};

/** asyncRead: `places` buffers of each warp for each of its `ahead` + 1 accesses; with the share table where `shares`. */
export function agileAsync({ ahead, places, shares }: { ahead: number; places: number; shares: boolean }): AgileAccess {
  const all = (ahead + 1) * places;
  // Of a piece of an access: the first has the first block.
  const place = (block: string): string => `slot * ${places}u + (uint)(${block} - whole_offset / AGILE_LINE_BYTES)`;
  const started = (ask: string): string => `
    for (ulong block = whole_offset / AGILE_LINE_BYTES; block <= (whole_offset + whole_bytes - 1u) / AGILE_LINE_BYTES; block++) {
      const uint own = ${place('block')};${ask}
      if (asked != 0) return asked;
    }`;
  if (!shares) {
    return {
      ahead,
      start: started(`
      const int asked = agile_async_read(fs, agile, queue, (uint)block, item * ${all}u + own);`),
      access: `
    const uint my_buffer = item * ${all}u + ${place('offset / AGILE_LINE_BYTES')};
    const int my_outcome = agile_buffer_wait(fs, agile, my_buffer);
    if (my_outcome != 0) return my_outcome;
    place = agile_buffer(agile, my_buffer) + offset % AGILE_LINE_BYTES;`,
      release: 'warp_sync(lane);',
    };
  }
  return {
    ahead,
    open: `uint held[${all}];`,
    start: started(`
      const ulong begins = block * AGILE_LINE_BYTES;
      const bool whole = mode == ACCESS_OVERWRITE && whole_offset <= begins && begins + AGILE_LINE_BYTES <= whole_offset + whole_bytes;
      const int asked = agile_share_ask(fs, agile, queue, (uint)block, whole, item * ${all}u + own, held[own]);`),
    access: `
    const uint my_buffer = held[${place('offset / AGILE_LINE_BYTES')}];
    const int my_outcome = agile_buffer_wait(fs, agile, my_buffer);
    if (my_outcome != 0) return my_outcome;
    place = agile_buffer(agile, my_buffer) + offset % AGILE_LINE_BYTES;`,
    release: `
    const int released = agile_share_release(fs, agile, queue, (uint)(offset / AGILE_LINE_BYTES), my_buffer, mode != ACCESS_READ);
    if (released != 0) return released;`,
  };
}
