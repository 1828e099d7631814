// Where a page may lie: the cache is cut into sets of up to 32 ways, one way for each lane of a warp.
import { SET_WAYS } from '../native/abi/abi.ts';

export interface CacheGeometry {
  lineCount: number;
  lineBytes: number;
  /** log2 of lineBytes */
  lineShift: number;
  setCount: number;
}

/** A page by name: the tag of a line. */
export interface PageKey {
  fileId: number;
  page: bigint;
}

const PAGE_HIGH_FACTOR = 0x9e3779b1;
const FILE_FACTOR = 0x85ebca6b;

export function cacheGeometry(lineCount: number, lineBytes: number): CacheGeometry {
  return { lineCount, lineBytes, lineShift: 31 - Math.clz32(lineBytes), setCount: Math.ceil(lineCount / SET_WAYS) };
}

/** Lines that do not divide evenly go to the first sets, so that no set differs from another by more than one way. */
export function waysOfSet(geometry: CacheGeometry, set: number): number {
  const { lineCount, setCount } = geometry;
  return Math.floor(lineCount / setCount) + (set < lineCount % setCount ? 1 : 0);
}

export function firstLineOfSet(geometry: CacheGeometry, set: number): number {
  const { lineCount, setCount } = geometry;
  return set * Math.floor(lineCount / setCount) + Math.min(set, lineCount % setCount);
}

/** Consecutive pages of a file go to consecutive sets, so that a scan loads every set alike. */
export function setOfPage(geometry: CacheGeometry, key: PageKey): number {
  const low = Number(key.page & 0xffffffffn);
  const high = Number((key.page >> 32n) & 0xffffffffn);
  const hash = (low + Math.imul(high, PAGE_HIGH_FACTOR) + Math.imul(key.fileId, FILE_FACTOR)) >>> 0;
  return hash % geometry.setCount;
}

/** The page that holds a byte. Offsets may be above 2^53, so they are bigints throughout. */
export function pageOfOffset(geometry: CacheGeometry, offset: bigint): bigint {
  return offset >> BigInt(geometry.lineShift);
}

/** Bytes of line data; exact up to 2^30 lines of 64 KB, which is 2^46. */
export function lineDataBytes(geometry: CacheGeometry): number {
  return geometry.lineCount * geometry.lineBytes;
}
