// What a kernel of the user is promised, under either way of waiting. Needs a compiler on this machine.
import { describe, expect, test } from 'vitest';
import { dataOf, firstDifference, type Fixture, type MakeMount, pattern, runWarp, runWarps, times, useFixture } from './fixture.ts';
import { close, open, read, write } from './operations.ts';

const PAGES = 64;
const WORDS = 1024; // of a page

const wordsOfPages = Uint32Array.from({ length: PAGES * WORDS }, (_, index) => Math.imul(index, 2654435761) >>> 0);

function sumOf(words: Iterable<number>): number {
  let sum = 0;
  for (const word of words) sum = (sum + word) >>> 0;
  return sum;
}

function pageSums(pages: number): Uint32Array {
  return Uint32Array.from({ length: pages }, (_, page) => sumOf(wordsOfPages.subarray(page * WORDS, (page + 1) * WORDS)));
}

function writeWords(fixture: Fixture): void {
  fixture.write('words', new Uint8Array(wordsOfPages.buffer));
}

const sumPages = {
  name: 'sum_pages',
  inputs: { path: 'string' },
  outputs: { sums: 'u32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    uint total = 0;
    for (uint word = lane.index; word < 1024; word += lane.count) {
      WARPFS_TRY(uint value, gload<uint>(fs, file, item * 1024 + word));
      total += value;
    }
    total = lane.sum(total);
    if (lane.index == 0) sums[item] = total;
    WARPFS_TRY(int closed, gclose(fs, file));`,
} as const;

/** Each item adds up pages in an order of its own, so that they take each other's lines all the time. What was seen is gone when an item is run again. */
const sumWhereTheyLie = {
  name: 'sum_where_they_lie',
  inputs: { path: 'string', pages: 'u32' },
  outputs: { sums: 'u32[]', parts: 'u32[]', past: 'i32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    uint total = gphase(fs, 0) == 0 ? 0 : parts[item * 32 + lane.index];
    for (uint turn = gphase(fs, 0); turn < pages; turn++) {
      const ulong page = (turn * (2 * (item % 8) + 1) + item * 7) % pages;
      Peek peek = {};
      for (;;) {
        WARPFS_TRY(int seen, gpeek(fs, file, page * 4096, 4096, peek));
        if (seen != 4096) return seen < 0 ? seen : -Errno::eio;
        uint sum = 0;
        for (uint word = lane.index; word < 1024; word += lane.count) sum += peek_load<uint>(peek, word) * (uint)(page + 1);
        WARPFS_TRY(int right, gpeek_end(fs, peek));
        if (right < 0) return right;
        if (right == 0) continue;
        total += sum;
        break;
      }
      parts[item * 32 + lane.index] = total;
      gphase_set(fs, 0, turn + 1);
      gcheckpoint(fs);
    }
    Peek behind = {};
    WARPFS_TRY(int past_end, gpeek(fs, file, (ulong)pages * 4096, 16, behind));
    WARPFS_TRY(int ended, gpeek_end(fs, behind));
    total = lane.sum(total);
    if (lane.index == 0) { sums[item] = total; past[item] = past_end == 0 && ended == 1 ? 1 : 0; }
    WARPFS_TRY(int closed, gclose(fs, file));`,
} as const;

export function describeKernels(name: string, makeMount: MakeMount): void {
  describe(name, () => {
    const fixture = useFixture(makeMount);

    test('sums of pages by consecutive loads, over a cache that is smaller than the file', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted({ cache: { lines: 16 } });
      const kernel = await fs.kernel(sumPages);
      const { sums, report } = await kernel.dispatch({ items: PAGES, inputs: { path: 'words' }, outputs: { sums: PAGES } });
      expect(sums).toEqual(pageSums(PAGES));
      expect(report).toMatchObject({ items: PAGES, failedItems: 0, failures: [] });
      if (fs.device.wait === 'spin') expect(report.rounds).toBe(1);
      else expect(report.rounds).toBeGreaterThan(1);
    });

    test('pages that are looked at where they lie are those of the file, however often others take their lines', async () => {
      writeWords(fixture);
      // Fewer lines than pages, and in each set as many as may be held at once.
      const fs = await fixture.mounted({ cache: { lines: 48 } });
      const kernel = await fs.kernel(sumWhereTheyLie);
      const items = 20;
      const { sums, past } = await kernel.dispatch({ items, inputs: { path: 'words', pages: PAGES }, outputs: { sums: items, parts: items * 32, past: items } });
      const expected = pageSums(PAGES).reduce((sum, value, page) => (sum + Math.imul(value, page + 1)) >>> 0, 0);
      expect([...sums]).toEqual(times(items, () => expected));
      expect([...past]).toEqual(times(items, () => 1));
    });

    test('each lane loads from a page of its own', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted({ cache: { lines: 64 } });
      const indices = Uint32Array.from({ length: 16 * 32 }, (_, lane) => Math.imul(lane + 1, 40503) % (PAGES * WORDS));
      const kernel = await fs.kernel({
        name: 'gather',
        inputs: { path: 'string', indices: 'u32[]' },
        outputs: { values: 'u32[]' },
        source: `
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
          WARPFS_TRY(uint value, gload<uint>(fs, file, indices[item * 32 + lane.index]));
          values[item * 32 + lane.index] = value;
          WARPFS_TRY(int closed, gclose(fs, file));`,
      });
      const { values } = await kernel.dispatch({ items: 16, inputs: { path: 'words', indices }, outputs: { values: indices.length } });
      expect(values).toEqual(indices.map((index) => wordsOfPages[index] ?? 0));
    });

    test.each([
      ['each read into bytes of its own', { apart: true, checkpoints: false }],
      ['one buffer for every read of the loop, with checkpoints', { apart: false, checkpoints: true }],
    ])('an item reads more pages than the cache has: %s', async (_name, { apart, checkpoints }) => {
      writeWords(fixture);
      const fs = await fixture.mounted({ cache: { lines: 4 } });
      const kernel = await fs.kernel({
        name: 'read_all',
        inputs: { path: 'string', pages: 'u32', stride: 'u32', checkpoints: 'u32' },
        outputs: { sums: 'u32[]', parts: 'u32[]', scratch: 'u8[]' },
        source: `
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
          if (file < 0) return file;
          // What the lane had added up when the last checkpoint was made.
          uint total = gphase(fs, 0) == 0 ? 0 : parts[item * 32 + lane.index];
          for (uint page = gphase(fs, 0); page < pages; page += 2) {
            uchar* mine = scratch + item * (stride == 0 ? 8192 : stride * pages) + page * stride;
            WARPFS_TRY(int got, gread(fs, file, (ulong)page * 4096, 8192, mine));
            if (got != 8192) return got < 0 ? got : -Errno::eio;
            for (uint word = lane.index; word < 2048; word += lane.count) total += ((uint*)mine)[word];
            warp_sync(lane);
            if (checkpoints != 0) {
              parts[item * 32 + lane.index] = total;
              gphase_set(fs, 0, page + 2);
              gcheckpoint(fs);
            }
          }
          total = lane.sum(total);
          if (lane.index == 0) sums[item] = total;
          WARPFS_TRY(int closed, gclose(fs, file));`,
      });
      const items = 6;
      const inputs = { path: 'words', pages: PAGES, stride: apart ? 4096 : 0, checkpoints: checkpoints ? 1 : 0 };
      const outputs = { sums: items, parts: items * 32, scratch: items * PAGES * 4096 };
      const { sums } = await kernel.dispatch({ items, inputs, outputs });
      expect(sums).toEqual(new Uint32Array(items).fill(sumOf(pageSums(PAGES))));
      expect(fs.stats().evictions + fs.stats().bypasses).toBeGreaterThan(0);
    });

    test('the size that an item asked for stays what it was when it closes the file', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted({ cache: { lines: 4 } });
      const kernel = await fs.kernel({
        name: 'size_then_close',
        inputs: { path: 'string' },
        outputs: { sizes: 'u32[]' },
        source: `
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
          ulong size = 0;
          WARPFS_TRY(int known, gfstat(fs, file, size));
          if (known != 0) return known;
          WARPFS_TRY(int closed, gclose(fs, file));
          if (closed != 0) return closed;
          if (lane.index == 0) sizes[item] = (uint)size;`,
      });
      const { sizes } = await kernel.dispatch({ items: 4, inputs: { path: 'words' }, outputs: { sizes: 4 } });
      expect([...sizes]).toEqual(times(4, () => PAGES * WORDS * 4));
    });

    test('two reads into the same bytes without a checkpoint are refused where they could not be replayed', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted({ cache: { lines: 4 } });
      const kernel = await fs.kernel({
        name: 'read_twice',
        inputs: { path: 'string' },
        outputs: { scratch: 'u8[]' },
        source: `
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
          WARPFS_TRY(int first, gread(fs, file, 0, 4096, scratch));
          WARPFS_TRY(int second, gread(fs, file, 4096, 4096, scratch + 100));
          WARPFS_TRY(int closed, gclose(fs, file));
          if (first != 4096 || second != 4096) return second;`,
      });
      const dispatched = kernel.dispatch({ items: 1, inputs: { path: 'words' }, outputs: { scratch: 8192 } });
      if (fs.options.wait === 'replay') await expect(dispatched).rejects.toThrow(/EINVAL.*gcheckpoint/);
      else await dispatched;
    });

    test('what a kernel writes a program reads', async () => {
      fixture.write('out', pattern(40_000));
      const fs = await fixture.mounted({ cache: { lines: 8 } });
      const kernel = await fs.kernel({
        name: 'scatter',
        inputs: { path: 'string' },
        outputs: { text: 'u8[]' },
        source: `
          uchar* mine = text + item * 256;
          for (uint i = lane.index; i < 250; i += lane.count) mine[i] = (uchar)(item + i);
          warp_sync(lane);
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDWR));
          WARPFS_TRY(int put, gwrite(fs, file, (ulong)item * 1001, 250, mine));
          if (put != 250) return put < 0 ? put : -Errno::eio;
          WARPFS_TRY(int closed, gclose(fs, file));
          if (closed != 0) return closed;`,
      });
      await kernel.dispatch({ items: 50, inputs: { path: 'out' }, outputs: { text: 50 * 256 } });
      const wanted = new Uint8Array(Math.max(40_000, 49 * 1001 + 250));
      wanted.set(pattern(40_000));
      for (let item = 0; item < 50; item++) wanted.set(Uint8Array.from({ length: 250 }, (_, i) => (item + i) & 255), item * 1001);
      const steps = await runWarp(fs, open('out'), read(0, 60_000), close());
      expect(firstDifference(dataOf(steps, 1), wanted)).toBeUndefined();
      expect(firstDifference(fixture.bytes('out'), wanted)).toBeUndefined();
    });

    test('what an item loaded before its own write stays what it was', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted();
      const kernel = await fs.kernel({
        name: 'increment',
        inputs: { path: 'string' },
        outputs: { next: 'u32[]', found: 'u32[]' },
        source: `
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDWR));
          WARPFS_TRY(uint value, gload<uint>(fs, file, item * 1024));
          if (lane.index == 0) next[item] = value + 1;
          warp_sync(lane);
          WARPFS_TRY(int put, gwrite(fs, file, (ulong)item * 4096, 4, (uchar*)(next + item)));
          WARPFS_TRY(int synced, gfsync(fs, file));
          if (lane.index == 0) found[item] = value;`,
      });
      const { next, found } = await kernel.dispatch({ items: 20, inputs: { path: 'words' }, outputs: { next: 20, found: 20 } });
      const firsts = Uint32Array.from({ length: 20 }, (_, item) => wordsOfPages[item * WORDS] ?? 0);
      expect(found).toEqual(firsts);
      expect(next).toEqual(firsts.map((word) => word + 1));
    });

    test('lanes that disagree on an argument are told apart by their values', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted();
      const kernel = await fs.kernel({
        name: 'disagree',
        outputs: { room: 'u8[]' },
        source: 'WARPFS_TRY(int got, gread(fs, lane.index == 9 ? 1234 : 77, 0, 4, 0));',
      });
      const dispatched = kernel.dispatch({ items: 1, outputs: { room: 16 } });
      await expect(dispatched).rejects.toMatchObject({ code: 'ERR_WARPFS_DISPATCH', failures: [{ item: 0, errno: 'EINVAL' }] });
      await expect(dispatched).rejects.toThrow('disagree on an argument: 77 and 1234');
    });

    test('a compile error has the line and the column of the text', async () => {
      const fs = await fixture.mounted();
      const source = 'uint fine = item;\n(void)fine;\n  int wrong = undefined_name;\n';
      const compiled = fs.kernel({ name: 'broken', source });
      await expect(compiled).rejects.toMatchObject({ code: 'ERR_WARPFS_COMPILE' });
      const { diagnostics } = (await compiled.catch((error: unknown) => error)) as { diagnostics: unknown[] };
      expect(diagnostics).toContainEqual(expect.objectContaining({ line: 3, column: 15, severity: 'error' }));
    });

    test('a load past the end fails its item, by its index, and no other', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted();
      const kernel = await fs.kernel(sumPages);
      const options = { items: PAGES + 2, inputs: { path: 'words' }, outputs: { sums: PAGES + 2 } } as const;
      await expect(kernel.dispatch(options)).rejects.toMatchObject({ code: 'ERR_WARPFS_DISPATCH' });
      const { sums, report } = await kernel.dispatch({ ...options, onError: 'return' });
      expect(report.failedItems).toBe(2);
      expect(report.failures.toSorted((a, b) => a.item - b.item)).toEqual([{ item: PAGES, errno: 'ERANGE' }, { item: PAGES + 1, errno: 'ERANGE' }]);
      expect(sums).toEqual(Uint32Array.from([...pageSums(PAGES), 0, 0]));
    });

    test('a file that is not there fails the item that opens it', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted();
      const kernel = await fs.kernel({
        name: 'open_one',
        inputs: { path: 'string' },
        source: `
          if (item != 3) return WARPFS_DONE;
          WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
          return file < 0 ? file : WARPFS_DONE;`,
      });
      await expect(kernel.dispatch({ items: 5, inputs: { path: 'none' } })).rejects.toMatchObject({
        code: 'ERR_WARPFS_DISPATCH',
        failures: [{ item: 3, errno: 'ENOENT' }],
      });
      await kernel.dispatch({ items: 5, inputs: { path: 'words' } });
    });

    test('a kernel with failed items leaves nothing behind', async () => {
      writeWords(fixture);
      const fs = await fixture.mounted({ cache: { lines: 4 } });
      const kernel = await fs.kernel(sumPages);
      for (let round = 0; round < 3; round++) {
        await expect(kernel.dispatch({ items: 12, inputs: { path: 'none' }, outputs: { sums: 12 } })).rejects.toMatchObject({
          failures: expect.arrayContaining([{ item: 0, errno: 'ENOENT' }]) as unknown,
        });
      }
      const { sums } = await kernel.dispatch({ items: 8, inputs: { path: 'words' }, outputs: { sums: 8 } });
      expect(sums).toEqual(pageSums(8));
    });

    test('two mounts run at the same time', async () => {
      writeWords(fixture);
      fixture.write('b.bin', pattern(50_000));
      const [one, other] = [await fixture.mounted({ cache: { lines: 8 } }), await fixture.mounted({ cache: { lines: 8 } })];
      const kernel = await one.kernel(sumPages);
      const [{ sums }, warps] = await Promise.all([
        kernel.dispatch({ items: PAGES, inputs: { path: 'words' }, outputs: { sums: PAGES } }),
        runWarps(other, times(20, (warp) => [open('b.bin', 'r+'), read(0, 50_000), write(50_000 + warp * 10, pattern(10, warp)), close()])),
      ]);
      expect(sums).toEqual(pageSums(PAGES));
      for (const steps of warps) expect(firstDifference(dataOf(steps, 1), pattern(50_000))).toBeUndefined();
    });
  });
}
