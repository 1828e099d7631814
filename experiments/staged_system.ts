// Systems in which the host knows beforehand what the warps will want: it reads, launches a kernel on what it has read, writes what came of it.
import { join } from 'node:path';
import { HostFile, type Pieces } from './host_file.ts';
import { dispatchRound, kernelOn, mountFor } from './kernel_system.ts';
import { grouped, kernelOf } from './kernel_text.ts';
import { Stage } from './stage.ts';
import type { Job, PreparedSystem, ShaderPart } from './system.ts';
import { ACCESS, lengthOf, modeOf, type OutputArray, type Round, type RoundResult } from './workload.ts';

const PLACE_ALIGN = 16;

const readPart: ShaderPart = {
  inputs: { staged: 'memory', positions: 'u64[]' },
  open: '',
  access: 'place = staged + positions[index] + done;',
  release: '',
  close: '',
};

/** The accesses from `first` on of every item, as a round of their own, and where their bytes lie in a buffer. */
interface Chunk {
  round: Round;
  first: number;
  positions: BigUint64Array;
  bytes: number;
  reads: Pieces;
  writes: Pieces;
}

/** `buffers`: into which the memory is divided; with more than one the host reads and writes beside the kernel. */
export async function prepareStagedSystem(name: string, job: Job, buffers: 1 | 3): Promise<PreparedSystem> {
  const { writes } = job.workload;
  const file = await HostFile.open(join(job.root, job.file), writes);
  const fs = await mountFor(job, { cache: { lines: 32 } });
  const close = async (): Promise<void> => {
    await fs.unmount({ discard: true }).catch(() => undefined);
    await file.close();
  };
  try {
    const kernel = await kernelOn(fs, kernelOf(name, grouped(readPart, job), job.workload));
    const stages = Array.from({ length: buffers }, () => new Stage(fs));
    const read = async (chunk: Chunk, number: number): Promise<{ stage: Stage; milliseconds: number }> => {
      const stage = stages[number % buffers] as Stage;
      const since = performance.now();
      await file.transfer('read', chunk.reads, await stage.ofHost(chunk.bytes), job.threads);
      await stage.toDevice(chunk.bytes);
      return { stage, milliseconds: performance.now() - since };
    };
    const write = async (chunk: Chunk, stage: Stage): Promise<void> => {
      await stage.toHost(chunk.bytes);
      await file.transfer('write', chunk.writes, await stage.ofHost(chunk.bytes), job.threads);
    };
    const run = async (round: Round): Promise<RoundResult> => {
      // The lists are there before, as for every design, and what came of each launch is added up behind it all.
      const chunks = cut(round, Math.floor(job.cacheBytes / buffers), job.workload.together ?? 1);
      const launches: { chunk: Chunk; result: RoundResult; milliseconds: number }[] = [];
      const since = performance.now();
      // What fits into the buffer at once stays there for all repeats.
      const inKernel = chunks.length === 1 && !writes;
      for (let repeat = 0; repeat < (inKernel ? 1 : round.repeats); repeat++) {
        let reading = read(chunks[0] as Chunk, 0);
        let writing: Promise<void> = Promise.resolve();
        for (const [number, chunk] of chunks.entries()) {
          const { stage, milliseconds } = await reading;
          const next = chunks[number + 1];
          if (buffers > 1 && next !== undefined) reading = keepQuiet(read(next, number + 1));
          const own = { inputs: { staged: stage.ofDevice(), positions: chunk.positions }, outputs: {} };
          const result = await dispatchRound(kernel, job, { ...chunk.round, repeats: inKernel ? round.repeats : 1 }, own, { first: chunk.first });
          launches.push({ chunk, result, milliseconds });
          await writing;
          if (writes) writing = keepQuiet(write(chunk, stage));
          if (buffers === 1) {
            await writing;
            if (next !== undefined) reading = read(next, number + 1);
          }
        }
        await writing;
      }
      return { milliseconds: performance.now() - since, ...joined(round, launches) };
    };
    return { run, settle: () => (writes ? file.sync() : Promise.resolve()), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** It is waited for later; an error until then is no unhandled one. */
function keepQuiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined);
  return promise;
}

function joined(round: Round, launches: readonly { chunk: Chunk; result: RoundResult; milliseconds: number }[]): Omit<RoundResult, 'milliseconds'> {
  const totals = new Uint32Array(round.items);
  const waits = new Uint32Array(round.items * round.count);
  const outputs: Record<string, OutputArray> = {};
  for (const { chunk, result, milliseconds } of launches) {
    add(totals, result.totals);
    spread(waits, round, chunk, result.waits, milliseconds);
    for (const [output, array] of Object.entries(result.outputs)) outputs[output] = outputs[output] === undefined ? array : add(outputs[output], array);
  }
  return { totals, waits, outputs };
}

function add<Values extends OutputArray>(sum: Values, more: OutputArray): Values {
  for (let index = 0; index < sum.length; index++) (sum as Uint32Array)[index] = ((sum as Uint32Array)[index] as number) + ((more as Uint32Array)[index] as number);
  return sum;
}

/** Every access of a chunk has waited for the chunk. */
function spread(waits: Uint32Array, { count, items }: Round, chunk: Chunk, own: Uint32Array, milliseconds: number): void {
  const chunkCount = chunk.round.count;
  for (let item = 0; item < items; item++) {
    for (let turn = 0; turn < chunkCount; turn++) {
      const nanoseconds = (own[item * chunkCount + turn] as number) + milliseconds * 1e6;
      waits[item * count + chunk.first + turn] = Math.min(nanoseconds, 2 ** 32 - 1);
    }
  }
}

/** As many accesses of every item as fit into so many bytes, at least those of each that belong together. */
function cut(round: Round, bytesMost: number, together: number): Chunk[] {
  const chunks: Chunk[] = [];
  for (let first = 0; first < round.count; ) {
    let bytes = 0;
    let end = first;
    for (; end < round.count; end += together) {
      let more = 0;
      for (let turn = end; turn < Math.min(end + together, round.count); turn++) more += columnBytes(round, turn);
      if (end > first && bytes + more > bytesMost) break;
      bytes += more;
    }
    end = Math.min(end, round.count);
    chunks.push(chunkOf(round, first, end));
    first = end;
  }
  return chunks;
}

function placeBytes(length: number): number {
  return Math.ceil(length / PLACE_ALIGN) * PLACE_ALIGN;
}

function columnBytes({ items, count, lengths }: Round, access: number): number {
  let bytes = 0;
  for (let item = 0; item < items; item++) bytes += placeBytes(lengthOf(lengths[item * count + access] as number));
  return bytes;
}

function chunkOf(round: Round, first: number, end: number): Chunk {
  const { items } = round;
  const count = end - first;
  const offsets = new BigUint64Array(items * count);
  const lengths = new Uint32Array(items * count);
  const positions = new BigUint64Array(items * count);
  const reads = new Uint32Array(items * count);
  const writes = new Uint32Array(items * count);
  let bytes = 0;
  for (let item = 0; item < items; item++) {
    for (let turn = 0; turn < count; turn++) {
      const at = item * count + turn;
      const word = round.lengths[item * round.count + first + turn] as number;
      offsets[at] = round.offsets[item * round.count + first + turn] as bigint;
      lengths[at] = word;
      positions[at] = BigInt(bytes);
      if (modeOf(word) !== ACCESS.overwrite) reads[at] = lengthOf(word);
      if (modeOf(word) !== ACCESS.read) writes[at] = lengthOf(word);
      bytes += placeBytes(lengthOf(word));
    }
  }
  return { round: { ...round, count, offsets, lengths }, first, positions, bytes, reads: { offsets, lengths: reads, positions }, writes: { offsets, lengths: writes, positions } };
}
