// Loads of files without a mount, for measurements: native/host/loads.h.

/** Methods of Metal's compression. */
export const metalCompressions = ['zlib', 'lzfse', 'lz4', 'lzma', 'lzbitmap'] as const;
export type MetalCompression = (typeof metalCompressions)[number];

export interface NativeLoadsConfig {
  way: 'pread' | 'mtlio';
  path: string;
  /** Of the memory that is loaded into. */
  bytes: number;
  /** With pread. */
  threads: number;
  /** With mtlio: of the file; '' where it is not compressed. */
  compression: MetalCompression | '';
}

export interface NativeLoads {
  memory: ArrayBuffer;
  /** All of these pieces: nanoseconds. */
  load(offsets: BigUint64Array, lengths: Uint32Array, positions: BigUint64Array): Promise<number>;
}
