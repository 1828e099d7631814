// The threads that play an NVMe controller, driven by hand: entries, doorbells, phase bits, and what is wrong with a command.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDataFile, wordAt } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { media } from '../gpufs/media/media.ts';
import { nativeProfile } from '../gpufs/media/native_profile.ts';
import { loadNativeBinding, type NativePeer, type NativePeerConfig } from '../gpufs/native_binding.ts';

const { missing } = nativePresence();
const BLOCK = 512;
const BLOCKS = 16;
const DEPTH = 4;
const SEED = 3;
const PAIR_BYTES = Math.ceil((256 + DEPTH * 80) / 128) * 128;
const OPCODE = { flush: 0, write: 1, read: 2 } as const;
const STATUS = { success: 0, invalidOpcode: 1, invalidField: 2, sglLength: 0xf, lbaRange: 0x80 } as const;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-controller-'));
  await makeDataFile(join(folder, 'data'), BLOCKS * BLOCK, SEED);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Command {
  opcode: number;
  id: number;
  block?: number;
  blocks?: number;
  address?: number;
  length?: number;
  head?: number;
}

/** One queue pair as a kernel sees it. */
class Pair {
  readonly words: Int32Array;
  #tail = 0;
  #head = 0;
  #phase = 1;

  constructor(shared: Uint8Array, at = 0) {
    this.words = new Int32Array(shared.buffer, shared.byteOffset + at, PAIR_BYTES / 4);
  }

