// A mount with `check` is a mount: it runs programs and kernels, counts, syncs, lets go. What a kernel of the user does wrong is a finding with
// the lines of that kernel, and ends everything but the unmounting.
import { describe, expect, test } from 'vitest';
import { findCompiler } from '../system_compiler.ts';
import { pattern, useFixture } from '../conformance/fixture.ts';
import { nativePresence } from '../conformance/native_device.ts';
import { fsync, open, read, stat, write } from '../conformance/operations.ts';
import type { CheckOptions } from '../check_options.ts';
import type { WarpfsError } from '../errors.ts';
import { mount } from '../index.ts';
import type { Kernel } from '../kernel.ts';
import type { Mount } from '../mount.ts';

const { missing } = nativePresence();
const noCompiler = findCompiler() === undefined ? 'no compiler' : undefined;
const roomy = { lines: 8, lineBytes: 512 };

/** A loop that looks at a sibling's word, as a lock of lanes would. */
const spin = `if (lane.index == 0) { while (atomic_load(flags + 0) == 0u) {} }
  else if (lane.index == 1) atomic_store(flags + 0, 1u);`;

interface Wrong {
  kind: string;
  source: string;
  message: RegExp;
  check?: CheckOptions;
  items?: number;
  groupWarps?: number;
  /** How many of the actors that are named have their place in the kernel. */
  places: number;
}

const wrong: Wrong[] = [
  { kind: 'race', source: 'if (lane.index < 2) flags[0] = lane.index;', message: /happens before the other/, places: 2 },
  { kind: 'race', source: 'flags[0] = flags[0] + 1;', items: 2, check: { laneCount: 1 }, message: /^warp \d lane 0 .*warp \d lane 0/, places: 2 },
  { kind: 'out_of_allocation', source: 'if (lane.index == 0) flags[8] = 1;', message: /outside of every allocation/, places: 1 },
  {
    kind: 'non_uniform',
    source: `WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    WARPFS_TRY(int got, gread(fs, file, lane.index * 16, 16, (WARPFS_DEVICE uchar*)flags));`,
    message: /./, places: 1,
  },
  { kind: 'livelock', source: spin, check: { progress: 'lockstep', laneCount: 2 }, message: /the other lanes share its program counter|more than \d+ steps/, places: 1 },
  { kind: 'livelock', source: 'while (atomic_load(flags + 0) == 0u) {}', check: { laneCount: 1 }, message: /./, places: 1 },
];

async function kernelOf(fs: Mount, source: string): Promise<Kernel<{ path: 'string' }, { flags: 'u32[]' }>> {
  return fs.kernel({ name: 'under_check', inputs: { path: 'string' }, outputs: { flags: 'u32[]' }, source });
}

