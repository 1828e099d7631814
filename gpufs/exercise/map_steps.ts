// Maps, and the file as an array of u32.
import type { Action } from './action.ts';
import { Mismatch, showResult } from './mismatch.ts';
import { bytesOf, elementOf, type ModelFile } from './model_file.ts';
import { expectBytes, expectResult, failing, failure, findsLine, type Handle, isRefused, liveMaps, type MapState, owns, type Written, type Writing } from './round_writer.ts';

type Of<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

const ELEMENT_BYTES = 4;
const MAPS_OF_WARP_MAX = 4;

/** Maps of all warps at once. Who writes while the others hold every line waits for ever. */
const LINES_OF_MAP = 8;
const LINES_FOR_MANY = 4;

function findsRoom(writing: Writing): boolean {
  const { lines } = writing.geometry;
  if (writing.kind !== 'alone' && lines < LINES_FOR_MANY) return false;
  return liveMaps(writing) < Math.max(1, Math.floor(lines / LINES_OF_MAP)) && [...writing.state.maps.values()].filter(({ live }) => live).length < MAPS_OF_WARP_MAX;
}

export function writeMap(action: Of<'map'>, writing: Writing, handle: Handle): Written {
  const { number, offset, length, mode } = action;
  const { geometry, state } = writing;
  const operation = { op: 'map', file: handle.index, offset, length, mode } as const;
  const { file, error } = handle;
  const within = length > 0 && Math.floor(offset / geometry.lineBytes) === Math.floor((offset + length - 1) / geometry.lineBytes);
  if (error !== undefined || file === undefined) return within ? failing(action, operation, error ?? 'EBADF') : undefined;
  if (mode === 'r+' && !handle.writable) return within ? failing(action, operation, 'EBADF') : undefined;
  if (!owns(writing, file)) return undefined;
  if (!within) return failing(action, operation, 'EINVAL');
  if (!findsRoom(writing)) return undefined;
  const wanted = file.clip(offset, length);
  const map: MapState = { handle, offset, length: wanted, mode, shrinks: file.shrinks, step: state.program.length, live: true, refused: false };
  state.maps.set(number, map);
  handle.users++;
  return {
    operation,
    judge: (result) => {
      map.refused = isRefused(result, geometry);
      if (map.refused) return;
      expectResult(action, result, wanted);
      expectBytes(action, writing, file, offset, wanted, result);
    },
  };
}

export function writeUnmap(action: Of<'unmap' | 'map_sync'>, writing: Writing, map: MapState): Written {
  const { number, kind } = action;
  const file = map.handle.file as ModelFile;
  if (!map.live || !owns(writing, file)) return undefined;
  const stale = map.shrinks !== file.shrinks;
  if (kind === 'unmap') {
    map.live = false;
    map.handle.users--;
  }
  const length = map.mode === 'r' ? 0 : Math.min(action.length, map.length);
  const data = bytesOf(number, map.offset, length);
  const operation = length === 0 ? ({ op: kind, map: map.step } as const) : ({ op: kind, map: map.step, data } as const);
  return {
    operation,
    judge: (result) => {
      if (map.refused) {
        if (result.result >= 0) throw new Mismatch(number, `result ${showResult(result.result)} for a map that was refused`);
      } else if (stale && map.length > 0) {
        if (map.mode === 'r+' || result.result !== 0) expectResult(action, result, failure('ESTALE'));
      } else {
        expectResult(action, result, 0);
        if (length > 0) file.store(number, map.offset, data, writing.world.history);
      }
    },
  };
}

export function writeElements(action: Of<'gather' | 'scatter' | 'add'>, writing: Writing, handle: Handle): Written {
  const { number, kind, indices } = action;
  const { file, error } = handle;
  const values = indices.map((index) => elementOf(number, index));
  const place = { file: handle.index, indices };
  const operation = kind === 'gather' ? ({ op: kind, ...place } as const) : ({ op: kind, ...place, values } as const);
  if (error !== undefined || file === undefined) return failing(action, operation, error ?? 'EBADF');
  if (kind !== 'gather' && !handle.writable) return failing(action, operation, 'EBADF');
  const known = writing.kind === 'striped' && indices.every((index) => (index + 1) * ELEMENT_BYTES <= file.sizeAtBarrier);
  if (!known && !owns(writing, file)) return undefined;
  if (kind !== 'gather' && !findsLine(writing)) return undefined;
  const inside = indices.map((index) => file.clip(index * ELEMENT_BYTES, ELEMENT_BYTES) === ELEMENT_BYTES);
  const all = inside.every((is) => is);
  return {
    operation,
    judge: (result) => {
      expectResult(action, result, all ? indices.length : failure('ERANGE'));
      indices.forEach((index, at) => {
        const got = result.values?.[at];
        if (inside[at] === true) touchElement(action, writing, file, { index, given: values[at] ?? 0, got: all ? got : undefined });
      });
    },
  };
}

interface Element {
  index: number;
  given: number;
  /** What the device says it was; undefined where that is not told. */
  got: number | undefined;
}

function touchElement({ number, kind }: Of<'gather' | 'scatter' | 'add'>, { world }: Writing, file: ModelFile, { index, given, got }: Element): void {
  const offset = index * ELEMENT_BYTES;
  const view = new DataView(file.bytes.buffer, offset, ELEMENT_BYTES);
  const before = view.getUint32(0, true);
  if (kind !== 'scatter' && got !== undefined && got !== before) {
    throw new Mismatch(number, `element ${index} (byte ${offset}) is ${got}, wanted ${before} of operation ${file.writers[offset]}`);
  }
  if (kind === 'gather') return;
  const bytes = new Uint8Array(ELEMENT_BYTES);
  new DataView(bytes.buffer).setUint32(0, kind === 'add' ? (before + given) >>> 0 : given, true);
  file.store(number, offset, bytes, world.history);
}
