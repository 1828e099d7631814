// CAM as a baseline. native/shaders/baselines/CAM.md says what is modelled.
import { type Baseline, dmaOf, flawMask } from './baseline_system.ts';
import type { Job } from './system.ts';

export interface CamShape {
  items: number;
  groupWarps: number;
  /** Of a batch: so many accesses of each warp. */
  turns: number;
  accessBytes: number;
  writes: boolean;
  flaws?: readonly string[] | undefined;
}

const BLOCK = 512;
const GROUP_WARPS = 8;
const TURNS = 8;
const BUFFERS = 3; // that the layout has room for: cam_batch.h
const GROUP_WORDS = 16;

/** In the order of the bits of CamFlaw. */
export const camFlaws: Readonly<Record<string, string>> = {
  status_ignored: 'nobody looks whether a batch went well: what could not be read is taken for the bytes of the file',
};

const buffersOf = (writes: boolean): number => (writes ? BUFFERS : 2);
/** An access anywhere, whole blocks of it. */
const placeBytesOf = (accessBytes: number): number => Math.ceil((accessBytes + BLOCK - 4) / BLOCK) * BLOCK;

export function camShapeOf({ items, accessBytes, workload, cacheBytes, flaws }: Job): CamShape {
  const { writes } = workload;
  const turns = Math.floor(cacheBytes / (items * buffersOf(writes) * placeBytesOf(accessBytes)));
  return { items, groupWarps: Math.max(2, Math.min(GROUP_WARPS, items)), turns: Math.max(1, Math.min(TURNS, turns)), accessBytes, writes, flaws };
}

export function camCannot({ items, accessBytes, fileBytes, cacheBytes, workload }: Job): string | undefined {
  if (fileBytes % BLOCK !== 0) return 'it moves whole blocks';
  if (workload.writes && accessBytes % BLOCK !== 0) return 'two warps that change parts of one block would undo what the other did';
  if (items * buffersOf(workload.writes) * placeBytesOf(accessBytes) > cacheBytes) return 'two batches, of one access for each warp, do not fit into its memory';
  return undefined;
}

const groupsOf = ({ items, groupWarps }: CamShape): number => Math.ceil(items / groupWarps);
/** As `cam_group_bytes`. */
const groupBytesOf = ({ groupWarps, turns }: CamShape): number => Math.ceil((384 + 2 * BUFFERS * groupWarps * turns * 16) / 128) * 128;

export function camBaseline(shape: CamShape): Baseline {
  const { groupWarps, turns, accessBytes, writes, flaws = [] } = shape;
  const groups = groupsOf(shape);
  const [buffers, placeBytes] = [buffersOf(writes), placeBytesOf(accessBytes)];
  const warpBytes = buffers * turns * placeBytes;
  const bytes = groups * groupWarps * warpBytes;
  const turn = 'access - first';
  return {
    part: {
      prelude: `#define CAM_FLAWS ${flawMask(camFlaws, flaws)}u\n#include "baselines/cam_group.h"\n`,
      groupWarps,
      ahead: 2 * turns - 1,
      shared: { cam_words: `u32[${GROUP_WORDS + groupWarps}]` },
      open: `
        ${dmaOf('places')}
        const uint cam_group = item / ${groupWarps}u;
        Cam cam = {batches, cam_words, (WARPFS_DEVICE uint*)posts + cam_group * 32u, dma, (ulong)cam_group * ${groupBytesOf(shape)}u, (ulong)item * ${warpBytes}u,
                   item % ${groupWarps}u, ${groupWarps}u, ${turns}u, ${buffers}u, ${placeBytes}u, 0u, ${writes}};
        cam_begin(fs, cam);`,
      start: `
        if (access == first && repeat != 0u) cam.base += (count + ${turns - 1}u) / ${turns}u;
        cam_prefetch(fs, cam, ${turn}, count, offset, mode == ACCESS_OVERWRITE && cam_whole(offset, bytes) ? 0u : bytes);`,
      access: `
        const int synchronized = cam_synchronize(fs, cam, ${turn});
        if (synchronized != 0) return synchronized;
        place = cam_land(fs, cam, ${turn}, offset, mode == ACCESS_OVERWRITE && cam_whole(offset, bytes) ? 0u : bytes);`,
      release: `
        cam_write_back(fs, cam, ${turn}, count, offset, mode == ACCESS_READ ? 0u : bytes);`,
      close: `
        const int ended = cam_end(fs, cam);
        if (ended != 0) return ended;`,
    },
    memories: {
      batches: { bytes: groups * groupBytesOf(shape), place: 'host' },
      posts: { bytes: groups * 128, place: 'device' },
      places: { bytes, place: 'device' },
    },
    peer: { kind: 'cam', shape: { groups, entries: groupWarps * turns }, shared: 'batches', lines: 'places', stageBytes: bytes },
  };
}

/** Statements of the warp that plays the threads of the host in check mode. */
export const camDrive = (shape: CamShape): string => `
      const CamDrive drive = {batches, places, disk, disk_bytes, ${groupsOf(shape)}u, ${shape.groupWarps * shape.turns}u, (WARPFS_DEVICE uint*)drive_kept};
      return cam_drive(fs, drive, ended_items, all_items);`;
