// Systems that model a peer: a cache or queues of their own, in memory that lasts from dispatch to dispatch, and threads of the host that serve them.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describeMedium } from '../gpufs/media/report.ts';
import { profileOf, RAW } from '../gpufs/media/media.ts';
import { nativeProfile } from '../gpufs/media/native_profile.ts';
import type { KernelMemory } from '../gpufs/kernel_memory.ts';
import type { Mount } from '../gpufs/mount.ts';
import { loadNativeBinding, type NativePeer, type NativePeerConfig } from '../gpufs/native_binding.ts';
import type { InputTypes, InputValues, KernelDefinition, OutputTypes } from '../gpufs/kernel_definition.ts';
import { dispatchRound, kernelOn, mountFor } from './kernel_system.ts';
import { grouped, kernelOf, serviceInputs, serviceOutputs, withService } from './kernel_text.ts';
import type { Job, PreparedSystem, ShaderPart } from './system.ts';

export interface Baseline {
  part: ShaderPart;
  /** Inputs of the kernel by name, zeros when they are made. 'host': the peer sees them too. */
  memories: Readonly<Record<string, { bytes: number; place: 'device' | 'host' }>>;
  /** Inputs of the kernel as well. */
  numbers?: Readonly<Record<string, number>>;
  peer: {
    kind: NativePeerConfig['kind'];
    shape: NativePeerConfig['shape'];
    /** The memories with its queues, and with the lines that bytes are moved to and from. */
    shared: string;
    lines: string;
    /** Where a GPU has memory of its own the host moves bytes to and from stages of so many bytes: dma.h. */
    stageBytes: number;
  };
  /** Statements that write back what the cache has changed, for each of `flushWarps` warps (default: 1); they see the inputs of the part. */
  flush?: string;
  flushWarps?: number;
  /** The flush is launched, and what comes next does not wait for it. */
  flushWaits?: false;
}

/** Bits for a header: the n-th known flaw is bit n. */
export function flawMask(known: object, wanted: readonly string[]): number {
  return Object.keys(known).reduce((bits, name, bit) => bits | (wanted.includes(name) ? 1 << bit : 0), 0);
}

/** As `nvme_pair_bytes` of nvme_queue.h: doorbells, then entries of 64 and of 16 bytes. */
export function nvmePairBytes(depth: number): number {
  return Math.ceil((256 + depth * 80) / 128) * 128;
}

/** For statements of a part: `dma`, as dma.h wants it. `lines`: the name of that memory. */
export const dmaOf = (lines: string): string => `const Dma dma = {dma_way, dma_way_back, ${lines}, dma_stages, dma_file};`;

const WAY = { direct: 0, staged: 1, mapped: 2 } as const;
const dmaInputs = { dma_way: 'u32', dma_way_back: 'u32', dma_stages: 'memory', dma_file: 'memory' } as const;

/** Everything that belongs to one mount of a baseline. */
interface Attached {
  inputs: InputValues<InputTypes>;
  peer: NativePeer;
  close(): Promise<void>;
}

