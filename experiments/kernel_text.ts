// The kernel of a workload on a system: the loop over the accesses of a warp, with the statements of both in their places.
import type { InputTypes, KernelDefinition, OutputTypes } from '../gpufs/kernel_definition.ts';
import { CannotDo, GROUP_ON_GPU, type Job, type ShaderPart } from './system.ts';
import type { Workload } from './workload.ts';

const usualInputs = { path: 'string', count: 'u32', repeats: 'u32', first: 'u32', offsets: 'u64[]', lengths: 'u32[]' } as const;
const usualOutputs = { totals: 'u32[]', waits: 'u32[]' } as const;

export const serviceInputs = { all_items: 'u32' } as const;
export const serviceOutputs = { ended_items: 'u32[]' } as const;

const helpers = `
namespace warpfs {
enum : uint { ACCESS_READ = 0u, ACCESS_UPDATE = 1u, ACCESS_OVERWRITE = 2u };
WARPFS_FN uint piece_sum(Vec16 piece, uint word) {
  uint sum = 0u;
  for (uint j = 0; j < 4u; j++) sum += piece.words[j] * (2u * (word + j) + 1u);
  return sum;
}
// What the lanes find at a place, each word times an odd number of its own: a word in a wrong place makes another sum.
WARPFS_FN uint words_sum(WARPFS_THREAD const Lane& lane, const WARPFS_DEVICE uchar* place, uint bytes, uint word) {
  uint sum = 0u;
  if ((((ulong)place | (ulong)bytes) & 15u) == 0u) {
    PieceRange i = lane_pieces(lane, bytes / 16u);
    // All loads of a part are on their way before the first of them is waited for.
    for (; i.at + 7u * i.step < i.end; i.at += 8u * i.step) {
      Vec16 part[8];
      for (uint k = 0; k < 8u; k++) part[k] = data_load16((const WARPFS_DEVICE Vec16*)place + i.at + k * i.step);
      for (uint k = 0; k < 8u; k++) sum += piece_sum(part[k], word + (i.at + k * i.step) * 4u);
    }
    for (; i.at < i.end; i.at += i.step) sum += piece_sum(data_load16((const WARPFS_DEVICE Vec16*)place + i.at), word + i.at * 4u);
  } else {
    for (PieceRange i = lane_pieces(lane, bytes / 4u); i.at < i.end; i.at += i.step) {
      sum += data_load4((const WARPFS_DEVICE uint*)place + i.at) * (2u * (word + i.at) + 1u);
    }
  }
  return sum;
}
}  // namespace warpfs
`;

/** Where a job says how many multiprocessors it may have, its items are grouped so that they have that many. */
export function grouped(part: ShaderPart, { device, workers }: Job): ShaderPart {
  if (device === 'cpu' || workers === undefined) return part;
  if (part.groupWarps !== undefined) throw new CannotDo(`its groups of ${part.groupWarps} warps are spread over more multiprocessors than the job may have`);
  return { ...part, groupWarps: GROUP_ON_GPU };
}

