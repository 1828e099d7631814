// The kernels of the benchmarks of a GPU. Each item opens the file once, waits until all items have, notes the time, does many operations with every
// word compared, and notes the time again: neither opens nor launches count.
import { WORD_FACTOR } from './data_set.ts';

/** What every one of them has; `mask` and `half_bits` are those of the number of pieces, which is a power of two. */
export const commonInputs = { path: 'string', items: 'u32', total: 'u32', first: 'u32', seed: 'u32', mask: 'u32', half_bits: 'u32' } as const;
/** `gate`: items that have opened, whether one waited too long, items that are done. `times`: begin and end of each item, in nanoseconds. */
export const commonOutputs = { gate: 'u32[]', times: 'u64[]', wrong: 'u32[]' } as const;

const GATE_NS = 2_000_000_000;

const head = (mode: 'WARPFS_RDONLY' | 'WARPFS_RDWR'): string => `
    // Each number up to the mask once, in an order without a pattern: every step can be undone.
    const auto piece_at = [&](uint k) -> uint {
      uint piece = (k * ${WORD_FACTOR}u + 12345u) & mask;
      piece ^= piece >> half_bits;
      piece = (piece * 2246822519u) & mask;
      return piece ^ (piece >> half_bits);
    };
    const auto wait_for_all = [&](uint word, uint wanted, ulong longest) {
      if (lane.index == 0u) {
        fence_release();
        atomic_add(&gate[word], 1u);
        const ulong since = clock_ns();
        while (atomic_load(&gate[word]) < wanted) {
          if (clock_ns() - since > longest) {
            atomic_store(&gate[1], 1u);
            break;
          }
        }
        fence_acquire();
      }
      warp_sync(lane);
    };
    // 1 where one of the words of a piece is wrong; \`word\`: the index of the first one of this lane in the file.
    const auto differs = [&](const Vec16* got, uint count, uint word) -> uint {
      uint bad = 0u;
      for (uint i = 0; i < count; i++) {
        const uint expected = (word + i * 128u) * ${WORD_FACTOR}u + seed;
        for (uint j = 0; j < 4u; j++) bad |= got[i].words[j] ^ (expected + j * ${WORD_FACTOR}u);
      }
      return bad != 0u ? 1u : 0u;
    };
    (void)piece_at;
    (void)differs;
    WARPFS_TRY(int file, gopen(fs, path, ${mode}));
    if (file < 0) return file;
    uint mismatches = 0u;
    wait_for_all(0u, items, ${GATE_NS}ul);
    const ulong begin = clock_ns();
`;

const tail = `
    const ulong end = clock_ns();
    mismatches = lane.sum(mismatches);
    if (lane.index == 0u) {
      times[item * 2u] = begin;
      times[item * 2u + 1u] = end;
      wrong[item] = mismatches;
    }
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;
`;

/** A gread of a piece into the place of this warp, and its comparison there. Sees `page`. */
const readOne = (lineBytes: number): string => `
      WARPFS_TRY(int bytes, gread(fs, file, (ulong)page * ${lineBytes}u, ${lineBytes}u, mine));
      if (bytes < 0) return bytes;
      if (bytes != ${lineBytes}) mismatches++;
      Vec16 got[${lineBytes / 512}];
      for (uint i = 0; i < ${lineBytes / 512}u; i++) got[i] = ((const WARPFS_DEVICE Vec16*)mine)[i * 32u + lane.index];
      mismatches += differs(got, ${lineBytes / 512}u, page * ${lineBytes / 4}u + lane.index * 4u);
      warp_sync(lane);
`;

export const readKernel = (lineBytes: 4096 | 512, groupWarps = 1) => ({
  name: `speed_gread_${lineBytes}`,
  groupWarps,
  inputs: commonInputs,
  outputs: { ...commonOutputs, target: 'u8[]', multiprocessors: 'u32[]' },
  source: `${head('WARPFS_RDONLY')}
    WARPFS_DEVICE uchar* mine = target + (ulong)item * ${lineBytes}u;
    for (uint k = item; k < total; k += items) {
      const uint page = piece_at(first + k);
      ${readOne(lineBytes)}
    }
    uint multiprocessor = item;
#if defined(__CUDACC__)
    asm volatile("mov.u32 %0, %%smid;" : "=r"(multiprocessor));
#endif
    if (lane.index == 0u) multiprocessors[item] = multiprocessor;
    ${tail}`,
}) as const;

export const mapKernel = {
  name: 'speed_gmmap_4096',
  inputs: commonInputs,
  outputs: commonOutputs,
  source: `${head('WARPFS_RDONLY')}
    for (uint k = item; k < total; k += items) {
      const uint page = piece_at(first + k);
      Map map;
      WARPFS_TRY(int mapped, gmmap(fs, file, (ulong)page * 4096u, 4096u, WARPFS_RDONLY, map));
      if (mapped != 4096) return mapped < 0 ? mapped : -Errno::eio;
      Vec16 got[8];
      for (uint i = 0; i < 8u; i++) got[i] = data_load16((const WARPFS_DEVICE Vec16*)map.bytes + i * 32u + lane.index);
      mismatches += differs(got, 8u, page * 1024u + lane.index * 4u);
      WARPFS_TRY(int unmapped, gmunmap(fs, map));
      if (unmapped != 0) return unmapped;
    }
    ${tail}`,
} as const;

