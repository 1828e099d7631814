// What the tests of AGILE do with its cache: reads, updates and overwrites, and what must come of them.
import type { CheckOptions } from '../gpufs/check_options.ts';
import { type AgileAccess, agileArray, agileBaseline, type AgileOptions, type AgileShape } from './agile_parts.ts';
import { checkBaseline, type Found } from './baseline_check_for_tests.ts';
import { type Access, randomOf, roundOf, shuffled, sumOfWords, totalsOf, wordsOfSeed } from './lists.ts';
import { ACCESS, type Round, type Workload } from './workload.ts';

export const BYTES = 512;
export const SEED = 5;

/** Reads add words up; an update adds to each word what its index says, an overwrite stores it. */
export const mix: Workload = {
  name: 'mix',
  writes: true,
  each: `
    if (mode != ACCESS_OVERWRITE) total += words_sum(lane, place, bytes, word);
    warp_sync(lane);
    for (uint i = lane.index; mode != ACCESS_READ && i < bytes / 4u; i += lane.count) {
      WARPFS_DEVICE uint* at = (WARPFS_DEVICE uint*)place + i;
      data_store4(at, (mode == ACCESS_UPDATE ? data_load4(at) : 0u) + (uint)(offset / 4u) + i + 1u);
    }`,
};

export interface Mixed {
  rounds: { round: Round; expected: Uint32Array }[];
  /** The file when all rounds are over. */
  after: Uint8Array;
}

/** Rounds in which no two accesses touch the same bytes; `unit` bytes each. `modes`: how often each of the three comes. */
export function mixed(options: { items: number; count: number; unit: number; fileBytes: number; rounds: number; modes?: readonly [number, number, number]; seed?: number }): Mixed {
  const { items, count, unit, fileBytes, rounds, modes = [1, 1, 1], seed = SEED } = options;
  if (items * count * unit > fileBytes && (modes[1] > 0 || modes[2] > 0)) throw new Error('two accesses of a round would touch the same bytes');
  const wordOf = wordsOfSeed(SEED);
  const file = Uint32Array.from({ length: fileBytes / 4 }, (_, word) => wordOf(word));
  const random = randomOf(seed, 1);
  const kinds = modes.flatMap((often, mode) => Array.from({ length: often }, () => mode as Access['mode']));
  const all = Array.from({ length: rounds }, () => {
    const order = shuffled(random, Math.floor(fileBytes / unit));
    const round = roundOf(
      Array.from({ length: items }, (_, item) =>
        Array.from({ length: count }, (__, turn) => ({ offset: (order[(item * count + turn) % order.length] as number) * unit, bytes: unit, mode: kinds[random.below(kinds.length)] ?? ACCESS.read })),
      ),
    );
    return { round, expected: worked(round, file) };
  });
  return { rounds: all, after: new Uint8Array(file.buffer) };
}

/** The same on the CPU, in a file that lies in memory. */
export function worked(round: Round, file: Uint32Array): Uint32Array {
  return totalsOf(round, (offset, bytes, index) => {
    const mode = (round.lengths[index] as number) >>> 30;
    let sum = 0;
    for (let word = 0; word < bytes / 4; word++) {
      const at = offset / 4 + word;
      const before = file[at] as number;
      if (mode !== ACCESS.overwrite) sum = (sum + Math.imul(before, 2 * word + 1)) | 0;
      if (mode !== ACCESS.read) file[at] = ((mode === ACCESS.update ? before : 0) + at + 1) >>> 0;
    }
    return sum >>> 0;
  });
}

export interface Scenario {
  access: AgileAccess;
  options?: AgileOptions;
  shape?: Partial<AgileShape>;
  modes?: readonly [number, number, number];
  schedules?: number;
  items?: number;
  rounds?: Mixed;
  workload?: Workload;
  check?: CheckOptions;
  disk: Uint8Array;
}

const TINY: AgileShape = { queues: 1, depth: 4, lines: 2, blocks: 6, buffers: 0, serviceWarps: 1, lineBytes: BYTES };
export const TINY_BYTES = TINY.blocks * BYTES;