/** `name`: of the system. */
export function kernelOf(name: string, part: ShaderPart, workload: Workload): KernelDefinition<InputTypes, OutputTypes> {
  const ahead = part.ahead ?? 0;
  const pieceBytes = part.pieceBytes ?? 2 ** 30;
  // Warps of a group make their calls together: one that asks for nothing comes as well, and its workload does not see it.
  const together = (part.groupWarps ?? 1) > 1;
  const loop = together ? { begin: 'uint done = 0u; do {', end: '} while (done < whole_bytes);' } : { begin: 'for (uint done = 0u; done < whole_bytes;) {', end: '}' };
  // Everything that an access has under way is told apart by its slot.
  const at = (turn: string): string => `
        const uint index = item * count + ${turn};
        const uint access = first + ${turn};
        const uint slot = (${turn}) % ${ahead + 1}u;
        const ulong whole_offset = offsets[index];
        const uint whole_bytes = lengths[index] & 0x3fffffffu;
        const uint mode = lengths[index] >> 30;
        (void)access; (void)slot; (void)whole_offset; (void)mode;`;
  const startOf = (turn: string): string => `{
          ${at(turn)}
          const ulong offset = whole_offset;
          const uint bytes = whole_bytes;
          ${together ? '' : 'if (bytes != 0u)'} { ${part.start ?? ''} }
        }`;
  const startFirst = part.start === undefined ? '' : `for (uint wanted = 0u; wanted < ${ahead}u && wanted < count; wanted++) ${startOf('wanted')}`;
  const startNext = part.start === undefined ? '' : `if (turn + ${ahead}u < count) ${startOf(`(turn + ${ahead}u)`)}`;
  // Lane 0 carries on what all lanes have found so far.
  const resumed = part.replayed !== true ? { total: 'uint total = 0u;', turn: '0u', checkpoint: '' } : {
    total: `const uint kept_total = gphase(fs, 1u);
    uint total = lane.index == 0u ? kept_total : 0u;`,
    turn: 'gphase(fs, 0u)',
    checkpoint: `
        const uint total_so_far = lane.sum(total);
        total = lane.index == 0u ? total_so_far : 0u;
        gphase_set(fs, 0u, turn + 1u);
        gphase_set(fs, 1u, total_so_far);
        gcheckpoint(fs);`,
  };
  const source = `
    ${resumed.total}
    ${workload.begin ?? ''}
    ${part.open}
    for (uint repeat = 0u; repeat < repeats; repeat++) {
      ${startFirst}
      for (uint turn = ${resumed.turn}; turn < count; turn++) {
        ${startNext}
        ${at('turn')}
        ulong waited = 0u;
        const uint before_access = total;
        total = 0u;
        ${loop.begin}
          const ulong offset = whole_offset + done;
          const uint to_edge = ${pieceBytes}u - (uint)(offset & ${pieceBytes - 1}u);
          const uint bytes = whole_bytes - done < to_edge ? whole_bytes - done : to_edge;
          const uint word = done / 4u;
          WARPFS_DEVICE uchar* place = 0;
          const ulong since = lane.index == 0u ? clock_ns() : 0u;
          {
            ${part.access}
            if (lane.index == 0u) waited += clock_ns() - since;
            ${together ? 'if (bytes != 0u)' : ''} { ${workload.each} }
            ${part.release}
          }
          (void)word;
          done += bytes;
        ${loop.end}
        total = before_access + total * (2u * access + 1u);
        if (lane.index == 0u) waits[index] = waited > 0xffffffffu ? 0xffffffffu : (uint)waited;${resumed.checkpoint}
      }
    }
    ${part.close}
    total = lane.sum(total);
    if (lane.index == 0u) totals[item] = total;`;
  const { service } = part;
  return {
    name: `${workload.name}_on_${name}`,
    inputs: { ...usualInputs, ...(service === undefined ? {} : serviceInputs), ...part.inputs, ...workload.inputs },
    outputs: { ...usualOutputs, ...(service === undefined ? {} : serviceOutputs), ...part.outputs, ...workload.outputs },
    prelude: `${helpers}${part.prelude ?? ''}${workload.prelude ?? ''}`,
    source: service === undefined ? source : withService(source, service),
    ...(part.groupWarps === undefined ? {} : { groupWarps: part.groupWarps }),
    ...(part.shared === undefined ? {} : { shared: part.shared }),
  };
}

/** The first items serve, the others work; one that fails has ended as well, or those that serve would wait for it. */
export function withService(source: string, { warps, text }: NonNullable<ShaderPart['service']>): string {
  return `
    if (item < ${warps}u) {
      const uint service_warp = item;
      (void)service_warp;
      ${text}
      return 0;
    }
    const int outcome = [&](const uint item) -> int {${source}
      return 0;
    }(item - ${warps}u);
    if (lane.index == 0u) {
      fence_release();
      atomic_add(ended_items, 1u);
    }
    return outcome;`;
}
