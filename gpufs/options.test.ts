import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WarpfsError } from './errors.ts';
import { checkRoot, resolveOptions, type MountOptions } from './options.ts';

function messageOf(options: unknown): string {
  try {
    resolveOptions(options as MountOptions);
  } catch (error) {
    expect(error).toBeInstanceOf(WarpfsError);
    expect((error as WarpfsError).code).toBe('ERR_WARPFS_OPTION');
    return (error as WarpfsError).message;
  }
  throw new Error('no error');
}

test('defaults', () => {
  expect(resolveOptions({ root: '/tmp' })).toEqual({
    root: '/tmp',
    device: 'auto',
    deviceIndex: 0,
    wait: 'spin',
    cache: { lines: 65536, lineBytes: 4096, policy: 'clock' },
    ring: { count: 4, slots: 1024 },
    daemon: { threads: 1, io: 'auto' },
    readOnly: false,
    maxOpenFiles: 4096,
    residentWarps: 1024,
    timeoutMs: 30000,
    fill: 'auto',
    kernelTimeMs: 600_000,
    sandbox: 'auto',
    medium: 'raw',
  });
  expect(resolveOptions({ root: '/tmp', faults: { call: 3, error: 'EIO' } }).faults).toEqual({ call: 3, error: 'EIO', forGood: false });
  expect(resolveOptions({ root: '/tmp', cache: { lines: 7 } }).cache).toEqual({ lines: 7, lineBytes: 4096, policy: 'clock' });
});

test('a GPU has defaults of its own', () => {
  const onGpu = { residentWarps: 4096, ring: { count: 8, slots: 1024 }, cache: { lines: 65536 }, maxOpenFiles: 4096 };
  expect(resolveOptions({ root: '/tmp', device: 'cuda' })).toMatchObject(onGpu);
  expect(resolveOptions({ root: '/tmp' }, 'cuda')).toMatchObject({ ...onGpu, device: 'auto' });
  const given = { root: '/tmp', residentWarps: 3, ring: { count: 2 }, fill: 'map', windowBytes: 2 ** 40, kernelTimeMs: 0 } as const;
  expect(resolveOptions(given, 'cuda')).toMatchObject({ ...given, ring: { count: 2, slots: 1024 } });
  // What the device will be is not known yet: nothing is wrong so far.
  expect(resolveOptions({ root: '/tmp', fill: 'pull' }).fill).toBe('pull');
  for (const fill of ['pull', 'push', 'map'] as const) {
    expect(resolveOptions({ root: '/tmp', fill }, 'cuda').fill).toBe(fill);
    expect(() => resolveOptions({ root: '/tmp', fill }, 'cpu')).toThrow(`option fill: "${fill}" does not go with the cpu device`);
  }
});

const noFaults = { eio: 0, enospc: 0, eintr: 0, shortIo: 0, delay: 0, die: 0, revive: 0, truncate: 0, replace: 0 };

test('check mode has defaults of its own, and small tables', () => {
  const resolved = resolveOptions({ root: '/tmp', check: true });
  expect(resolved.check).toEqual({
    seed: 1, scheduler: 'portfolio', depth: 3, preemptions: 0xffffffff, memory: 'sc', progress: 'fair', laneCount: 4, cuda: false, stepLimit: 200_000, faults: noFaults,
  });
  expect(resolved).toMatchObject({ device: 'cpu', cache: { lines: 64, lineBytes: 4096 }, residentWarps: 8, maxOpenFiles: 64 });
  expect(resolveOptions({ root: '/tmp', check: {}, residentWarps: 2, cache: { lines: 3 } })).toMatchObject({ residentWarps: 2, cache: { lines: 3 } });
  const given = resolveOptions({ root: '/tmp', check: { seed: 7, laneCount: 32, faults: { eio: 5 } } });
  expect(given.check).toMatchObject({ seed: 7, laneCount: 32, faults: { ...noFaults, eio: 5 } });
});

