// The programs that show the mutants: each the smallest of its kind, so that a random schedule soon is the right one. Nothing runs here.
import type { NativeFaults } from '../../gpufs/native_check.ts';
import type { MountOptions } from '../../gpufs/options.ts';
import type { Operation, Program } from '../../gpufs/program.ts';

export interface MutantScenario {
  name: string;
  programs: readonly Program[];
  files: readonly { path: string; bytes: Uint8Array }[];
  config: Pick<MountOptions, 'wait' | 'cache' | 'ring' | 'residentWarps' | 'maxOpenFiles'>;
  faults: Partial<NativeFaults>;
  check: { laneCount: number; memory: 'sc' | 'relaxed' };
  /** The single warp of the scenario hits and misses so often, whatever the schedule: the policy as the simulator of the cache knows it. */
  counters?: { hits: number; misses: number };
}

export const LINE_BYTES = 512;

/** Never zero, and different in each page, so that bytes from anywhere else are seen. */
function content(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => ((at * 7 + seed) % 251) + 1);
}

const a = { path: 'a', bytes: content(3 * LINE_BYTES, 11) };
const b = { path: 'b', bytes: content(2 * LINE_BYTES, 97) };
/** More than one request can fill. */
const long = { path: 'long', bytes: content(9 * LINE_BYTES, 53) };

const open = (path: string, mode: 'r' | 'r+' | 'w+' = 'r'): Operation => ({ op: 'open', path, mode });
const read = (offset: number, length = 16, file = 0): Operation => ({ op: 'read', file, offset, length });
const write = (offset: number, length = 16, file = 0): Operation => ({ op: 'write', file, offset, data: content(length, offset + 200) });
const fsync = (file = 0): Operation => ({ op: 'fsync', file });
const close = (file = 0): Operation => ({ op: 'close', file });
const barrier: Operation = { op: 'barrier' };

interface Shape {
  lines: number;
  lanes?: number;
  memory?: 'sc' | 'relaxed';
  wait?: 'spin' | 'replay';
  ringSlots?: number;
  faults?: Partial<NativeFaults>;
  files?: MutantScenario['files'];
  counters?: MutantScenario['counters'];
}

function scenario(programs: readonly Program[], shape: Shape): Omit<MutantScenario, 'name'> {
  const { lines, lanes = 1, memory = 'sc', wait = 'spin', ringSlots = 8, faults = {}, files = [a], counters } = shape;
  return {
    programs,
    files,
    config: {
      wait,
      cache: { lines, lineBytes: LINE_BYTES, policy: 'clock' },
      ring: { count: 1, slots: ringSlots },
      residentWarps: programs.length,
      maxOpenFiles: 4,
    },
    faults,
    check: { laneCount: lanes, memory },
    ...(counters === undefined ? {} : { counters }),
  };
}

const page = (index: number): number => index * LINE_BYTES;
/** Beyond 32 bits as an offset, and as a page. */
const FAR = 2 ** 32 * LINE_BYTES;
const STRADDLE = LINE_BYTES - 8;

const twoWriters: readonly Program[] = [
  [open('a', 'r+'), write(0), barrier, read(0, 32)],
  [open('a', 'r+'), write(16), barrier, read(0, 32)],
];

const evicting = (length: number): readonly Program[] => [
  [open('a'), read(page(0), length), read(STRADDLE)],
  [open('a'), read(page(0), length), read(page(2), length), read(page(2), length)],
];

