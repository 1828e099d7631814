// A file of the toy machine: its bytes in a cache, its bytes on a disk, and the gate between writers and a truncation.

const ROOM = 8192;

/** The bytes of a file from one truncation to the next. */
export class Identity {
  readonly cells = new Uint8Array(ROOM);
  readonly dirty = new Uint8Array(ROOM);
  readonly older = new Uint8Array(ROOM); // what each byte was before its last write

  store(at: number, byte: number): void {
    this.older[at] = this.cells[at] ?? 0;
    this.cells[at] = byte;
    this.dirty[at] = 1;
  }
}

export class ToyFile {
  identity = new Identity();
  size: number;
  readonly disk = new Uint8Array(ROOM);
  diskSize: number;
  /** Those who write, and whether somebody truncates. */
  writers = 0;
  truncating = false;

  constructor(bytes: Uint8Array) {
    this.identity.cells.set(bytes);
    this.identity.older.set(bytes);
    this.disk.set(bytes);
    this.size = this.diskSize = bytes.length;
  }

  /** The dirty bytes of one range. Those of an identity that is gone never reach the disk. `whole`: a bug. */
  writeBack(identity: Identity, from: number, to: number, whole = false): void {
    for (let at = from; at < Math.min(to, ROOM); at++) {
      if (identity.dirty[at] === 0 && !whole) continue;
      identity.dirty[at] = 0;
      if (this.identity !== identity) continue;
      this.disk[at] = whole ? (identity.cells[at] ?? 0) ^ 1 : (identity.cells[at] ?? 0);
      this.size = Math.max(this.size, at + 1);
      this.diskSize = Math.max(this.diskSize, at + 1);
    }
  }

  writeAllBack(): void {
    this.writeBack(this.identity, 0, ROOM);
  }

  /** A new identity begins with what the disk has. `keepsTail`: a bug. */
  cut(size: number, keepsTail = false): void {
    if (!keepsTail) this.disk.fill(0, size);
    this.identity = new Identity();
    this.identity.cells.set(this.disk);
    this.identity.older.set(this.disk);
    this.size = this.diskSize = size;
  }
}
