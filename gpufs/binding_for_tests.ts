// A native binding for tests: it runs programs on files in memory, one warp after the other, and records what it was asked.
import { COUNTERS, ERRNO, ABI_HASH, OPEN_TRUNCATE, ProgramOp, ProgramResult, ProgramStep, ProgramWarp } from '../native/abi/abi.ts';
import type {
  NativeBinding,
  NativeCudaProbe,
  NativeDispatch,
  NativeDispatchResult,
  NativeExploration,
  NativeExploreLimits,
  NativeMountConfig,
  NativeScenario,
  NativeYardstickRequest,
  NvrtcRequest,
} from './native_binding.ts';

interface FilesForTests {
  files: Map<string, Uint8Array>;
  /** The path behind each handle. */
  opened: string[];
}

export interface BindingForTests extends NativeBinding, FilesForTests {
  configs: NativeMountConfig[];
  dispatches: NativeDispatch[];
  /** What the next dispatches answer instead of running. */
  answer: ((dispatch: NativeDispatch) => Partial<NativeDispatchResult> | Promise<Partial<NativeDispatchResult>>) | undefined;
  unmountResult: number;
  /** What a mount with this configuration throws; undefined: nothing. */
  refuse: ((config: NativeMountConfig) => Error | undefined) | undefined;
  /** What each unmount was told about discarding. */
  unmounts: boolean[];
  explorations: { config: NativeMountConfig; scenario: NativeScenario; limits: NativeExploreLimits }[];
  /** What this machine has for NVIDIA's GPUs: nothing, unless a test says otherwise. */
  cuda: NativeCudaProbe;
  nvrtcRequests: NvrtcRequest[];
  yardsticks: NativeYardstickRequest[];
  /** What is different from a run in which all schedules end alike. */
  explored: ((scenario: NativeScenario, limits: NativeExploreLimits, config: NativeMountConfig) => Partial<NativeExploration>) | undefined;
}

const fine: NativeDispatchResult = { failedItems: 0, failures: [], laneValues: [0, 0], nanoseconds: 1000, rounds: 1 };

