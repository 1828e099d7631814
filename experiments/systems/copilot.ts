// CoPilotIO: warps submit and go on, the host polls the completion queues, bytes come into buffers of the warps. What is modelled: native/shaders/baselines/COPILOT.md.
import { type Baseline, dmaOf, flawMask, nvmePairBytes, prepareBaseline } from '../baseline_system.ts';
import type { Job, System } from '../system.ts';

const BLOCK = 512;
const COMMAND_BYTES_MAX = 65536 * BLOCK;
const WARPS_OF_A_QUEUE = 8;
const QUEUES_MAX = 128;
const DEPTH_MAX = 1024;
/** Reads of a warp under way beside the bytes that it works on, as in warpfs_async. */
const AHEAD = 3;

const FLAWS = {
  no_error_flag: 'the status of a command never reaches the warp that waits for it, as in the artifact: bytes that did not come are taken for bytes',
  queue_by_lane: "commands that a warp has under way go to queues in turn, as the artifact's thread % queues spreads its lanes: one doorbell for each command instead of one for several",
  doorbell_without_fence: "no fence that the host sees stands between entries and doorbell, as in BaM's enqueue where the queue lies in host memory",
} as const;

export interface CopilotSize {
  items: number;
  queues: number;
  depth: number;
  ahead: number;
  /** Of a warp: `ahead` + 1 at least. Each more is a write that need not be waited for at once. */
  buffers: number;
  /** Of one access at most. */
  accessBytes: number;
  /** Threads of the host that only poll completions; 0: each thread does that and plays the controller too. */
  agents: number;
  flaws: readonly string[];
}

/** Whole blocks around an access that begins anywhere. */
const bufferBytes = (accessBytes: number): number => (Math.ceil(accessBytes / BLOCK) + 1) * BLOCK;
const submissionBytes = (depth: number): number => Math.ceil((96 + depth) / 32) * 128;
const powerAbove = (least: number): number => 2 ** Math.ceil(Math.log2(least));

const submit = (opcode: string, way: string, bytes: string, offset: string): string => `
      const int submitted = copilot_submit(fs, copilot, buffer, NvmeOpcode::${opcode}, dma_address(${way}, at, at), ${bytes}, ${offset});
      if (submitted != 0) {
        copilot_settle(fs, copilot);
        return submitted;
      }`;

const wait = `
      const int waited_for = copilot_wait(fs, copilot, buffer);
      if (waited_for != 0) {
        copilot_settle(fs, copilot);
        return waited_for;
      }`;

const buffer = `
    const uint buffer = access % COPILOT_BUFFERS;
    const ulong at = ((ulong)item * COPILOT_BUFFERS + buffer) * buffer_bytes;
    const uint lead = (uint)(whole_offset % NVME_BLOCK_BYTES);
    const uint block_bytes = (lead + whole_bytes + NVME_BLOCK_BYTES - 1u) / NVME_BLOCK_BYTES * NVME_BLOCK_BYTES;`;

export function copilotOf(size: CopilotSize): Baseline {
  const { items, queues, depth, ahead, buffers, accessBytes, agents, flaws } = size;
  const ids = Math.ceil(items / queues) * buffers;
  return {
    part: {
      prelude: `#define COPILOT_FLAWS ${flawMask(FLAWS, flaws)}u\n#define COPILOT_BUFFERS ${buffers}u\n#include "baselines/copilot.h"\n`,
      ahead,
      open: `
    ${dmaOf('lines')}
    const CopilotShape copilot_shape = {queues, depth, ids};
    Copilot copilot = copilot_open(shared, submissions, copilot_shape, item);`,
      start: `
    if (mode != ACCESS_OVERWRITE) {${buffer}${wait}${submit('READ', 'dma.way', 'block_bytes', 'whole_offset - lead')}
    }`,
      // An access is one command, also where the loop around comes to it in pieces.
      access: `${buffer}
    if (done == 0u) {${wait}
      if (mode != ACCESS_OVERWRITE) dma_land(lane, dma, at, at, whole_offset - lead, block_bytes);
    }
    place = lines + at + lead + done;`,
      release: `
    warp_sync(lane);
    if (mode != ACCESS_READ && done + bytes == whole_bytes) {
      if (lead != 0u || block_bytes != whole_bytes) {
        copilot_settle(fs, copilot);
        return -Errno::einval;
      }
      dma_leave(lane, dma, at, at, whole_offset, whole_bytes);${submit('WRITE', 'dma.way_back', 'whole_bytes', 'whole_offset')}
    }`,
      close: `
    const int settled = copilot_settle(fs, copilot);
    if (settled != 0) return settled;`,
    },
    memories: {
      shared: { bytes: queues * (nvmePairBytes(depth) + 128 + ids * 8), place: 'host' },
      submissions: { bytes: queues * submissionBytes(depth), place: 'device' },
      lines: { bytes: items * buffers * bufferBytes(accessBytes), place: 'device' },
    },
    numbers: { queues, depth, ids, buffer_bytes: bufferBytes(accessBytes) },
    peer: { kind: 'copilot', shape: { queues, depth, ids, agents }, shared: 'shared', lines: 'lines', stageBytes: items * buffers * bufferBytes(accessBytes) },
  };
}

function sizeFor({ items, accessBytes, workload, flaws = [] }: Job): CopilotSize {
  const queues = Math.min(QUEUES_MAX, Math.ceil(items / WARPS_OF_A_QUEUE));
  const buffers = workload.writes ? 2 * (AHEAD + 1) : AHEAD + 1;
  // So deep that nobody waits for room, as far as queues are that deep.
  const depth = Math.min(DEPTH_MAX, powerAbove(Math.ceil(items / queues) * buffers + 2));
  return { items, queues, depth, ahead: AHEAD, buffers, accessBytes, agents: 0, flaws };
}

export const system: System = {
  name: 'copilot',
  models: 'CoPilotIO: warps submit NVMe commands and go on, threads of the host poll the completion queues and tell them; no cache',
  shaped: true,
  flaws: FLAWS,
  cannot: ({ workload, accessBytes, fileBytes }) => {
    if (accessBytes > COMMAND_BYTES_MAX) return `without a cache an access is one command, and that has ${COMMAND_BYTES_MAX} bytes at most`;
    if (workload.writes && (accessBytes % BLOCK !== 0 || fileBytes % BLOCK !== 0)) return `without a cache whole blocks of ${BLOCK} bytes are written, and another warp may write the rest of one`;
    return undefined;
  },
  prepare: (job) => prepareBaseline('copilot', job, copilotOf(sizeFor(job))),
};