/** Pieces of 256 bytes: 8 a lane. */
export const loadKernel = {
  name: 'speed_gload_256',
  inputs: commonInputs,
  outputs: commonOutputs,
  source: `${head('WARPFS_RDONLY')}
    for (uint k = item; k < total; k += items) {
      const uint element = piece_at(first + k) * 32u + lane.index;
      const ulong value = gload<ulong>(fs, file, (ulong)element);
      const uint low = element * 2u * ${WORD_FACTOR}u + seed;
      mismatches += (uint)value != low || (uint)(value >> 32) != low + ${WORD_FACTOR}u ? 1u : 0u;
    }
    ${tail}`,
} as const;

/** Pieces are words, and each lane takes its own; \`total\` counts warps. */
export const gatherKernel = {
  name: 'speed_gload_random',
  inputs: commonInputs,
  outputs: commonOutputs,
  source: `${head('WARPFS_RDONLY')}
    for (uint k = item; k < total; k += items) {
      const uint word = piece_at((first + k) * 32u + lane.index);
      const uint value = gload<uint>(fs, file, (ulong)word);
      mismatches += value != word * ${WORD_FACTOR}u + seed ? 1u : 0u;
    }
    ${tail}`,
} as const;

/** One read after the other, each timed: in cycles, which one nanosecond clock of the whole turns into nanoseconds. */
export const latencyKernel = {
  name: 'speed_gread_latency',
  inputs: commonInputs,
  outputs: { ...commonOutputs, target: 'u8[]', ticks: 'u64[]' },
  source: `
    const auto ticks_now = [&]() -> ulong {
#if defined(__CUDACC__)
      ulong now;
      asm volatile("mov.u64 %0, %%clock64;" : "=l"(now)::"memory");
      return now;
#else
      return clock_ns();
#endif
    };
    ${head('WARPFS_RDONLY')}
    WARPFS_DEVICE uchar* mine = target;
    const ulong begin_ticks = ticks_now();
    for (uint k = 0; k < total; k++) {
      const uint page = piece_at(first + k);
      const ulong before = ticks_now();
      WARPFS_TRY(int bytes, gread(fs, file, (ulong)page * 4096u, 4096u, mine));
      const ulong taken = ticks_now() - before;
      if (bytes < 0) return bytes;
      if (bytes != 4096) mismatches++;
      Vec16 got[8];
      for (uint i = 0; i < 8u; i++) got[i] = ((const WARPFS_DEVICE Vec16*)mine)[i * 32u + lane.index];
      mismatches += differs(got, 8u, page * 1024u + lane.index * 4u);
      if (lane.index == 0u) ticks[k] = taken;
      warp_sync(lane);
    }
    if (lane.index == 0u) ticks[total] = ticks_now() - begin_ticks;
    ${tail}`,
} as const;

/** The first groups read until the others have computed, or do nothing where `total` is 0. What the others compute is known. */
export const besideKernel = (groupWarps: number) => ({
  name: 'speed_beside',
  groupWarps,
  inputs: { ...commonInputs, readers: 'u32', rounds: 'u32' },
  outputs: { ...commonOutputs, target: 'u8[]', multiprocessors: 'u32[]', reads: 'u32[]', computed: 'u32[]' },
  source: `${head('WARPFS_RDONLY')}
    WARPFS_DEVICE uchar* mine = target + (ulong)item * 4096u;
    if (item < readers) {
      uint count = 0u;
      for (uint k = item; k < total && warp_broadcast(lane, atomic_load(&gate[2]), 0u) < items - readers; k += readers) {
        const uint page = piece_at(first + k);
        ${readOne(4096)}
        count++;
      }
      if (lane.index == 0u) reads[item] = count;
    } else {
      uint a = item * 32u + lane.index, b = a + 1u, c = a + 2u, d = a + 3u;
      for (uint round = 0; round < rounds; round++) {
        a = a * 1664525u + 1013904223u;
        b = b * 1664525u + 1013904223u;
        c = c * 1664525u + 1013904223u;
        d = d * 1664525u + 1013904223u;
      }
      const uint sum = lane.sum(a ^ b ^ c ^ d);
      if (lane.index == 0u) {
        computed[item] = sum;
        atomic_add(&gate[2], 1u);
      }
    }
    uint multiprocessor = item;
#if defined(__CUDACC__)
    asm volatile("mov.u32 %0, %%smid;" : "=r"(multiprocessor));
#endif
    if (lane.index == 0u) multiprocessors[item] = multiprocessor;
    ${tail}`,
}) as const;

const SYNC_NS = 60_000_000_000;

/** Random pages get the words of their places; when all are written one item syncs. */
export const writeKernel = {
  name: 'speed_gwrite_4096',
  inputs: commonInputs,
  outputs: { ...commonOutputs, source: 'u8[]' },
  source: `${head('WARPFS_RDWR')}
    WARPFS_DEVICE uchar* mine = source + (ulong)item * 4096u;
    for (uint k = item; k < total; k += items) {
      const uint page = piece_at(first + k);
      for (uint i = 0; i < 8u; i++) {
        const uint made = (page * 1024u + (i * 32u + lane.index) * 4u) * ${WORD_FACTOR}u + seed;
        Vec16 words;
        for (uint j = 0; j < 4u; j++) words.words[j] = made + j * ${WORD_FACTOR}u;
        ((WARPFS_DEVICE Vec16*)mine)[i * 32u + lane.index] = words;
      }
      warp_sync(lane);
      WARPFS_TRY(int bytes, gwrite(fs, file, (ulong)page * 4096u, 4096u, mine));
      if (bytes < 0) return bytes;
      if (bytes != 4096) mismatches++;
    }
    if (item == 0u) {
      wait_for_all(2u, items, ${SYNC_NS}ul);
      WARPFS_TRY(int synced, gfsync(fs, file));
      if (synced != 0) return synced;
    } else {
      wait_for_all(2u, 0u, 0ul);
    }
    ${tail}`,
} as const;