export function bindingForTests(): BindingForTests {
  const binding: BindingForTests = {
    files: new Map(),
    opened: [],
    configs: [],
    dispatches: [],
    answer: undefined,
    refuse: undefined,
    unmountResult: 0,
    unmounts: [],
    explorations: [],
    explored: undefined,
    cuda: { driver: { found: false, reason: 'no driver in a test' }, devices: [], nvrtc: { found: false, reason: 'no NVRTC in a test' } },
    nvrtcRequests: [],
    yardsticks: [],
    abiHash: () => ABI_HASH,
    metalSight: () => ({ obstacle: 'no Metal in a test', name: '', memoryBytes: 0 }),
    metalMachine: () => ({ gpu: '', system: '', memoryBytes: 0, bufferBytesMax: 0, appleFamily: 0, paravirtual: false, fake: false }),
    metalSelfTest: async () => Promise.reject(new Error('no Metal in a test')),
    host: () => ({ cores: 2, uring: 'not probed', sandbox: 'none: not probed' }),
    preadLoop: () => ({ nanoseconds: 1, wrongWords: 0 }),
    plainReads: () => ({ nanoseconds: 1, wrongWords: 0 }),
    plainWrites: () => ({ nanoseconds: 1, wrongWords: 0 }),
    plainOpens: () => ({ nanoseconds: 1, wrongWords: 0 }),
    transferPieces: async () => 0,
    mapFile: (_fd, bytes) => new ArrayBuffer(bytes),
    unmapFile: () => undefined,
    dropPages: () => 0,
    loads: ({ bytes }) => ({ memory: new ArrayBuffer(bytes), load: async () => 1 }),
    compressForMetal: () => undefined,
    peer: () => ({ begin: () => undefined, end: () => undefined, medium: () => undefined, close: () => undefined }),
    mediumLoad: () => ({ medianNs: 1, p99Ns: 1, perSecond: 1, bytesPerSecond: 1 }),
    progressLitmus: () => ({}),
    cudaProbe: () => binding.cuda,
    cudaRefusal: () => '',
    waitForChild: () => undefined,
    async nvrtcCompile(request) {
      binding.nvrtcRequests.push(request);
      const { found, reason } = binding.cuda.nvrtc;
      return found ? { ok: true, log: '', cubin: new TextEncoder().encode('a cubin') } : { ok: false, log: reason };
    },
    cudaYardstick: () => ({
      async measure(request) {
        binding.yardsticks.push(request);
        return { nanoseconds: 1000, wrongWords: 0, pieces: request.count, blocks: request.blocks };
      },
      close: () => undefined,
    }),
    async explore(config, scenario, limits) {
      binding.explorations.push({ config, scenario, limits });
      return { ...exploreOnce(scenario, limits), ...binding.explored?.(scenario, limits, config) };
    },
    mountLater: async (config) => binding.mount(config),
    mount(config) {
      binding.configs.push(config);
      const refusal = binding.refuse?.(config);
      if (refusal !== undefined) throw refusal;
      return {
        async dispatch(dispatch) {
          binding.dispatches.push(dispatch);
          if (binding.answer !== undefined) return { ...fine, ...(await binding.answer(dispatch)) };
          if (dispatch.module === '') for (let warp = 0; warp < dispatch.items; warp++) runWarp(dispatch.buffers, warp, binding);
          return fine;
        },
        sync: async () => 0,
        unmount: async (discard) => {
          binding.unmounts.push(discard);
          return binding.unmountResult;
        },
        stats: () => BigUint64Array.from(COUNTERS, (_, index) => BigInt(index)),
        describe: () => ({
          engine: 'pread',
          engineNote: '',
          fill: config.device === 'cuda' ? 'map: 0 MiB of files are read where they lie' : 'the host reads into the lines',
          workers: config.workers,
          residentWarps: config.slotCount,
          lineBytesTotal: config.lineCount * config.lineBytes,
          overheadBytes: config.lineCount * 40,
          hostOpens: 0,
          requestsServed: 0,
          requestsRefused: 0,
          sandbox: 'none: nothing is served',
          hostCalls: 0,
          hostFaults: 0,
        }),
        setFault: () => undefined,
      };
    },
  };
  return binding;
}

/** A machine with one H200. `library`: a file that stands for NVRTC. */
export function cudaForTests(library: string): NativeCudaProbe {
  return {
    driver: { found: true, path: '/lib/libcuda.so.1', version: '13.0', reason: '' },
    devices: [{ index: 0, name: 'NVIDIA H200', computeMajor: 9, computeMinor: 0, multiprocessors: 132, memoryBytes: 150_110_011_392 }],
    nvrtc: { found: true, path: library, version: '13.0', reason: '' },
  };
}

interface StepView {
  op: number;
  target: number;
  offset: number;
  data: number;
  length: number;
  mode: number;
}

/** One schedule, which stands for all of them. The buffers of the scenario stay as they are. */
function exploreOnce(scenario: NativeScenario, { schedules, first, trace }: NativeExploreLimits): NativeExploration {
  const copies = new Map<Uint8Array, Uint8Array>();
  const copyOf = (buffer: Uint8Array): Uint8Array => {
    const copy = copies.get(buffer) ?? Uint8Array.from(buffer);
    copies.set(buffer, copy);
    return copy;
  };
  const folder: FilesForTests = { files: new Map(scenario.files.map(({ path, bytes }) => [path, Uint8Array.from(bytes)])), opened: [] };
  const order: number[] = [];
  const buffers = scenario.dispatches.map((dispatch) => {
    const own = dispatch.buffers.map(copyOf);
    for (let warp = 0; warp < dispatch.items; warp++) runWarp(own, warp, folder, order);
    return own;
  });
  const files = scenario.files.map(({ path }) => folder.files.get(path) ?? new Uint8Array(0));
  return {
    schedules, complete: schedules, blocked: 0, finished: false, steps: schedules * 10, nanoseconds: schedules * 1000, traceHash: '00000000000000aa',
    outcomes: [{ schedule: first, count: schedules, buffers, order: Uint32Array.from(order), files, failures: [], decisions: new Uint32Array(0) }],
    ...(trace ? { trace: [{ time: 1, actor: 0, name: 'atomic_load', detail: '', value: 3 }] } : {}),
  };
}

