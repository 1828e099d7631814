// What the kernels of the benchmarks of a GPU are made of. Each item opens the file once, waits until all items have, notes the time, does many
// operations with every word compared, and notes the time again: neither opens nor launches count.
import { WORD_FACTOR } from './data_set.ts';

/** What every one of them has; `mask` and `half_bits` are those of the number of pieces, which is a power of two. */
export const commonInputs = { path: 'string', items: 'u32', total: 'u32', first: 'u32', seed: 'u32', mask: 'u32', half_bits: 'u32' } as const;
/** `gate`: items that have opened, whether one waited too long, items that are done. `times`: begin and end of each item, in nanoseconds. */
export const commonOutputs = { gate: 'u32[]', times: 'u64[]', wrong: 'u32[]' } as const;

const GATE_NS = 2_000_000_000;

export const head = (mode: 'WARPFS_RDONLY' | 'WARPFS_RDWR'): string => `
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

export const tail = `
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
export const readOne = (lineBytes: number): string => `
      WARPFS_TRY(int bytes, gread(fs, file, (ulong)page * ${lineBytes}u, ${lineBytes}u, mine));
      if (bytes < 0) return bytes;
      if (bytes != ${lineBytes}) mismatches++;
      Vec16 got[${lineBytes / 512}];
      for (uint i = 0; i < ${lineBytes / 512}u; i++) got[i] = ((const WARPFS_DEVICE Vec16*)mine)[i * 32u + lane.index];
      mismatches += differs(got, ${lineBytes / 512}u, page * ${lineBytes / 4}u + lane.index * 4u);
      warp_sync(lane);
`;