  submit({ opcode, id, block = 0, blocks = 1, address = 0, length = blocks * BLOCK, head = 0x4000 }: Command): void {
    const entry = (256 + this.#tail * 64) / 4;
    this.words.set([opcode | head | (id << 16), 1, 0, 0, 0, 0, address, 0, length, 0, block, 0, blocks - 1], entry);
    this.#tail = (this.#tail + 1) % DEPTH;
    Atomics.store(this.words, 0, this.#tail);
  }

  /** The next completion; undefined where none has come in time. */
  async next(milliseconds = 2000): Promise<{ id: number; status: number; sqHead: number } | undefined> {
    const entry = (256 + DEPTH * 64 + this.#head * 16) / 4;
    for (const since = performance.now(); performance.now() - since < milliseconds; await new Promise((later) => setTimeout(later, 1))) {
      const done = Atomics.load(this.words, entry + 3) >>> 0;
      if (((done >>> 16) & 1) !== this.#phase) continue;
      this.#head = (this.#head + 1) % DEPTH;
      if (this.#head === 0) this.#phase ^= 1;
      return { id: done & 0xffff, status: done >>> 17, sqHead: (this.words[entry + 2] as number) & 0xffff };
    }
    return undefined;
  }

  /** What was read may be overwritten. */
  give(): void {
    Atomics.store(this.words, 32, this.#head);
  }
}

async function served(more: Partial<NativePeerConfig>, work: (peer: NativePeer, shared: Uint8Array, data: Uint8Array) => Promise<void>): Promise<void> {
  const shared = new Uint8Array(2 * PAIR_BYTES);
  const data = new Uint8Array(8 * BLOCK);
  const file = await open(join(folder, 'data'), 'r+');
  const peer = loadNativeBinding().binding.peer({ kind: 'nvme', shape: { queues: 2, depth: DEPTH }, fd: file.fd, shared, data, readsMove: true, writesMove: true, threads: 2, ...more });
  peer.begin();
  try {
    await work(peer, shared, data);
  } finally {
    peer.end();
    peer.close();
    await file.close();
  }
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'a controller' : `SKIP ${missing}`, () => {
  test('moves blocks both ways, on each of its queues', () =>
    served({}, async (_, shared, data) => {
      for (const [queue, pair] of [new Pair(shared), new Pair(shared, PAIR_BYTES)].entries()) {
        pair.submit({ opcode: OPCODE.read, id: 7, block: 3 + queue, blocks: 2, address: 1024 });
        expect(await pair.next()).toEqual({ id: 7, status: STATUS.success, sqHead: 1 });
        expect(new Uint32Array(data.buffer, 1024, 256)).toEqual(Uint32Array.from({ length: 256 }, (__, word) => wordAt((3 + queue) * 128 + word, SEED)));
        data.fill(0xa0 + queue, 0, BLOCK);
        pair.submit({ opcode: OPCODE.write, id: 8, block: 12 + queue });
        pair.submit({ opcode: OPCODE.flush, id: 9 });
        expect([await pair.next(), await pair.next()]).toMatchObject([{ id: 8, status: 0 }, { id: 9, status: 0, sqHead: 3 }]);
        expect(readFileSync(join(folder, 'data')).subarray((12 + queue) * BLOCK, (13 + queue) * BLOCK).every((byte) => byte === 0xa0 + queue)).toBe(true);
      }
    }));

  test('goes round with phase bits, and waits for room in the completion queue', () =>
    served({}, async (_, shared) => {
      const pair = new Pair(shared);
      for (let round = 0; round < 3 * DEPTH; round++) {
        pair.submit({ opcode: OPCODE.read, id: round });
        expect(await pair.next()).toMatchObject({ id: round, status: 0 });
        pair.give();
      }
      // One entry stays free: of four answers the last one comes when others were read.
      for (let id = 0; id < DEPTH - 1; id++) pair.submit({ opcode: OPCODE.read, id });
      expect((await pair.next())?.id).toBe(0);
      pair.submit({ opcode: OPCODE.read, id: DEPTH - 1 });
      for (let id = 1; id < DEPTH - 1; id++) expect((await pair.next())?.id).toBe(id);
      expect(await pair.next(50)).toBeUndefined();
      pair.give();
      expect((await pair.next())?.id).toBe(DEPTH - 1);
    }));

  test.each([
    ['an opcode that it does not know', { opcode: 9 }, STATUS.invalidOpcode],
    ['data that are not where it wants them', { opcode: OPCODE.read, head: 0 }, STATUS.invalidField],
    ['a block behind the end', { opcode: OPCODE.read, block: BLOCKS }, STATUS.lbaRange],
    ['blocks that reach over the end', { opcode: OPCODE.write, block: BLOCKS - 1, blocks: 2 }, STATUS.lbaRange],
    ['memory behind its own', { opcode: OPCODE.read, address: 8 * BLOCK - 4 }, STATUS.sglLength],
    ['a length that is not that of the blocks', { opcode: OPCODE.read, length: 100 }, STATUS.sglLength],
  ])('refuses %s', (_, command, status) =>
    served({}, async (__, shared, data) => {
      const pair = new Pair(shared);
      pair.submit({ id: 1, ...command });
      expect(await pair.next()).toMatchObject({ id: 1, status });
      expect(data.every((byte) => byte === 0)).toBe(true);
      pair.submit({ opcode: OPCODE.read, id: 2 });
      expect(await pair.next()).toMatchObject({ id: 2, status: 0 });
    }));

  test('answers as late as its medium wants', () =>
    served({ medium: nativeProfile(media.apple_m1) }, async (peer, shared) => {
      const pair = new Pair(shared);
      pair.submit({ opcode: OPCODE.write, id: 1 });
      expect(await pair.next()).toMatchObject({ id: 1, status: 0 });
      expect(peer.medium()?.write.answers).toBe(1);
      expect(peer.medium()?.write.given.medianNs).toBeGreaterThan(50_000);
    }));

  test('one with fewer bytes than its queues take is not made', async () => {
    await expect(served({ shape: { queues: 9, depth: DEPTH } }, async () => undefined)).rejects.toThrow(/9 queues of 4 entries take 5760 bytes, and there are 1280/);
    await expect(served({ shape: { queues: 1, depth: 1 } }, async () => undefined)).rejects.toThrow('an NVMe queue has 2 to 65536 entries');
  });
});
