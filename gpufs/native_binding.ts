// The boundary to the native addon: its interface, word for word, and the loader. Nothing else loads a .node file.
import { createRequire } from 'node:module';
import { isAbsolute, join, resolve } from 'node:path';
import { ABI_HASH } from '../native/abi/abi.ts';
import { WarpfsError } from './errors.ts';
import type { NativeCheckConfig, NativeExploration, NativeExploreLimits, NativeFinding, NativeScenario } from './native_check.ts';
import type { NativeCudaProbe, NativeYardstick, NvrtcRequest, NvrtcResult } from './native_cuda.ts';
import type { MetalCompression, NativeLoads, NativeLoadsConfig } from './native_loads.ts';
import type { NativeMetalMachine, NativeMetalProbe, NativeMetalSelfTest, NativeMetalSight } from './native_metal.ts';
import type { NativeMediumLoad, NativeMediumLoadResult, NativeMediumProfile, NativeMediumReport } from './native_medium.ts';
import { packageRoot } from './package_root.ts';

export type * from './native_check.ts';
export type * from './native_cuda.ts';
export type * from './native_loads.ts';
export type * from './native_medium.ts';
export type * from './native_metal.ts';

export interface NativeBinding {
  abiHash(): number;
  mount(config: NativeMountConfig): NativeMount;
  /** The same on a thread of its own: for devices that take long. Not for check mode. */
  mountLater(config: NativeMountConfig): Promise<NativeMount>;
  host(): NativeHost;
  /** The yardstick of the benchmarks: one thread that preads random pages and checks every word. Blocks until it is done. */
  preadLoop(loop: NativePreadLoop): NativeLoopResult;
  /** The same for the file benchmarks, see native/host/plain_loop.h: reads in order, random writes and fdatasync, opens and closes. */
  plainReads(loop: NativePlainLoop): NativeLoopResult;
  plainWrites(loop: NativePlainLoop): NativeLoopResult;
  plainOpens(loop: NativePlainLoop): NativeLoopResult;
  /** Reads or writes pieces of a file one after another, on a thread of Node's pool, each at its position in the buffer: 0, or -errno. */
  transferPieces(fd: number, writes: boolean, offsets: BigUint64Array, lengths: Uint32Array, positions: BigUint64Array, buffer: Uint8Array): Promise<number>;
  /** The first bytes of a file, shared with it. Whoever stores there must have said so. */
  mapFile(fd: number, bytes: number, writes: boolean, advice: MapAdvice): ArrayBuffer;
  /** Afterwards the array has no bytes: nothing may be running that uses it. */
  unmapFile(mapping: ArrayBuffer): void;
  /** Asks the host to forget what it has of a file in memory: the share of it that stays there all the same. */
  dropPages(fd: number): number;
  /** Loads without a mount. Throws where the file cannot be opened, and 'mtlio' where there is no Metal. */
  loads(config: NativeLoadsConfig): NativeLoads;
  /** Makes a file that 'mtlio' can read with this compression. Blocks until it is done. */
  compressForMetal(from: string, to: string, compression: MetalCompression): void;
  /** The host's side of a design that WarpFS is compared with: native/host/peer/host_peer.h. */
  peer(config: NativePeerConfig): NativePeer;
  /** A load on the model of a medium, without a mount and without waiting. */
  mediumLoad(profile: NativeMediumProfile, load: NativeMediumLoad): NativeMediumLoadResult;
  /** Runs a scenario under many schedules. `config` must have `check`. */
  explore(config: NativeMountConfig, scenario: NativeScenario, limits: NativeExploreLimits): Promise<NativeExploration>;
  /** The verdict on one litmus program under each forward progress model, by the names of progress-litmus.json. */
  progressLitmus(threads: string[][]): Record<string, 'PASS' | 'FAIL'>;
  /** What there is of NVIDIA's driver, GPUs and compiler. Never throws; the first call loads and initialises them, the others are quick. */
  cudaProbe(): NativeCudaProbe;
  /** What there is of Metal. Never throws. */
  metalSight(): NativeMetalSight;
  /** The same, in words for a report. */
  metalMachine(): NativeMetalMachine;
  /** Beside Node's thread. `told`: each probe when it begins and when it has ended; it must not throw. Rejects where there is no Metal. */
  metalSelfTest(test: NativeMetalSelfTest, told: (probe: NativeMetalProbe) => void): Promise<void>;
  /** What ended the driver's work for this process: native/host/cuda/process_refusal.h. '' while there was nothing. */
  cudaRefusal(): string;
  /** Blocks until this child process has ended, and leaves its end to be told to whoever started it. */
  waitForChild(pid: number): void;
  /** Beside Node's thread. Without NVRTC the result is not ok. */
  nvrtcCompile(request: NvrtcRequest): Promise<NvrtcResult>;
  /** What plain kernels reach on a GPU. `cubin`: path of the compiled yardsticks. Nothing is done before the first measurement. */
  cudaYardstick(config: { deviceIndex: number; cubin: string }): NativeYardstick;
}

