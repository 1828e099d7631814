// A mount with a medium beside the profile of that medium: how far off latency, rate and bandwidth are in real time, on this machine.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kernel } from '../kernel.ts';
import { media } from '../media/media.ts';
import type { MediumProfile } from '../media/profile.ts';
import { us } from '../media/report.ts';
import { mount, type Mount } from '../mount.ts';
import type { NativeMediumAnswers, NativeMediumReport } from '../native_medium.ts';
import { type Benchmark, type BenchContext, mustBe, type PreparedBenchmark, preparing } from './benchmark.ts';
import { makeDataFile } from './data_set.ts';
import { median } from './statistics.ts';

const PAGE_BYTES = 4096;
const LARGE_BYTES = 65536;
const OFF_MAX = 5; // percent

/** Reads random pages of `bytes`, asked for `ahead` of time, and looks at one word of each: what is measured is the medium. */
const readRandom = {
  name: 'read_random',
  inputs: { path: 'string', pages: 'u32', bytes: 'u32', reads: 'u32', ahead: 'u32', seed: 'u32', start: 'u32' },
  outputs: { target: 'u8[]', wrong: 'u32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    WARPFS_DEVICE uchar* mine = target + (ulong)item * bytes;
    WARPFS_DEVICE const uint* words = (WARPFS_DEVICE const uint*)mine;
    uint random = (start + item) * 2654435761u + 12345u;
    uint next = random;
    uint mismatches = 0;
    for (uint i = 0; i < reads + ahead; i++) {
      if (ahead > 0 && i < reads) {
        next = next * 1664525u + 1013904223u;
        WARPFS_TRY(int asked, gprefetch(fs, file, (((ulong)next * pages) >> 32) * bytes, bytes));
        if (asked < 0) mismatches++;
      }
      if (i < ahead) continue;
      random = random * 1664525u + 1013904223u;
      const uint page = (uint)(((ulong)random * pages) >> 32);
      WARPFS_TRY(int got, gread(fs, file, (ulong)page * bytes, bytes, mine));
      const uint word = lane.index * 7u;
      if (got != (int)bytes || words[word] != (page * (bytes / 4u) + word) * 2654435761u + seed) mismatches++;
    }
    mismatches = lane.sum(mismatches);
    if (lane.index == 0) wrong[item] = mismatches;
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;
  `,
} as const;

/** Which number it is, in which unit, and how it was measured in one run. */
interface Measure {
  what: string;
  wanted: number;
  /** Times are late where they are longer, rates where they are less. */
  isTime: boolean;
  show: (value: number) => string;
  values: number[];
}

interface Shaped {
  fs: Mount;
  kernel: Kernel<typeof readRandom.inputs, typeof readRandom.outputs>;
}

async function shapedMount(context: BenchContext, medium: keyof typeof media, lineBytes: number, lines: number): Promise<Shaped> {
  // Thousands of reads by one warp, one behind the other: what the medium takes for each, and not what rounds take.
  const fs = await mount({ root: context.sharedFolder, device: context.device, wait: 'spin', medium, cache: { lines, lineBytes } });
  try {
    return { fs, kernel: await fs.kernel(readRandom) };
  } catch (error) {
    await fs.unmount({ discard: true });
    throw error;
  }
}

interface Reading {
  warps: number;
  reads: number;
  bytes: number;
  /** Reads of each warp that are under way at once, besides the one that it waits for. */
  ahead: number;
  pages: number;
  start: number;
}

/** What the mount says of its medium after these reads alone, and how long they took on the device. */
async function readThrough(context: BenchContext, medium: keyof typeof media, reading: Reading): Promise<{ report: NativeMediumReport; seconds: number }> {
  const { warps, reads, bytes, ahead, pages, start } = reading;
  // A quarter of the file at most, and much more than is on its way.
  const { fs, kernel } = await shapedMount(context, medium, bytes, Math.max(64, pages >> 2));
  await using _ = fs;
  const { wrong, report } = await kernel.dispatch({
    items: warps,
    inputs: { path: fileName(context), pages, bytes, reads, ahead, seed: context.seed, start },
    outputs: { target: warps * bytes, wrong: warps },
  });
  const mismatches = wrong.reduce((total, count) => total + count, 0);
  mustBe(mismatches === 0, `${mismatches} words that were read are wrong`);
  return { report: reportOf(fs), seconds: report.nanoseconds / 1e9 };
}

function reportOf(fs: Mount): NativeMediumReport {
  const { medium } = fs.describe();
  mustBe(medium !== undefined, 'the mount says nothing of its medium');
  return medium;
}

/** Writes of a page, each with a sync behind it. */
async function writeThrough(context: BenchContext, medium: keyof typeof media, writes: number): Promise<NativeMediumReport> {
  await using fs = await mount({ root: context.folder, device: context.device, medium, cache: { lines: 64, lineBytes: PAGE_BYTES } });
  const data = new Uint8Array(PAGE_BYTES).fill(7);
  const steps = Array.from({ length: writes }, (_, page) => [{ op: 'write', file: 0, offset: page * PAGE_BYTES, data } as const, { op: 'fsync', file: 0 } as const]).flat();
  const [results] = await fs.run([[{ op: 'open', path: 'written.bin', mode: 'w+' } as const, ...steps]]);
  mustBe(results?.every(({ result }) => result >= 0) === true, 'a write or a sync failed');
  return reportOf(fs);
}

function fileName({ tiny }: BenchContext): string {
  return tiny ? 'medium_tiny.bin' : 'medium.bin';
}

const showUs = (value: number): string => us(value * 1000);
const showRate = (value: number): string => `${Math.round(value).toLocaleString('en-US')}/s`;
const showMegabytes = (value: number): string => `${Math.round(value).toLocaleString('en-US')} MB/s`;

function measuresOf({ read, write, sync }: MediumProfile): Record<'readMedian' | 'readP99' | 'writeMedian' | 'writeP99' | 'syncMedian' | 'rate' | 'bandwidth', Measure> {
  const time = (what: string, wanted: number): Measure => ({ what, wanted, isTime: true, show: showUs, values: [] });
  return {
    readMedian: time('read, median', read.medianUs.value),
    readP99: time('read, p99', read.p99Us.value),
    writeMedian: time('write, median', write.medianUs.value),
    writeP99: time('write, p99', write.p99Us.value),
    syncMedian: time('sync, median', sync.medianUs.value),
    rate: { what: 'reads of 4 KiB', wanted: read.iops.value, isTime: false, show: showRate, values: [] },
    bandwidth: { what: 'reads of 64 KiB', wanted: read.megabytesPerSecond.value, isTime: false, show: showMegabytes, values: [] },
  };
}

/** In percent; above 0: slower than the medium. */
function offBy({ wanted, isTime }: Measure, value: number): number {
  return 100 * (isTime ? value / wanted - 1 : 1 - value / wanted);
}

/** How far off it is. */
function take(measure: Measure, value: number): number {
  measure.values.push(value);
  return offBy(measure, value);
}

function takeTimes({ given }: NativeMediumAnswers, middle: Measure, tail?: Measure): number[] {
  return [take(middle, given.medianNs / 1000), ...(tail === undefined ? [] : [take(tail, given.p99Ns / 1000)])];
}

function verdict(measure: Measure): string {
  const value = median(measure.values);
  const off = offBy(measure, value);
  const judged = off <= OFF_MAX ? '' : ', which this machine does not allow';
  return `${measure.what} ${measure.show(value)} of ${measure.show(measure.wanted)} (${Math.abs(off).toFixed(1)} % ${off < 0 ? 'fast' : 'slow'}${judged})`;
}

async function prepareMedium(medium: keyof typeof media, context: BenchContext): Promise<Omit<PreparedBenchmark, 'close'>> {
  const { tiny } = context;
  const profile: MediumProfile = media[medium];
  const fileBytes = (tiny ? 4 : 64) * 2 ** 20;
  const path = join(context.sharedFolder, fileName(context));
  await makeDataFile(path, fileBytes, context.seed);
  await readFile(path); // the host has it in its page cache from now on
  const measures = measuresOf(profile);
  // One after the other for some tenths of a second, whatever the medium.
  const readsAlone = tiny ? 20 : Math.round(Math.min(5000, Math.max(200, 5e5 / profile.read.medianUs.value)));
  const writesAlone = tiny ? 3 : Math.round(Math.min(200, Math.max(20, 3e5 / profile.sync.medianUs.value)));
  const alone = { warps: 1, reads: readsAlone, ahead: 0, bytes: PAGE_BYTES, pages: fileBytes / PAGE_BYTES };
  const many = { ...alone, warps: tiny ? 4 : 64, reads: tiny ? 32 : 2048, ahead: 16 };
  const large = { warps: tiny ? 2 : 16, reads: tiny ? 8 : 512, ahead: 4, bytes: LARGE_BYTES, pages: fileBytes / LARGE_BYTES };
  let start = 0;
  return {
    async run() {
      const one = await readThrough(context, medium, { ...alone, start: start++ });
      const written = await writeThrough(context, medium, writesAlone);
      const small = await readThrough(context, medium, { ...many, start: start++ });
      const big = await readThrough(context, medium, { ...large, start: start++ });
      return Math.max(
        ...takeTimes(one.report.read, measures.readMedian, measures.readP99),
        ...takeTimes(written.write, measures.writeMedian, measures.writeP99),
        ...takeTimes(written.sync, measures.syncMedian),
        take(measures.rate, small.report.read.answers / small.seconds),
        take(measures.bandwidth, (big.report.read.answers * LARGE_BYTES) / big.seconds / 1e6),
      );
    },
    note: () => Object.values(measures).map(verdict).join('; '),
  };
}

export const mediumBenchmarks: Benchmark[] = (Object.keys(media) as (keyof typeof media)[]).map((medium) => ({
  name: `medium_${medium}`,
  unit: '% slow',
  question: `How much slower than its profile is a mount with the medium ${medium}, in the number where that is most?`,
  atMost: OFF_MAX,
  onRequest: true as const,
  prepare: preparing((context) => prepareMedium(medium, context)),
}));
