// The names of a folder and the files behind them.
import { History, ModelFile } from './model_file.ts';

export const FILE_NAMES = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

export type Snapshot = ReadonlyMap<string, Uint8Array>;

export class World {
  readonly names = new Map<string, ModelFile>();
  readonly history = new History();

  constructor(snapshot: Snapshot = new Map()) {
    for (const [name, bytes] of snapshot) this.names.set(name, new ModelFile(bytes));
  }

  snapshot(): Snapshot {
    return new Map([...this.names].map(([name, file]) => [name, file.snapshot()]));
  }

  /** Says to whom each file belongs up to the next barrier. A file without a name belongs to nobody. */
  barrier(ownerOf: (name: string) => number | undefined, handles: Iterable<ModelFile>): void {
    for (const file of handles) {
      file.owner = undefined;
      file.sizeAtBarrier = file.size;
    }
    for (const [name, file] of this.names) {
      file.owner = ownerOf(name);
      file.sizeAtBarrier = file.size;
    }
  }
}
