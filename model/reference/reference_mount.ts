// The obviously right file system: what every device must agree with. One warp runs after the other, from barrier to barrier.
import type { Program } from '../../gpufs/program.ts';
import type { ErrnoName } from '../../native/abi/abi.ts';
import { ReferenceFile } from './reference_file.ts';
import { type ReferenceResult, ReferenceWarp } from './reference_warp.ts';

const LINE_BYTES_USUAL = 4096;

export class ReferenceMount {
  /** What each name stands for. A file without a name lives on for those who have it open. */
  readonly files = new Map<string, ReferenceFile>();
  readonly readOnly: boolean;
  readonly lineBytes: number;

  constructor(files: Readonly<Record<string, Uint8Array>> = {}, options: { readOnly?: boolean; lineBytes?: number } = {}) {
    for (const [path, bytes] of Object.entries(files)) this.files.set(path, new ReferenceFile(bytes));
    this.readOnly = options.readOnly ?? false;
    this.lineBytes = options.lineBytes ?? LINE_BYTES_USUAL;
  }

  createFile(path: string): ReferenceFile {
    const file = new ReferenceFile();
    this.files.set(path, file);
    return file;
  }

  unlink(path: string): ErrnoName | undefined {
    if (this.readOnly) return 'EROFS';
    return this.files.delete(path) ? undefined : 'ENOENT';
  }

  rename(path: string, to: string): ErrnoName | undefined {
    if (this.readOnly) return 'EROFS';
    const file = this.files.get(path);
    if (file === undefined) return 'ENOENT';
    this.files.delete(path);
    this.files.set(to, file);
    return undefined;
  }

  /** The results in the shape of the programs. Right for programs whose result does not depend on who comes first between two barriers. */
  run(programs: readonly Program[]): ReferenceResult[][] {
    const warps = programs.map((program) => new ReferenceWarp(this, program));
    while (warps.some((warp) => !warp.ended)) {
      for (const warp of warps) warp.runToBarrier();
    }
    return warps.map((warp) => warp.results);
  }

  /** What the host must find in the file once it was closed, synced or unmounted. */
  bytes(path: string): Uint8Array {
    const file = this.files.get(path);
    if (file === undefined) throw new Error(`the reference has no file ${path}`);
    return file.read(0, file.size);
  }
}