export interface NativePeerConfig {
  kind: 'nvme' | 'copilot' | 'gpufs' | 'cam';
  /** Of the kind: numbers by name. */
  shape: Readonly<Record<string, number>>;
  /** Stays open until the peer is closed. */
  fd: number;
  shared: Uint8Array;
  data: Uint8Array;
  readsMove: boolean;
  writesMove: boolean;
  threads: number;
  medium?: NativeMediumProfile;
}

export interface NativePeer {
  /** The threads poll between these two; the second blocks until all that was taken is told. */
  begin(): void;
  end(): void;
  medium(): NativeMediumReport | undefined;
  close(): void;
}

export const mapAdvices = ['normal', 'random', 'sequential', 'willneed', 'populate'] as const;
export type MapAdvice = (typeof mapAdvices)[number];

export interface NativePreadLoop {
  path: string;
  pages: number;
  pageBytes: number;
  reads: number;
  seed: number;
  start: number;
}

export interface NativePlainLoop {
  path: string;
  pages: number;
  pageBytes: number;
  seed: number;
  /** Writes, or opens. */
  count: number;
  start: number;
  /** That read, each its own stretch. */
  threads: number;
  /** Of those that are compared; 1: every word. */
  wordsApart: number;
}

export interface NativeLoopResult {
  nanoseconds: number;
  wrongWords: number;
}

export interface NativeHost {
  cores: number;
  /** What the probe for io_uring said: URING_WORKS, or what stands in its way. */
  uring: string;
  /** What 'auto' locks the threads of a daemon in with, or `none: why`. */
  sandbox: string;
}

export const URING_WORKS = 'works';

export interface NativeMountConfig {
  root: string;
  device: 'cpu' | 'cuda' | 'metal';
  /** Not on the cpu device: absolute path of the built-in kernels, a cubin or a text. */
  builtin?: string;
  /** The same: one launch may take so long; 0: no bound. */
  kernelTimeMs?: number;
  /** On the cuda device, and there alone. */
  deviceIndex?: number;
  /** The same: one kernel runs at a time. */
  serial?: boolean;
  /** The same. */
  fill?: 'auto' | 'pull' | 'push' | 'map';
  /** The same; absent: half of the memory. */
  windowBytesMax?: number;
  readOnly: boolean;
  wait: 'spin' | 'replay';
  policy: number;
  lineCount: number;
  lineBytes: number;
  ringCount: number;
  ringSlots: number;
  slotCount: number;
  fileCount: number;
  daemonThreads: number;
  io: 'auto' | 'pread' | 'uring' | 'mtlio';
  maxFileBytes?: number;
  maxDirtyBytes?: number;
  waitMs: number;
  workers: number;
  /** Absent under check, where no threads serve. */
  sandbox?: 'auto' | 'required' | 'off';
  /** Absent: every call of the host is made as it is. */
  fault?: NativeFault;
  /** Absent: raw, nothing is shaped. */
  medium?: NativeMediumProfile;
  /** Absent: an ordinary device, whose accesses nobody orders or watches. */
  check?: NativeCheckConfig;
}

/** In the order of CallKind in native/host/call_log.h. */
export const hostCallKinds = ['read', 'write', 'sync', 'open', 'truncate', 'stat', 'unlink', 'rename', 'touch'] as const;
export type HostCallKind = (typeof hostCallKinds)[number];

export interface NativeFault {
  call: number;
  error: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EINTR' | 'short';
  forGood: boolean;
  /** Bit 1 << i for the i-th of hostCallKinds. */
  kinds: number;
}

export interface NativeDispatch {
  /** Absolute path of a compiled kernel; '' is the built-in kernel that runs programs. */
  module: string;
  items: number;
  groupWarps: number;
  groupMemoryBytes: number;
  /** The items wait for each other, so all of them must be resident at once. */
  allResident: boolean;
  /** The kernel's own buffers, read and written in place. */
  buffers: Uint8Array[];
  /** Indices of those that stand for memory that lasts. */
  memories?: number[];
  /** So many of them, the first, are only read: a device with memory of its own need not bring them back. */
  inputs?: number;
  /** The others, before it: they need not be brought there. */
  outputsAreZero?: boolean;
}

