// The programs that show the mutants: each the smallest of its kind, so that a random schedule soon is the right one. Nothing runs here.
import type { Program } from '../../gpufs/program.ts';
import {
  type MutantScenario, a, add, b, barrier, close, content, FAR, fsync, gather, LINE_BYTES, long, map, odd, open, page, peek, read, release,
  scatter, scenario, STRADDLE, truncate, unmap, write,
} from './mutant_scenario_parts.ts';

const twoWriters: readonly Program[] = [
  [open('a', 'r+'), write(0), barrier, read(0, 32)],
  [open('a', 'r+'), write(16), barrier, read(0, 32)],
];

/** Of one page, which others come to, as its bytes come and go. */
const twoStorers = (length: number): readonly Program[] => [
  [open('a', 'r+'), ...[0, 1, 2, 3].flatMap((round) => [write(round * 16, length), fsync()]), read(page(1)), read(0, 64)],
  [open('a', 'r+'), ...[4, 5, 6, 7].flatMap((round) => [write(round * 16, length), fsync()]), read(page(2)), read(64, 64)],
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
  /** Two warps have written, and wait for each other's write-backs, twice. */
  'many-flushes': scenario(
    [[open('a', 'r+'), write(0), fsync(), write(16), fsync()], [open('a', 'r+'), write(32), fsync(), write(48), fsync()]],
    { lines: 1 },
  ),
  /** A line that a sweep has sent to the file: nobody waits for it, and whoever looks for room finds its answer. */
  'settled-lines': scenario(
    [
      [open('long', 'r+'), write(0), read(page(1)), read(page(2)), write(16), fsync()],
      [open('long'), read(page(3)), read(page(4))],
      [open('long'), read(page(5)), read(page(6))],
    ],
    { lines: 2, files: [long] },
  ),
  'writer-and-flush': scenario([[open('a', 'r+'), write(0), fsync()], [open('a', 'r+'), write(0), write(32)]], { lines: 1 }),
  'writing-lanes-and-flush': scenario([[open('a', 'r+'), read(0, 32), write(0, 32)], [open('a', 'r+'), fsync(), fsync()]], { lines: 1, lanes: 2 }),
  'whole-line-and-flush': scenario([[open('a', 'r+'), write(0, LINE_BYTES)], [open('a', 'r+'), write(0), fsync()]], { lines: 1 }),
  'replayed-writers-and-flush': scenario(
    [[open('a', 'r+'), write(0), write(16)], [open('a', 'r+'), fsync(), fsync()], [open('a', 'r+'), write(32), write(48)]],
    { lines: 1, wait: 'replay', ringSlots: 1 },
  ),
  /** Ranges with gaps between them, over the borders of the words of a mask; then the mask is used again, and then the slot of its request. */
  'masked-writes': scenario(
    [
      [
        open('a', 'r+'), write(28, 8), write(100, 200), write(60, 1), write(480, 32), fsync(), write(8, 4), write(310, 7), fsync(), write(page(1)), fsync(),
        read(0, LINE_BYTES),
      ],
    ],
    { lines: 2, ringSlots: 1 },
  ),
  'masked-writes-and-flushes': scenario(
    [
      [open('a', 'r+'), write(0), write(100), fsync(), write(32), write(200)],
      [open('a', 'r+'), write(300), fsync(), write(400), write(16)],
    ],
    { lines: 1 },
  ),
  /** Two that make a mask of the bytes of one page at the same time. */
  'masks-of-one-page': scenario([[open('a', 'r+'), write(0), write(100)], [open('a', 'r+'), write(200), write(300)]], { lines: 2 }),
  /** Two pages whose masks lie side by side. */
  'masked-pages': scenario(
    [0, 1].map((index) => [open('a', 'r+'), write(page(index)), write(page(index) + 100), fsync(), write(page(index) + 16), write(page(index) + 200)]),
    { lines: 2 },
  ),
  'failing-masks': scenario([[open('a', 'r+'), write(0), write(100), fsync(), write(16), fsync()]], { lines: 1, faults: { eio: 300 } }),
  /** Every write-back fails: those who wait for it must be told, and must not try for ever. */
  'full-disk-replayed': scenario([[open('a', 'r+'), write(0), read(page(1)), read(page(2))]], { lines: 1, wait: 'replay', faults: { enospc: 1000 } }),
  'full-disk-closed': scenario([[open('a', 'r+'), write(0), close()]], { lines: 1, faults: { enospc: 1000 }, finish: false }),
  /** The new end lies in what the other one writes. */
  'truncate-and-write': scenario([[open('a', 'r+'), truncate(96)], [open('a', 'r+'), write(64, 64), write(80, 64)]], { lines: 1 }),
  /** Who has a line mapped comes in where the gate is closed, and no longer where it is sealed. */
  'truncate-and-writing-mapper': scenario([[open('a', 'r+'), truncate(96)], [open('a', 'r+'), map(page(1), 32), write(80, 64), unmap(1, 32)]], { lines: 2 }),
  'truncate-and-mapper-and-writer': scenario(
    [[open('a', 'r+'), truncate(96)], [open('a', 'r+'), map(page(1), 32), unmap(1, 32)], [open('a', 'r+'), write(0)]],
    { lines: 1 },
  ),
  'truncate-and-write-relaxed': scenario([[open('a', 'r+'), truncate(96)], [open('a', 'r+'), write(64, 64), write(80, 64)]], { lines: 1, memory: 'relaxed' }),
  'two-truncations-and-write': scenario(
    [[open('a', 'r+'), truncate(96)], [open('a', 'r+'), truncate(40)], [open('a', 'r+'), write(0), write(16)]],
    { lines: 1 },
  ),
  /** What is cut off comes back as zeros: a read that has seen the one page before and the other one behind that shows it. */
  'truncate-and-read': scenario([[open('a', 'r+'), truncate(96), truncate(page(3))], [open('a'), read(0, page(2))]], { lines: 1 }),
  'truncate-once-and-read': scenario([[open('a', 'r+'), truncate(96)], [open('a'), read(0, page(2))]], { lines: 1 }),
  'truncate-and-read-replayed': scenario([[open('a', 'r+'), truncate(96), truncate(page(3))], [open('a'), read(0, page(2))]], { lines: 1, wait: 'replay' }),
  'truncate-and-scatter': scenario([[open('a', 'r+'), truncate(96)], [open('a', 'r+'), scatter([20]), scatter([22])]], { lines: 1 }),
  'truncate-and-gather': scenario([[open('a', 'r+'), truncate(4), truncate(page(3))], [open('a'), gather(100, 200)]], { lines: 1, lanes: 2 }),
  'truncate-and-map': scenario([[open('a', 'r+'), truncate(96)], [open('a', 'r+'), map(64, 16), unmap(1, 16)]], { lines: 1 }),
  'one-warp-truncates': scenario(
    [[open('a', 'r+'), write(0), write(200), truncate(150), read(0, 256), write(100), truncate(600), read(0, page(2)), open('b', 'w+'), read(0, 16, 1)]],
    { lines: 2, files: [a, b] },
  ),
  'failing-truncations': scenario([[open('a', 'r+'), write(0), truncate(100), read(0, 32)]], { lines: 1, faults: { eio: 300 } }),
  'replayed-emptying-open': scenario([[open('a', 'w+'), write(0), close()]], { lines: 1, wait: 'replay' }),
  'dying-host-replayed': scenario(
    [[open('a', 'r+'), write(0), write(page(1)), fsync()], [open('a', 'r+'), write(page(2)), truncate(96)]],
    { lines: 1, wait: 'replay', faults: { delay: 200, die: 30 } },
  ),
  'maps-and-eviction': scenario([[open('a', 'r+'), map(64, 64), unmap(1, 64)], [open('a'), read(page(1)), read(page(2))]], { lines: 1 }),
  'one-warp-maps': scenario(
    [[open('a', 'r+'), map(0, 100), unmap(1, 100), map(page(1), 64), map(16, 16), unmap(4, 16), unmap(3, 64)]],
    { lines: 3 },
  ),
  'synced-map': scenario([[open('a', 'r+'), map(0, 64), { op: 'map_sync', map: 1, data: content(64, 400) }]], { lines: 1, finish: false }),
  /** One dirty line is what the limit allows: the second page of a call goes on to the file with the first. */
  'limited-writes': scenario([[open('a', 'r+'), write(0), write(16), write(LINE_BYTES - 8), write(page(2))]], {
    lines: 3,
    maxDirtyBytes: LINE_BYTES,
    counters: { writeBacks: 2 },
  }),
  'limited-elements': scenario([[open('a', 'r+'), scatter([0, 1, 200, 300])]], { lines: 3, lanes: 4, maxDirtyBytes: LINE_BYTES, counters: { writeBacks: 3 } }),
  'forgotten-map': scenario([[open('a'), map(0, 16, 'r')]], { lines: 1 }),
  'polled-read': scenario(
    [[open('a'), { op: 'read_async', file: 0, offset: 0, length: 16 }, { op: 'poll', ticket: 1 }, { op: 'wait', ticket: 1 }]],
    { lines: 1 },
  ),
  /** The pages of one call do not fit into the cache together. */
  'replayed-adds': scenario([[open('a', 'r+'), add(3, 130), gather(200, 10), gather(3, 130)]], { lines: 1, lanes: 2, wait: 'replay' }),
  'gather-past-the-cache': scenario([[open('a'), map(page(2), 16, 'r'), gather(5, 130)]], { lines: 2, lanes: 2, wait: 'replay' }),
  /** The first element lies behind the end, and is what the call reports; the other one fails. */
  'failing-adds': scenario([[open('a', 'r+'), add(400, 3), add(400, 130), fsync()], [open('a', 'r+'), add(400, 130)]], { lines: 1, faults: { eio: 400 } }),
  'two-adders': scenario([[open('a', 'r+'), add(3)], [open('a', 'r+'), add(3)]], { lines: 1 }),
  /** Accesses to elements are points to choose at only now and then, so it takes many of them. */
  'many-adds': scenario(
    [
      [open('a', 'r+'), add(3), add(3), add(3), add(3), add(3), add(3), add(3)],
      [open('a', 'r+'), read(0, 4), add(3), add(3), add(3), add(3), add(3), add(3), add(3)],
    ],
    { lines: 1 },
  ),
  'one-warp-elements': scenario(
    [
      [
        open('a', 'r+'), open('b', 'r+'), scatter([3, 5, 9, 3]), scatter([16, 17, 18, 19]), scatter([40, 20], 1), read(page(1)), gather(3, 5, 9, 18), add(7, 9),
        scatter([384]), fsync(), gather(3, 7),
      ],
    ],
    { lines: 1, lanes: 4, files: [a, b] },
  ),
  'elements-of-odd-file': scenario([[open('odd', 'r+'), scatter([2]), gather(0, 1)]], { lines: 1, files: [odd] }),
  /** As the cuda device has them: the first read asks for a window, and the host grants it some time. */
  'truncate-and-read-window': scenario([[open('a', 'r+'), read(page(1)), truncate(96), truncate(page(3))], [open('a'), read(page(2)), read(0, page(2)), read(0, page(2))]], {
    lines: 1,
    cuda: true,
  }),
  'truncate-and-read-window-relaxed': scenario(
    [[open('a', 'r+'), read(page(1)), truncate(96), truncate(page(3))], [open('a'), read(page(2)), read(0, page(2)), read(0, page(2))]],
    { lines: 1, memory: 'relaxed', cuda: true },
  ),
  'truncate-and-read-window-lanes': scenario(
    [[open('a', 'r+'), read(page(1)), truncate(96), truncate(page(3))], [open('a'), read(page(2)), read(0, page(2)), read(0, page(2))]],
    { lines: 1, lanes: 3, memory: 'relaxed', cuda: true },
  ),
  'readers-and-windows': scenario(
    [0, 1, 2].map(() => [open('a'), ...[1, 0, 1, 0, 1, 0].map((index) => read(page(index)))]),
    { lines: 1, cuda: true },
  ),
  /** The first read of a page leaves a hint; pages take the lines from each other, and come back. */
  'hinted-elements': scenario([[open('a'), gather(5), gather(5), gather(5), gather(5)], [open('a'), gather(130), gather(5), gather(130), gather(5), gather(130)]], {
    lines: 1,
    cuda: true,
  }),
  /** Two lanes with elements of one page, and of two. */
  'hinted-elements-together': scenario([[open('a'), gather(5, 6), gather(5, 6), gather(5, 6)], [open('a'), gather(130, 131), gather(5, 6), gather(130, 131), gather(5, 6)]], {
    lines: 1,
    lanes: 2,
    cuda: true,
  }),
  'hinted-elements-apart': scenario([[open('a'), gather(5, 130), gather(5, 130), gather(5, 130)], [open('a'), gather(260, 5), gather(5, 300), gather(130, 5), gather(260, 130)]], {
    lines: 2,
    lanes: 2,
    cuda: true,
  }),
  'hinted-reads-of-lanes': scenario([[open('a'), ...[0, 0, 0].map(() => read(0, 64))], [open('a'), ...[1, 0, 1, 0].map((index) => read(page(index), 64))]], { lines: 1, lanes: 2, cuda: true }),
  'hinted-elements-of-odd-file': scenario([[open('odd'), gather(0), gather(1), gather(2)]], { lines: 1, files: [odd], cuda: true }),
  /** The second file has the place in the tables that the first one had. */
  'hinted-files': scenario([[open('a'), gather(5), gather(5), read(0), read(0), close(), open('b'), gather(5), read(0, 16, 1)]], { lines: 3, files: [a, b], cuda: true }),
  'hinted-maps': scenario(
    [
      [open('a'), ...[0, 1, 2].flatMap(() => [read(0)]), map(0, 16, 'r'), release(4), map(0, 16, 'r'), release(6)],
      [open('a'), read(page(1)), read(page(0)), read(page(1)), read(page(0)), read(page(1))],
    ],
    { lines: 1, cuda: true },
  ),
  'hinted-maps-in-turn': scenario([[open('a'), read(0), map(0, 16, 'r'), release(2), map(0, 16, 'r'), release(4), map(0, 16, 'r'), release(6)]], { lines: 2, cuda: true }),
  'hinted-maps-of-one-set': scenario(
    [[open('a', 'r+'), read(0), read(page(1)), map(0, 16, 'r'), release(3), map(0, 16, 'r'), release(5), map(0, 16, 'r'), map(page(1), 16, 'r'), write(page(2))], [open('a')]],
    { lines: 2, cuda: true },
  ),
  'hinted-reads': scenario([[open('a'), ...[0, 0, 0, 0].map(() => read(0))], [open('a'), ...[1, 0, 1, 0, 1].map((index) => read(page(index)))]], { lines: 1, cuda: true }),
  peeks: scenario([[open('a'), ...[0, 0, 0, 0].map(() => peek(0))], [open('a'), ...[1, 0, 1, 0, 1].map((index) => peek(page(index)))]], { lines: 2, cuda: true }),
  'hinted-reads-relaxed': scenario([[open('a'), ...[0, 0, 0, 0].map(() => read(0))], [open('a'), ...[1, 0, 1, 0, 1].map((index) => read(page(index)))]], {
    lines: 1,
    memory: 'relaxed',
    cuda: true,
  }),
  'hinted-first-reads-relaxed': scenario([0, 1, 2].map(() => [open('a'), read(0), read(0)]), { lines: 1, memory: 'relaxed', cuda: true }),
  'hinted-reads-of-odd-file': scenario([[open('odd'), read(0, 4), read(0), read(0)]], { lines: 1, files: [odd], cuda: true }),
  'whole-lines-and-elements-relaxed': scenario(
    [[open('a', 'r+'), ...[1, 2, 1].map((index) => write(page(index), LINE_BYTES))], [open('a'), ...[0, 1, 2, 3, 4, 5].map(() => gather(127, 126))]],
    { lines: 1, lanes: 2, memory: 'relaxed', cuda: true },
  ),
  /** Reads that miss are served out of windows, once they are granted. */
  'cold-reads-and-truncation': scenario(
    [[open('a', 'r+'), read(page(1)), read(page(2)), truncate(96), truncate(page(3))], [open('a'), ...[2, 1, 0, 1, 0].map((index) => read(page(index), 128))]],
    { lines: 1, cuda: true },
  ),
  'cold-reads-and-truncation-lanes': scenario(
    [[open('a', 'r+'), read(page(1)), read(page(2)), truncate(96), truncate(page(3))], [open('a'), ...[2, 1, 0, 1, 0].map((index) => read(page(index), 128))]],
    { lines: 1, lanes: 3, memory: 'relaxed', cuda: true },
  ),
  'cold-reads-of-words': scenario([[open('a'), read(page(1)), ...[0, 1, 0, 1, 0, 1].map((index) => read(page(index) + 4, 12))]], { lines: 1, cuda: true }),
  /** What is stored last is what may come too late. */
  'cold-reads-relaxed': scenario([0, 1].map(() => [open('a'), ...[0, 1, 0, 1, 0, 1, 0].map((index) => read(page(index) + LINE_BYTES - 16))]), { lines: 1, memory: 'relaxed', cuda: true }),
  'cold-reads-and-elements-relaxed': scenario(
    [[open('a'), ...[0, 1, 2, 1, 2, 1, 0, 1].map((index) => read(page(index), LINE_BYTES))], [open('a'), ...[0, 1, 2, 3, 4, 5, 6].map(() => gather(127, 126))]],
    { lines: 1, lanes: 2, memory: 'relaxed', cuda: true },
  ),
  /** What is written comes into lines that the host has filled, beside reads of what was there before. */
  'writes-of-lanes-relaxed': scenario([[open('a', 'r+'), ...[1, 2, 1, 2, 1].map((index) => write(page(index) + 16, 96))], [open('a'), ...[0, 0, 0, 0, 0, 0].map(() => read(0, 128))]], {
    lines: 1,
    lanes: 4,
    memory: 'relaxed',
    cuda: true,
  }),
  'maps-of-lanes-relaxed': scenario(
    [
      [open('a', 'r+'), map(page(1), 128), unmap(1, 128), map(page(2), 128), unmap(3, 128), map(page(1), 128), unmap(5, 128)],
      [open('a'), ...[0, 0, 0, 0, 0, 0].map(() => read(0, 128))],
    ],
    { lines: 2, lanes: 4, memory: 'relaxed', cuda: true },
  ),
  'cold-reads-by-many': scenario(
    [[open('a', 'r+'), read(page(1)), read(page(2)), truncate(96), truncate(page(3))], ...[0, 1].map(() => [open('a'), ...[2, 0, 2, 0, 2, 0].map((index) => read(page(index)))])],
    { lines: 1, cuda: true },
  ),
  'cold-rivals': scenario(
    [0, 1].map((warp) => [open('a', 'r+'), read(page(1)), read(page(2)), read(page(1)), read(0), write(warp * 16), barrier, read(0, 32)]),
    { lines: 3, lanes: 4, cuda: true },
  ),
  /** The first write-back asks for windows to store into, and the host grants them some time, or takes them back. */
  stores: scenario(twoStorers(32), { lines: 2, cuda: true }),
  'stores-relaxed': scenario(twoStorers(16), { lines: 1, memory: 'relaxed', cuda: true }),
  'stores-of-lanes': scenario(twoStorers(64), { lines: 1, lanes: 2, memory: 'relaxed', cuda: true }),
  'write-and-store-relaxed': scenario(
    [
      [open('a', 'r+'), write(0), write(16), write(32), write(48), write(64), write(80)],
      [open('a', 'r+'), fsync(), fsync(), fsync(), fsync(), fsync(), fsync()],
    ],
    { lines: 1, memory: 'relaxed', cuda: true },
  ),
  'stores-and-evictions': scenario(
    [
      [open('a', 'r+'), write(0), fsync(), write(0), fsync(), write(0), fsync(), write(0), fsync()],
      [open('a', 'r+'), write(page(1)), write(page(2)), write(page(1)), write(page(2)), write(page(1))],
    ],
    { lines: 1, cuda: true },
  ),
  'masked-stores': scenario(
    [
      [open('a', 'r+'), ...[0, 1, 2, 3, 4].flatMap((round) => [write(round * 8, 4), write(100 + round, 40), fsync()]), read(0, LINE_BYTES)],
      [open('a', 'r+'), ...[0, 1, 2, 3].flatMap((round) => [write(page(1) + round), fsync()])],
    ],
    { lines: 2, lanes: 2, cuda: true },
  ),
  /** More lines than a lane takes at once. */
  'many-stores': scenario(
    [
      [open('a', 'r+'), ...[0, 1, 2].flatMap((round) => [write(round * 16), write(page(1) + round * 16), write(page(2) + round * 16), fsync()])],
      [open('a', 'r+'), read(page(1)), write(page(2) + 100), fsync()],
    ],
    { lines: 3, cuda: true },
  ),
  'limited-stores': scenario([[open('a', 'r+'), scatter([0, 1, 200, 300]), scatter([2, 3, 201, 301]), fsync(), scatter([4, 5, 202, 302]), fsync()]], {
    lines: 3,
    lanes: 4,
    maxDirtyBytes: LINE_BYTES,
    cuda: true,
  }),
  'truncate-and-store': scenario(
    [
      [open('a', 'r+'), write(page(1)), fsync(), write(page(1)), fsync(), write(page(1), 64), barrier, fsync()],
      [open('a', 'r+'), read(0), read(page(1)), barrier, truncate(96)],
    ],
    { lines: 2, cuda: true },
  ),
  'stores-and-failures': scenario(
    [0, 1, 2].map((warp) => [open('a', 'r+'), ...[0, 1, 2, 3].flatMap((round) => [write((warp * 4 + round) * 16), fsync()])]),
    { lines: 2, cuda: true, faults: { eio: 200 }, finish: false },
  ),
};

export type MutantScenarioName = keyof typeof scenarios;

const named = Object.entries(scenarios).map(([name, rest]) => [name, { name, ...rest }]);

export const mutantScenarios = Object.fromEntries(named) as Readonly<Record<MutantScenarioName, MutantScenario>>;
