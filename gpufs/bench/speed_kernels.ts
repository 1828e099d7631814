// The kernels of the benchmarks of a GPU, one for each kind of access.
import { WORD_FACTOR } from './data_set.ts';
import { commonInputs, commonOutputs, head, readOne, tail } from './speed_kernel_parts.ts';

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
      // All of them are on their way before the first is waited for.
      warp_sync(lane);
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
      for (uint k = item; k < total && (count == 0u || warp_broadcast(lane, atomic_load(&gate[2]), 0u) < items - readers); k += readers) {
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

/** Random pages get the words of their places; each item syncs when it has written its own, so that all of them write back. */
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
    WARPFS_TRY(int synced, gfsync(fs, file));
    if (synced != 0) return synced;
    ${tail}`,
} as const;