export interface NativeDispatchResult {
  failedItems: number;
  failures: { item: number; errno: number }[];
  laneValues: [number, number];
  nanoseconds: number;
  rounds: number;
  /** On a mount with `check`: what was wrong. */
  finding?: NativeFinding;
}

export interface NativeMountDescription {
  engine: string;
  engineNote: string;
  /** How bytes of files get into the lines, and why not otherwise. */
  fill: string;
  workers: number;
  residentWarps: number;
  lineBytesTotal: number;
  overheadBytes: number;
  hostOpens: number;
  requestsServed: number;
  requestsRefused: number;
  sandbox: string;
  /** Calls about files and names since a fault was asked for; nobody counts them before. */
  hostCalls: number;
  /** Those of them that were made to fail. */
  hostFaults: number;
  /** With a medium: how it kept its times. */
  medium?: NativeMediumReport;
  /** In which process the mount is, and why; absent: in this one. Then the rest is as it was when its last call ended. */
  process?: string;
}

/** See native/host/kernel_memory.h. */
export interface NativeMemoryRequest {
  bytes: number;
  host: boolean;
  file: string;
  writes: boolean;
}

export interface NativeMount {
  /** Absent in a mount of another process. Rejects on a device without memory of its own. */
  placeMemory?(request: NativeMemoryRequest): Promise<{ buffer: ArrayBuffer; visible: boolean }>;
  /** The buffer has no bytes any more at once. */
  freeMemory?(buffer: ArrayBuffer): Promise<void>;
  /** Beside whatever runs. */
  copyMemory?(from: ArrayBuffer, to: ArrayBuffer, bytes: number): Promise<void>;
  /** Makes a module of dispatches ready, where that takes long or can fail. Absent in check mode. */
  load?(module: string): Promise<void>;
  dispatch(dispatch: NativeDispatch): Promise<NativeDispatchResult>;
  /** 0, or -errno. */
  sync(): Promise<number>;
  /** The same; where it is negative everything stays mounted, unless the bytes that could not be written are to be discarded. */
  unmount(discard: boolean): Promise<number>;
  /** In the order of COUNTERS. */
  stats(): BigUint64Array;
  describe(): NativeMountDescription;
  /** For tests; null: nothing fails any more. Not on a mount with `check`. */
  setFault(fault: NativeFault | null): void;
}

export interface LoadedBinding {
  path: string;
  binding: NativeBinding;
}

export function bindingCandidates(environment: NodeJS.ProcessEnv = process.env): string[] {
  const override = environment['WARPFS_NATIVE'];
  const built = ['RelWithDebInfo', 'Release'].map((config) => join(packageRoot, 'build', config, 'warpfs.node'));
  if (override === undefined || override === '') return built;
  // Who names a file wants that file: another one in its place would hide the mistake.
  return [isAbsolute(override) ? override : resolve(override)];
}

/** Loads the first candidate that exists and belongs to this version; else one error that lists every attempt. */
export function loadBindingFrom(candidates: readonly string[], load: (path: string) => unknown): LoadedBinding {
  const attempts: string[] = [];
  for (const path of candidates) {
    try {
      const binding = load(path) as NativeBinding;
      const hash = binding.abiHash();
      if (hash === ABI_HASH) return { path, binding };
      attempts.push(`${path}: built from another schema (its ABI hash is ${hex(hash)}, this version needs ${hex(ABI_HASH)})`);
    } catch (error) {
      attempts.push(`${path}: ${reasonOf(error)}`);
    }
  }
  throw new WarpfsError(
    'ERR_WARPFS_NO_NATIVE',
    `no usable native addon for ${process.platform}-${process.arch}:\n${attempts.map((line) => `  ${line}`).join('\n')}\n` +
      'Fix: npm run build:native (needs CMake 3.20 or newer and a C++20 compiler)',
  );
}

let loaded: LoadedBinding | undefined;

export function loadNativeBinding(): LoadedBinding {
  loaded ??= loadBindingFrom(bindingCandidates(), createRequire(import.meta.url));
  return loaded;
}

export function hex(hash: number): string {
  return `0x${(hash >>> 0).toString(16).padStart(8, '0')}`;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'MODULE_NOT_FOUND') return 'no such file';
  return String(message ?? error).split('\n')[0] ?? '';
}