function runWarp(buffers: Uint8Array[], warp: number, { files, opened }: FilesForTests, order: number[] = []): void {
  const [warps, steps, results] = buffers.map((buffer) => new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  if (warps === undefined || steps === undefined || results === undefined) throw new Error('buffers are missing');
  const data = buffers[3] as Uint8Array;
  const first = warps.getUint32(warp * ProgramWarp.bytes + ProgramWarp.firstStep, true);
  const count = warps.getUint32(warp * ProgramWarp.bytes + ProgramWarp.stepCount, true);
  const pathOf = (step: number): string | undefined => opened[results.getInt32((first + step) * ProgramResult.bytes + ProgramResult.result, true)];
  const asynchronous = new Map<number, number>();
  for (let step = 0; step < count; step++) {
    const at = (first + step) * ProgramStep.bytes;
    const view: StepView = {
      op: steps.getUint32(at + ProgramStep.op, true),
      target: steps.getUint32(at + ProgramStep.target, true),
      offset: Number(steps.getBigUint64(at + ProgramStep.offset, true)),
      data: Number(steps.getBigUint64(at + ProgramStep.data, true)),
      length: steps.getUint32(at + ProgramStep.length, true),
      mode: steps.getUint32(at + ProgramStep.mode, true),
    };
    const out = (first + step) * ProgramResult.bytes;
    if (results.getUint32(out + ProgramResult.done, true) !== 0) continue;
    let result = 0;
    if (view.op === ProgramOp.OPEN) {
      const path = new TextDecoder().decode(data.subarray(view.data, view.data + view.length));
      if ((view.mode & OPEN_TRUNCATE) !== 0) files.set(path, new Uint8Array(0));
      result = files.has(path) ? opened.push(path) - 1 : -ERRNO.ENOENT.number;
    } else if (view.op === ProgramOp.WAIT) {
      result = asynchronous.get(view.target) ?? -ERRNO.EINVAL.number;
    } else if (view.op !== ProgramOp.NOP && view.op !== ProgramOp.COMPUTE && view.op !== ProgramOp.BARRIER) {
      result = runFileStep(view, pathOf(view.target), files, data);
      if (view.op === ProgramOp.STAT && result >= 0) results.setBigUint64(out + ProgramResult.size, BigInt(files.get(pathOf(view.target) ?? '')?.length ?? 0), true);
      if (view.op === ProgramOp.READ_ASYNC || view.op === ProgramOp.WRITE_ASYNC) {
        asynchronous.set(step, result);
        result = Math.min(result, 0);
      }
    }
    results.setInt32(out + ProgramResult.result, result, true);
    results.setUint32(out + ProgramResult.done, 1, true);
    results.setBigUint64(out + ProgramResult.nanoseconds, 7n, true);
    order.push(warp, step, order.length / 3 + 1);
  }
}

function runFileStep(step: StepView, path: string | undefined, files: Map<string, Uint8Array>, data: Uint8Array): number {
  if (path === undefined) return -ERRNO.EBADF.number;
  const bytes = files.get(path) ?? new Uint8Array(0);
  if (step.op === ProgramOp.READ || step.op === ProgramOp.READ_ASYNC) {
    const found = bytes.subarray(step.offset, step.offset + step.length);
    data.set(found, step.data);
    return found.length;
  }
  if (step.op === ProgramOp.WRITE || step.op === ProgramOp.WRITE_ASYNC) {
    const grown = new Uint8Array(Math.max(bytes.length, step.offset + step.length));
    grown.set(bytes);
    grown.set(data.subarray(step.data, step.data + step.length), step.offset);
    files.set(path, grown);
    return step.length;
  }
  return 0;
}