test.each<[unknown, string]>([
  [{ root: '/tmp', cache: { lineBytes: 3000 } }, '[warpfs] option cache.lineBytes: 3000 is not a power of two from 512 to 65536'],
  [{ root: '/tmp', cache: { lineBytes: 256 } }, '[warpfs] option cache.lineBytes: 256 is not a power of two from 512 to 65536'],
  [{ root: '/tmp', cache: { lines: 0 } }, '[warpfs] option cache.lines: 0 is not a whole number from 1 to 1073741824'],
  [{ root: '/tmp', cache: { policy: 'lru' } }, '[warpfs] option cache.policy: "lru" is not one of clock, fifo'],
  [{ root: '/tmp', cache: 5 }, '[warpfs] option cache: 5 is not an object of options'],
  [{ root: '/tmp', ring: { count: 65 } }, '[warpfs] option ring.count: 65 is not a whole number from 1 to 64'],
  [{ root: '/tmp', ring: { slots: 1000 } }, '[warpfs] option ring.slots: 1000 is not a power of two from 1 to 65536'],
  [{ root: '/tmp', daemon: { threads: 1.5 } }, '[warpfs] option daemon.threads: 1.5 is not a whole number from 1 to 64'],
  [{ root: '/tmp', daemon: { io: 'aio' } }, '[warpfs] option daemon.io: "aio" is not one of auto, pread, uring, mtlio'],
  [{ root: '/tmp', device: 'cpu', daemon: { io: 'mtlio' } }, '[warpfs] option daemon.io: "mtlio" does not go with the cpu device: only the metal device has Metal read its files (auto, pread or uring)'],
  [{ root: '/tmp', check: true, daemon: { io: 'mtlio' } }, '[warpfs] option daemon.io: "mtlio" does not go with the cpu device: only the metal device has Metal read its files (auto, pread or uring)'],
  [{ root: '/tmp', device: 'cuda', daemon: { io: 'mtlio' } }, '[warpfs] option daemon.io: "mtlio" does not go with the cuda device: only the metal device has Metal read its files (auto, pread or uring)'],
  [{ root: '/tmp', device: 'metal', wait: 'spin', daemon: { io: 'mtlio' } }, '[warpfs] option daemon.io: "mtlio" does not go with wait "spin": what Metal reads is sure to be seen by the kernels that begin behind it, and by no other (wait "replay")'],
  [{ root: '/tmp', wait: 'poll' }, '[warpfs] option wait: "poll" is not one of spin, replay'],
  [{ root: '/tmp', device: 'gpu' }, '[warpfs] option device: "gpu" is not one of auto, cpu, cuda, metal'],
  [{ root: '/tmp', deviceIndex: -1 }, '[warpfs] option deviceIndex: -1 is not a whole number from 0 to 1023'],
  [{ root: '/tmp', deviceIndex: '0' }, '[warpfs] option deviceIndex: "0" is not a whole number from 0 to 1023'],
  [{ root: '/tmp', readOnly: 1 }, '[warpfs] option readOnly: 1 is not true or false'],
  [{ root: '/tmp', maxOpenFiles: 131072 }, '[warpfs] option maxOpenFiles: 131072 is not a whole number from 1 to 131071'],
  [{ root: '/tmp', residentWarps: 9000 }, '[warpfs] option residentWarps: 9000 is not a whole number from 1 to 4096'],
  [{ root: '/tmp', timeoutMs: 0 }, '[warpfs] option timeoutMs: 0 is not a whole number from 1 to 2147483647'],
  [{ root: '/tmp', fill: 'shove' }, '[warpfs] option fill: "shove" is not one of auto, pull, push, map'],
  [{ root: '/tmp', fill: 'map', device: 'cpu' }, '[warpfs] option fill: "map" does not go with the cpu device: only the cuda device fills lines in more than one way'],
  [{ root: '/tmp', fill: 'pull', check: true }, '[warpfs] option fill: "pull" does not go with the cpu device: only the cuda device fills lines in more than one way'],
  [{ root: '/tmp', windowBytes: 0 }, '[warpfs] option windowBytes: 0 is not a whole number from 1 to 9007199254740991'],
  [{ root: '/tmp', windowBytes: 1.5 }, '[warpfs] option windowBytes: 1.5 is not a whole number from 1 to 9007199254740991'],
  [{ root: '/tmp', kernelTimeMs: -1 }, '[warpfs] option kernelTimeMs: -1 is not a whole number from 0 to 2147483647'],
  [{ root: '/tmp', workers: 0 }, '[warpfs] option workers: 0 is not a whole number from 1 to 1024'],
  [{ root: 5 }, '[warpfs] option root: 5 is not the path of a folder'],
  [{}, '[warpfs] option root: undefined is not the path of a folder'],
  [undefined, '[warpfs] options: undefined is not an object with a root'],
  [{ root: '/tmp', cache: { lineByte: 512 } }, '[warpfs] option cache.lineByte does not exist; did you mean cache.lineBytes?'],
  [{ root: '/tmp', readonly: true }, '[warpfs] option readonly does not exist; did you mean readOnly?'],
  [{ root: '/tmp', check: false }, '[warpfs] option check: false is not true or an object of options'],
  [{ root: '/tmp', check: null }, '[warpfs] option check: null is not true or an object of options'],
  [{ root: '/tmp', check: { seed: -1 } }, '[warpfs] option check.seed: -1 is not a whole number from 0 to 4294967295'],
  [{ root: '/tmp', check: { seed: 'x' } }, '[warpfs] option check.seed: "x" is not a whole number from 0 to 4294967295'],
  [{ root: '/tmp', check: { scheduler: 'dfs' } }, '[warpfs] option check.scheduler: "dfs" is not one of random, pct, pos, portfolio, exhaustive'],
  [{ root: '/tmp', check: { laneCount: 33 } }, '[warpfs] option check.laneCount: 33 is not a whole number from 1 to 32'],
  [{ root: '/tmp', check: { memory: 'tso' } }, '[warpfs] option check.memory: "tso" is not one of sc, relaxed'],
  [{ root: '/tmp', check: { lanCount: 4 } }, '[warpfs] option check.lanCount does not exist; did you mean check.laneCount?'],
  [{ root: '/tmp', check: { faults: { eio: 1001 } } }, '[warpfs] option check.faults.eio: 1001 is not a whole number from 0 to 1000'],
  [{ root: '/tmp', check: { faults: { shortio: 1 } } }, '[warpfs] option check.faults.shortio does not exist; did you mean check.faults.shortIo?'],
  [{ root: '/tmp', check: true, device: 'cuda' }, '[warpfs] option device: "cuda" does not go with option check: only the cpu device can be checked (cpu or auto)'],
  [{ root: '/tmp', sandbox: 'on' }, '[warpfs] option sandbox: "on" is not one of auto, required, off'],
  [{ root: '/tmp', sandbox: 'required', check: true }, '[warpfs] option sandbox: "required" does not go with option check: there the host has no threads to lock in'],
  [{ root: '/tmp', faults: 3 }, '[warpfs] option faults: 3 is not an object of options'],
  [{ root: '/tmp', faults: { call: 0, error: 'EIO' } }, '[warpfs] option faults.call: 0 is not a whole number from 1 to 4294967295'],
  [{ root: '/tmp', faults: { call: 1, error: 'EFAULT' } }, '[warpfs] option faults.error: "EFAULT" is not one of EIO, ENOSPC, EDQUOT, EINTR, short'],
  [{ root: '/tmp', faults: { call: 1, error: 'EIO', forgood: true } }, '[warpfs] option faults.forgood does not exist; did you mean faults.forGood?'],
  [{ root: '/tmp', faults: { call: 1, error: 'EIO', kinds: ['mmap'] } }, '[warpfs] option faults.kinds: ["mmap"] is not a list of some of read, write, sync, open, truncate, stat, unlink, rename, touch'],
  [{ root: '/tmp', faults: { call: 1, error: 'short', kinds: ['sync'] } }, '[warpfs] option faults.kinds: ["sync"] does not go with option faults.error "short": only read and write move bytes'],
  [{ root: '/tmp', faults: { call: 1, error: 'EINTR', forGood: true } }, '[warpfs] option faults.forGood: true does not go with option faults.error "EINTR": interrupted calls are made again until they are through'],
  [{ root: '/tmp', faults: { call: 1, error: 'EIO' }, check: true }, '[warpfs] option faults: {"call":1,"error":"EIO","forGood":false} does not go with option check: check.faults are its faults'],
  [{ root: '/tmp', ring: { zebra: 1 } }, '[warpfs] option ring.zebra does not exist; known: count, slots'],
])('%j is refused', (options, message) => {
  expect(messageOf(options)).toBe(message);
});

test('the root must be a folder that exists', () => {
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-options-'));
  try {
    writeFileSync(join(folder, 'file'), '');
    expect(() => checkRoot(folder)).not.toThrow();
    expect(() => checkRoot(join(folder, 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' }) as Error);
    expect(() => checkRoot(join(folder, 'file'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }) as Error);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
