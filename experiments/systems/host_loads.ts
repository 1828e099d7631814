// Loads and nothing else: what a way to the bytes of a file can do before a mount and kernels take their part. The CPU adds up what came, behind the clock.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadNativeBinding, type NativeLoads } from '../../gpufs/native_binding.ts';
import { forgetFile } from '../host_file.ts';
import { sumOfWords, totalsOf } from '../lists.ts';
import type { HostLoads, Job, PreparedSystem, System } from '../system.ts';
import { lengthOf, type Round, type RoundResult } from '../workload.ts';

/** What is loaded at once, before it is added up: so much is asked for at a time, however long a list is. */
const MEMORY_BYTES = 2 ** 26;

export const system: System = {
  name: 'host_loads',
  models: 'no mount and no kernel: threads of the host, or a queue of Metal, load what is asked for into memory, and the CPU adds it up',
  asked: true,
  async prepare(job) {
    const loads = job.loads as HostLoads;
    const source = join(job.root, job.file);
    if (loads.compression === '') return prepareLoads(job, loads, source, undefined);
    // Beside the file, under a name of its own: several points of one experiment have the same file.
    const path = `${source}.${loads.compression}`;
    loadNativeBinding().binding.compressForMetal(source, path, loads.compression);
    return prepareLoads(job, loads, path, path);
  },
};

function prepareLoads(job: Job, loads: HostLoads, path: string, ownFile: string | undefined): PreparedSystem {
  const open = (): NativeLoads => loadNativeBinding().binding.loads({ ...loads, path, bytes: Math.max(MEMORY_BYTES, job.accessBytes), threads: job.threads });
  let opened: NativeLoads | undefined = open();
  return {
    async run(round) {
      opened ??= open();
      return loadAll(round, opened);
    },
    settle: async () => undefined,
    // A cold run also opens the file again. Who asks the host to forget the file does not know of the compressed one.
    async letGo() {
      opened = undefined;
      if (ownFile !== undefined) await forgetFile(ownFile);
    },
    async close() {
      opened = undefined;
      if (ownFile !== undefined) await rm(ownFile, { force: true });
    },
  };
}

/** The time is that of the loads; each access has waited for those that were asked for with it. */
async function loadAll(round: Round, loads: NativeLoads): Promise<RoundResult> {
  const { memory } = loads;
  const words = new Uint32Array(memory);
  const count = round.items * round.count;
  const sums = new Uint32Array(count);
  const waits = new Uint32Array(count);
  let nanoseconds = 0;
  for (let first = 0; first < count; ) {
    const { end, positions } = partOf(round, first, memory.byteLength);
    const took = await loads.load(round.offsets.subarray(first, end), round.lengths.subarray(first, end), positions);
    nanoseconds += took;
    waits.fill(Math.min(took, 2 ** 32 - 1), first, end);
    for (let at = first; at < end; at++) {
      const begin = Number(positions[at - first]) / 4;
      sums[at] = sumOfWords((word) => words[begin + word] as number, 0, lengthOf(round.lengths[at] as number));
    }
    first = end;
  }
  return { milliseconds: nanoseconds / 1e6, totals: totalsOf(round, (_offset, _bytes, index) => sums[index] as number), waits, outputs: {} };
}

/** As many accesses from `first` on as the memory has room for. */
function partOf(round: Round, first: number, bytesMost: number): { end: number; positions: BigUint64Array } {
  const positions: bigint[] = [];
  let bytes = 0;
  let end = first;
  for (; end < round.lengths.length; end++) {
    const length = lengthOf(round.lengths[end] as number);
    if (end > first && bytes + length > bytesMost) break;
    positions.push(BigInt(bytes));
    bytes += length;
  }
  return { end, positions: BigUint64Array.from(positions) };
}