const scenarios = {
  /** Two warps miss on one page at the same time: one fills, the other comes to it while it does. */
  'same-page': scenario([[open('a'), read(0)], [open('a'), read(0)]], { lines: 1 }),
  /** One line, and pages that take it from each other; one read needs two of them, so that a warp may have to wait for its own pin. */
  eviction: scenario(evicting(16), { lines: 1 }),
  'eviction-two-lanes': scenario(evicting(32), { lines: 1, lanes: 2 }),
  /** Three warps want the same three pages at once, so that claims of one page meet in different ways. */
  rivals: scenario([[open('a'), read(0, page(3))], [open('a'), read(0, page(3))], [open('a'), read(0, page(3))]], { lines: 3 }),
  /** A page that is in two lines shows when what the one warp wrote is not where the other looks. */
  'two-writers-one-page': scenario(twoWriters, { lines: 3 }),
  'two-writers-one-page-relaxed': scenario(twoWriters, { lines: 3, memory: 'relaxed' }),
  /** One line that is written and evicted in turn, and a ring with one slot, which every request uses again. */
  'writer-and-evictor': scenario([[open('a', 'r+'), read(128), write(0), write(16)], [open('a'), read(page(1)), read(page(2))]], { lines: 1, ringSlots: 1 }),
  /** Two warps flush what both have written, and write on; some write-backs fail. */
  'writers-and-flushes': scenario(
    [[open('a', 'r+'), write(0), fsync(), write(16)], [open('a', 'r+'), write(32), fsync(), write(48)]],
    { lines: 1, faults: { eio: 200 } },
  ),
  /** The second write has to wait until the first one was written back; the reader has the line pinned when that begins. */
  'disjoint-writes-and-reader': scenario([[open('a', 'r+'), write(0), write(256)], [open('a'), read(128), read(144)]], { lines: 1 }),
  'whole-line': scenario([[open('a', 'r+'), write(0, LINE_BYTES)], [open('a'), read(page(1)), read(LINE_BYTES - 32, 32)]], { lines: 1, lanes: 2 }),
  /** Bytes behind the end: either not there, or the ones that were written. */
  'growing-file': scenario([[open('a', 'r+'), write(page(3)), read(page(3))], [open('a'), read(page(3)), read(page(3))]], { lines: 2 }),
  /** A line is filled that nobody has pinned, and a file is opened while others are at work. */
  'prefetch-and-late-open-relaxed': scenario(
    [
      [open('a'), { op: 'prefetch', file: 0, offset: 0, length: 16 }, open('b'), read(0, 16, 1)],
      [open('a'), read(page(1))],
    ],
    { lines: 1, memory: 'relaxed', files: [a, b] },
  ),
  'failing-fills': scenario([[open('a'), read(0, page(2)), read(page(1)), read(page(1))]], { lines: 2, faults: { eio: 400 } }),
  /** A write-back fails, or the host is gone before it could be tried again: whoever was told that the bytes are in the file relies on it. */
  'dying-host': scenario(
    [[open('a', 'r+'), write(0), fsync(), write(16)], [open('a', 'r+'), read(page(1)), fsync()]],
    { lines: 1, faults: { eio: 300, delay: 200, die: 30 } },
  ),
  /** Each read leaves the item, and is run again: what it holds in between is held exactly once. */
  'replayed-reads': scenario([[open('a'), read(0, page(2)), read(page(2))], [open('a'), read(page(2)), read(page(0))]], { lines: 2, wait: 'replay' }),
  'replayed-writes': scenario([[open('a', 'r+'), write(0), fsync(), close()], [open('a', 'r+'), write(16), close()]], { lines: 2, wait: 'replay' }),
  /** One warp and no choice: what is wrong with these is wrong under every schedule. */
  'one-warp': scenario(
    [
      [
        open('a', 'r+'), open('long'), write(page(1)), read(page(1), 32), write(16), write(0), read(0, 48), write(37, 7), fsync(), write(64), write(256), fsync(),
        read(0, 512), read(0, 9 * LINE_BYTES, 1), write(page(2) + 3, 5), close(),
      ],
    ],
    { lines: 2, files: [a, long] },
  ),
  'one-warp-two-files': scenario(
    [[open('a', 'r+'), open('b', 'r+'), write(0), write(0, 16, 1), read(0, 32), read(0, 32, 1), write(32), write(page(1), 16, 1)]],
    { lines: 1, files: [a, b] },
  ),
  /** Two warps write the same bytes far away, so that it is judged byte by byte; at the end the file is small again. */
  'far-offsets': scenario(
    [
      [open('a', 'r+'), write(FAR + 32), read(0, 48), read(FAR, 48), fsync(), read(0, 48), barrier, open('a', 'w+')],
      [open('a', 'r+'), write(FAR + 32), read(0, 48), read(FAR, 48), barrier],
    ],
    { lines: 1 },
  ),
  'second-chance': scenario([[open('long'), ...[0, 1, 2, 0, 3, 0, 3, 4, 5, 0].map((index) => read(page(index)))]], {
    lines: 3,
    files: [long],
    counters: { hits: 4, misses: 6 },
  }),
};

export type MutantScenarioName = keyof typeof scenarios;

const named = Object.entries(scenarios).map(([name, rest]) => [name, { name, ...rest }]);

export const mutantScenarios = Object.fromEntries(named) as Readonly<Record<MutantScenarioName, MutantScenario>>;