export async function prepareBaseline(name: string, job: Job, baseline: Baseline): Promise<PreparedSystem> {
  const { part, memories, numbers = {}, flush, flushWarps = 1, flushWaits = true } = baseline;
  const inputs = {
    ...part.inputs,
    ...Object.fromEntries(Object.keys(memories).map((memory) => [memory, 'memory' as const])),
    ...Object.fromEntries(Object.keys(numbers).map((number) => [number, 'u32' as const])),
    ...dmaInputs,
  };
  const prelude = `#include "baselines/dma.h"\n${part.prelude ?? ''}`;
  const fs = await mountFor(job, { cache: { lines: 32 } });
  const unmount = (): Promise<void> => fs.unmount({ discard: true }).catch(() => undefined);
  let attached: Attached;
  try {
    attached = await attach(fs, job, baseline);
  } catch (error) {
    await unmount();
    throw error;
  }
  let flushing: Promise<unknown> = Promise.resolve();
  const close = async (): Promise<void> => {
    await flushing;
    await attached.close();
    await unmount();
  };
  try {
    const kernel = await kernelOn(fs, kernelOf(name, grouped({ ...part, inputs, prelude }, job), job.workload));
    const flusher = flush === undefined ? undefined : await kernelOn(fs, flushOf(name, flush, { ...part, inputs, prelude }));
    const served = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      attached.peer.begin();
      try {
        return await work();
      } finally {
        attached.peer.end();
      }
    };
    return {
      run: async (round) => {
        await flushing;
        return served(() => dispatchRound(kernel, job, round, { inputs: attached.inputs, outputs: {} }, { serviceWarps: part.service?.warps ?? 0 }));
      },
      settle: async () => {
        if (flusher !== undefined && job.workload.writes) {
          const flushed = served(() => flusher.dispatch(flushBy(part, attached.inputs, flushWarps)));
          flushing = flushed.catch(() => undefined);
          if (flushWaits) await flushed;
        }
        const file = await open(join(job.root, job.file), 'r+');
        try {
          await file.datasync();
        } finally {
          await file.close();
        }
      },
      close,
      note: () => {
        const medium = attached.peer.medium();
        return medium === undefined ? undefined : describeMedium(fs.device.medium, medium);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export function flushOf(name: string, source: string, { inputs = {}, prelude = '', service }: ShaderPart): KernelDefinition<InputTypes, OutputTypes> {
  const flusher = { name: `flush_of_${name}`, prelude };
  if (service === undefined) return { ...flusher, inputs, source };
  return { ...flusher, inputs: { ...inputs, ...serviceInputs }, outputs: serviceOutputs, source: withService(source, service) };
}

/** The dispatch of a flush, with the warps that serve it. */
export function flushBy({ service }: ShaderPart, inputs: InputValues<InputTypes>, warps: number) {
  if (service === undefined) return { items: warps, inputs, outputs: {} };
  return { items: warps + service.warps, inputs: { ...inputs, all_items: warps }, outputs: { ended_items: 1 } };
}

async function attach(fs: Mount, job: Job, { memories, numbers = {}, peer }: Baseline): Promise<Attached> {
  const made: Record<string, KernelMemory> = {};
  for (const [name, { bytes, place }] of Object.entries(memories)) made[name] = await fs.memory({ bytes, place });
  const dma = await dmaFor(fs, job, peer.stageBytes);
  const file = await open(join(job.root, job.file), job.workload.writes ? 'r+' : 'r');
  try {
    const medium = profileOf(job.medium);
    const native = loadNativeBinding().binding.peer({
      kind: peer.kind,
      shape: peer.shape,
      fd: file.fd,
      shared: viewOf(made[peer.shared]),
      data: dma.inputs.dma_way_back === WAY.direct ? viewOf(made[peer.lines]) : viewOf(dma.inputs.dma_stages),
      readsMove: dma.inputs.dma_way !== WAY.mapped,
      writesMove: dma.inputs.dma_way_back !== WAY.mapped,
      threads: job.threads,
      ...(medium === undefined ? {} : { medium: nativeProfile(medium) }),
    });
    const close = async (): Promise<void> => {
      native.close();
      await file.close();
    };
    return { inputs: { ...made, ...numbers, ...dma.inputs }, peer: native, close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function viewOf(memory: KernelMemory | undefined): Uint8Array {
  if (memory?.view === undefined) throw new Error('a peer serves memory that the host sees');
  return memory.view;
}

interface DmaInputs {
  inputs: { dma_way: number; dma_way_back: number; dma_stages: KernelMemory; dma_file: KernelMemory };
}

/** As a mount with `fill: 'auto'` does: files are read, and written, where they lie, if the driver lets a GPU do that and no medium is to shape it. */
async function dmaFor(fs: Mount, job: Job, stageBytes: number): Promise<DmaInputs> {
  const nothing = await fs.memory({ bytes: 16, place: 'host' });
  if (fs.device.name === 'cpu') return { inputs: { dma_way: WAY.direct, dma_way_back: WAY.direct, dma_stages: nothing, dma_file: nothing } };
  const stages = await fs.memory({ bytes: stageBytes, place: 'host' });
  const mapped = async (writes: boolean): Promise<KernelMemory | undefined> =>
    job.medium === RAW ? fs.memory({ file: join(job.root, job.file), bytes: job.fileBytes, writes }).catch(() => undefined) : undefined;
  const writable = job.workload.writes ? await mapped(true) : undefined;
  const file = writable ?? (await mapped(false));
  return {
    inputs: {
      dma_way: file === undefined ? WAY.staged : WAY.mapped,
      dma_way_back: writable === undefined ? WAY.staged : WAY.mapped,
      dma_stages: stages,
      dma_file: file ?? nothing,
    },
  };
}