/** Two lines for six blocks, three warps that touch halves of them: what the first schedule that shows something shows. */
export function checkAgile({ access, options = {}, shape = {}, modes, schedules = 200, items = 3, rounds, workload = mix, check = {}, disk }: Scenario): Promise<Found | undefined> {
  const buffers = access.ahead === undefined ? 0 : items * (access.ahead + 1);
  const { rounds: all, after } = rounds ?? mixed({ items, count: 3, unit: BYTES / 2, fileBytes: TINY_BYTES, rounds: 2, ...(modes === undefined ? {} : { modes }) });
  const baseline = agileBaseline({ ...TINY, buffers, ...shape }, access, options);
  return checkBaseline({ name: 'agile', baseline, workload, rounds: all, disk, diskAfter: after, schedules, check: { seed: 9, ...check } });
}

/** Each warp asks ahead for lines that it uses, and for some that nobody does. */
export const agilePrefetching: AgileAccess = {
  ...agileArray,
  ahead: 1,
  start: `
    const int asked = agile_prefetch(fs, agile, queue, whole_offset);
    if (asked != 0) return asked;
    const int asked_in_vain = agile_prefetch(fs, agile, queue, (whole_offset + ${BYTES}u) % ((ulong)agile_blocks * ${BYTES}u));
    if (asked_in_vain != 0) return asked_in_vain;`,
};

/** How many commands were asked for so far: output `commands`. */
export const counted: Workload = {
  ...mix,
  name: 'counted',
  outputs: { commands: 'u32[]' },
  each: `${mix.each}
    if (lane.index == 0u) commands[0] = atomic_load(agile_queue(agile, 0u) + AGILE_TICKETS);`,
};

const MEET = `
      WaitBound until;
      wait_start(fs, until);`;
/** Two warps have one block in hand at once. The first writes its half and says so; the second then reads that half, and writes its own. Output `where`: their buffers. */
export const together: Workload = {
  name: 'together',
  writes: true,
  outputs: { met: 'u32[]', told: 'u32[]', where: 'u32[]' },
  each: `
    uint in_time = 1u;
    if (lane.index == 0u) {${MEET}
      where[item] = my_buffer;
      atomic_add(met, 1u);
      while (in_time != 0u && atomic_load(met) != 2u) in_time = wait_again(fs, until) ? 1u : 0u;
    }
    if (warp_broadcast(lane, in_time, 0u) == 0u) return wait_outcome();
    if (item == 1u) {
      if (lane.index == 0u) {${MEET}
        while (in_time != 0u && atomic_load(told) == 0u) in_time = wait_again(fs, until) ? 1u : 0u;
        fence_acquire();
      }
      if (warp_broadcast(lane, in_time, 0u) == 0u) return wait_outcome();
      total += words_sum(lane, place - ${BYTES / 2}u, ${BYTES / 2}u, 0u);
    }
    for (uint i = lane.index; i < bytes / 4u; i += lane.count) data_store4((WARPFS_DEVICE uint*)place + i, (uint)(offset / 4u) + i + 7u);
    warp_sync(lane);
    if (item == 0u && lane.index == 0u) {
      fence_release();
      atomic_store(told, 1u);
    }`,
};

/** The round of that workload, on the first block of a file, and the file behind it. */
export function togetherOn(disk: Uint8Array): Mixed {
  const half = BYTES / 2;
  const round = roundOf([[{ offset: 0, bytes: half, mode: ACCESS.update }], [{ offset: half, bytes: half, mode: ACCESS.update }]], { outputs: { met: 1, told: 1, where: 2 } });
  const after = disk.slice();
  const words = new Uint32Array(after.buffer, 0, BYTES / 4);
  words.forEach((_, word) => (words[word] = word + 7));
  return { rounds: [{ round, expected: Uint32Array.of(0, sumOfWords((word) => word + 7, 0, half)) }], after };
}
