// A baseline in check mode: its warps and a drive that is one more warp, under many schedules, each time from the beginning. What is found is a
// finding of check mode (a race, a deadlock, a livelock), an error of a warp, a wrong total, or wrong bytes on the disk at the end.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckOptions } from '../gpufs/check_options.ts';
import type { KernelMemory } from '../gpufs/kernel_memory.ts';
import { mount, type Mount } from '../gpufs/mount.ts';
import { type Baseline, flushBy, flushOf } from './baseline_system.ts';
import { dispatchRound, kernelOn } from './kernel_system.ts';
import { kernelOf } from './kernel_text.ts';
import { wrongTotal } from './lists.ts';
import type { Job, ShaderPart } from './system.ts';
import type { Round, Workload } from './workload.ts';

export interface CheckedBaseline {
  name: string;
  baseline: Baseline;
  workload: Workload;
  /** One dispatch each, one after the other in the same memory. */
  rounds: readonly { round: Round; expected: Uint32Array }[];
  disk: Uint8Array;
  /** What must be there at the end, behind the flush. */
  diskAfter?: Uint8Array;
  schedules: number;
  check?: CheckOptions;
  /** How the host's side is played by a warp: statements of a service warp that see `disk`, `disk_bytes` and the memories. Default: a drive. */
  drive?: string;
}

/** What the first schedule that shows something shows; undefined where none does. */
export interface Found {
  kind: string;
  message: string;
  /** Schedules that were fine before. */
  after: number;
}

const driveText = ({ peer }: Baseline): string => `
      NvmeDrive drive = {${peer.shared}, ${peer.lines}, disk, disk_bytes, ${peer.shape['queues']}u, ${peer.shape['depth']}u, (WARPFS_DEVICE uint*)drive_kept};
      return nvme_drive(fs, drive, ended_items, all_items);`;

export async function checkBaseline(checked: CheckedBaseline): Promise<Found | undefined> {
  const { name, baseline, workload, disk, rounds } = checked;
  const { memories, numbers = {}, flush, flushWarps = 1, flushWaits = true } = baseline;
  const own = baseline.part.service ?? { warps: 0, text: '' };
  // They make groups of their own, with warps that have nothing to do.
  const group = baseline.part.groupWarps ?? 1;
  const service = {
    warps: Math.ceil((own.warps + 1) / group) * group,
    text: `if (service_warp == ${own.warps}u) {${checked.drive ?? driveText(baseline)}
      }
      if (service_warp > ${own.warps}u) return 0;
      ${own.text}`,
  };
  const inputs = {
    ...baseline.part.inputs,
    ...Object.fromEntries([...Object.keys(memories), 'disk', 'drive_kept', 'dma_stages', 'dma_file'].map((memory) => [memory, 'memory' as const])),
    ...Object.fromEntries([...Object.keys(numbers), 'disk_bytes', 'dma_way', 'dma_way_back'].map((number) => [number, 'u32' as const])),
  };
  const prelude = `#include "baselines/dma.h"\n#include "baselines/nvme_drive.h"\n${baseline.part.prelude ?? ''}`;
  const part: ShaderPart = { ...baseline.part, inputs, prelude, service };
  const root = mkdtempSync(join(tmpdir(), 'warpfs-baseline-'));
  const most = Math.ceil(Math.max(flushWarps, ...rounds.map(({ round }) => round.items)) / group) * group + service.warps;
  let fs: Mount | undefined;
  const begin = async (after: number) => {
    fs = await mount({ root, device: 'cpu', cache: { lines: 8, lineBytes: 512 }, residentWarps: most, check: { laneCount: 2, ...checked.check, seed: (checked.check?.seed ?? 1) + after } });
    return { fs, kernel: await kernelOn(fs, kernelOf(name, part, workload)), flusher: flush === undefined ? undefined : await kernelOn(fs, flushOf(name, flush, part)) };
  };
  const job = { file: 'none', root } as Job;
  try {
    const mounted = await begin(0);
    for (let after = 0; after < checked.schedules; after++) {
      const values: Record<string, KernelMemory> = {};
      const sizes = { ...Object.fromEntries(Object.entries(memories).map(([memory, { bytes }]) => [memory, bytes])), disk: disk.length, drive_kept: 256, dma_stages: 16, dma_file: 16 };
      for (const [memory, bytes] of Object.entries(sizes)) values[memory] = await mounted.fs.memory({ bytes });
      values['disk']?.view?.set(disk);
      const given = { ...values, ...numbers, disk_bytes: disk.length, dma_way: 0, dma_way_back: 0 };
      try {
        for (const { round, expected } of rounds) {
          const { totals } = await dispatchRound(mounted.kernel, job, round, { inputs: given, outputs: {} }, { serviceWarps: service.warps });
          const wrong = wrongTotal(totals, expected);
          if (wrong !== undefined) return { kind: 'wrong_total', message: wrong, after };
        }
        const flushing = mounted.flusher?.dispatch(flushBy(part, given, flushWarps));
        if (flushWaits) await flushing;
        const wrong = checked.diskAfter?.findIndex((byte, at) => byte !== values['disk']?.view?.[at]) ?? -1;
        const byte = values['disk']?.view?.[wrong];
        await flushing;
        if (wrong >= 0) return { kind: 'wrong_disk', message: `byte ${wrong} of the disk is ${byte}, and not ${checked.diskAfter?.[wrong]}`, after };
      } catch (error) {
        return foundOf(error, after);
      }
      for (const memory of Object.values(values)) memory.free();
    }
    return undefined;
  } finally {
    await fs?.unmount({ discard: true }).catch(() => undefined);
    rmSync(root, { recursive: true, force: true });
  }
}

function foundOf(error: unknown, after: number): Found {
  const { message, code, finding } = error as { message: string; code: string; finding?: { kind: string } };
  return { kind: finding?.kind ?? code, message, after };
}