async function findingOf(call: Promise<unknown>): Promise<WarpfsError> {
  const failed = await call.then(() => undefined, (error: unknown) => error as WarpfsError);
  if (failed === undefined) throw new Error('nothing was found');
  return failed;
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'a mount with check' : `SKIP ${missing}`, () => {
  const fixture = useFixture((options) => mount({ ...options, device: 'cpu' }));
  const mounted = (check: CheckOptions, more: object = {}) => fixture.mounted({ cache: roomy, residentWarps: 4, check, ...more });

  test.each(['spin', 'replay'] as const)('runs programs, counts, syncs and lets go: wait %s', async (wait) => {
    fixture.write('a', pattern(1500));
    const fs = await mounted({ seed: 3, laneCount: 4 }, { wait });
    const results = await fs.run([[open('a', 'r+'), write(100, pattern(50, 9)), stat()], [open('a'), read(1000, 200)]]);
    expect(results[1]?.[1]?.data).toEqual(pattern(200, 0, 1000));
    expect(results[0]?.[2]?.sizeBytes).toBe(1500);
    expect(fixture.bytes('a')).toEqual(pattern(1500)); // nobody has synced
    await fs.sync();
    const wanted = pattern(1500);
    wanted.set(pattern(50, 9), 100);
    expect(fixture.bytes('a')).toEqual(wanted);
    expect(fs.stats()).toMatchObject({ reads: 1, writes: 1, bytesRead: 200, bytesWritten: 50 });
    expect(fs.stats().requests).toBeGreaterThan(2);
    expect(fs.describe()).toMatchObject({ workers: 1, residentWarps: 4, engineNote: 'check mode: the host is an actor of the schedule', fill: 'the host reads into the lines' });
    // What one dispatch left is there for the next one.
    expect((await fs.run([[open('a'), read(90, 80)]]))[0]?.[1]?.data).toEqual(wanted.slice(90, 170));
    await fs.run([[open('a', 'r+'), write(0, pattern(5, 4)), fsync()]]);
    expect(fixture.bytes('a').slice(0, 5)).toEqual(pattern(5, 4));
    await fs.run([[open('a', 'r+'), write(600, pattern(5, 4))]]);
    await fs.unmount();
    expect(fixture.bytes('a').slice(600, 605)).toEqual(pattern(5, 4));
    await expect(fs.run([[open('a')]])).rejects.toMatchObject({ code: 'ERR_WARPFS_UNMOUNTED' });
  });

  test('the same calls give the same counters, whatever else this process does', async () => {
    fixture.write('a', pattern(3000));
    const counted = async () => {
      const fs = await mounted({ seed: 11 });
      for (let index = 0; index < 3; index++) await fs.run(Array.from({ length: 3 }, (_, warp) => [open('a'), read(warp * 512, 1024), read(0, 10)]));
      return fs.stats();
    };
    expect(await counted()).toEqual(await counted());
  });

  describe.skipIf(noCompiler !== undefined)(noCompiler === undefined ? 'kernels' : `SKIP ${noCompiler}`, () => {
    test.each([false, true])('that are right run, in one warp and in many (cuda: %s)', { timeout: 60_000 }, async (cuda) => {
      fixture.write('a', pattern(2048));
      const fs = await mounted({ seed: 1, laneCount: 4, cuda });
      const kernel = await fs.kernel({
        name: 'sum_lines', inputs: { path: 'string' }, outputs: { flags: 'u32[]' },
        source: `WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
          uint total = 0;
          for (uint word = lane.index; word < 128; word += lane.count) {
            WARPFS_TRY(uint value, gload<uint>(fs, file, item * 128 + word));
            total += value;
          }
          total = lane.sum(total);
          if (lane.index == 0) flags[item] = total;
          WARPFS_TRY(int closed, gclose(fs, file));`,
      });
      const { flags, report } = await kernel.dispatch({ items: 4, inputs: { path: 'a' }, outputs: { flags: 4 } });
      const words = new Uint32Array(pattern(2048).buffer);
      const sums = [0, 1, 2, 3].map((item) => words.subarray(item * 128, (item + 1) * 128).reduce((sum, word) => (sum + word) >>> 0, 0));
      expect([...flags]).toEqual(sums);
      expect(report).toMatchObject({ items: 4, failedItems: 0 });
    });

    test.each(wrong)('$kind: $source', { timeout: 60_000 }, async ({ kind, source, message, check = {}, items = 1, places }) => {
      fixture.write('a', pattern(2048));
      const fs = await mounted({ seed: 5, laneCount: 4, ...check });
      const kernel = await kernelOf(fs, source);
      const error = await findingOf(kernel.dispatch({ items, inputs: { path: 'a' }, outputs: { flags: 8 } }));
      expect(error).toMatchObject({ code: 'ERR_WARPFS_CHECK', finding: { kind } });
      expect(error.finding?.message).toMatch(message);
      expect(error.message).toMatch(new RegExp(`^\\[warpfs\\] \\w+: ${kind}: `));
      expect(error.message).toContain('\n  seed 5, schedule 0: ');
      expect(error.message).toContain("\n  again: the same calls on a mount with check: { seed: 5, scheduler: 'portfolio', ");
      const named = error.message.match(/^ {2}warp \d lane \d, step \d+: .*under_check[\w.]*:\d+/gm) ?? [];
      expect(named.length, error.message).toBe(places);
    });

    test('after a finding every call says so, and the mount lets go without another error', { timeout: 60_000 }, async () => {
      fixture.write('a', pattern(100));
      const fs = await mounted({ seed: 5 });
      await fs.run([[open('a', 'r+'), write(0, pattern(4, 9))]]);
      const kernel = await kernelOf(fs, 'flags[0] = lane.index;');
      const racing = () => kernel.dispatch({ items: 1, inputs: { path: 'a' }, outputs: { flags: 8 } });
      const first = await findingOf(racing());
      for (const call of [racing, () => fs.run([[open('a')]]), () => fs.sync()]) {
        const error = await findingOf(call());
        expect(error).toMatchObject({ code: 'ERR_WARPFS_CHECK', finding: first.finding });
        expect(error.message).toMatch(/^\[warpfs\] \w+: this mount has shown a finding and runs nothing more \(race: .* neither happens before the other\)$/);
      }
      await fs.unmount();
      expect(fixture.bytes('a')).toEqual(pattern(100)); // what a broken cache held is not written
      await fs.unmount();
    });

    test('a scope that ends by a finding throws the finding', { timeout: 60_000 }, async () => {
      fixture.write('a', pattern(100));
      const error = await findingOf(
        (async () => {
          await using fs = await mount({ root: fixture.root, device: 'cpu', cache: roomy, check: { seed: 5 } });
          const kernel = await kernelOf(fs, 'flags[0] = lane.index;');
          await kernel.dispatch({ items: 1, inputs: { path: 'a' }, outputs: { flags: 8 } });
        })(),
      );
      expect(error.name).not.toBe('SuppressedError');
      expect(error).toMatchObject({ code: 'ERR_WARPFS_CHECK', finding: { kind: 'race' } });
    });
  });
});
