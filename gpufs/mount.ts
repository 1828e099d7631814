// A mount: one root folder, one cache, one device.
import { type Counters, countersFromWords } from '../cache/counters.ts';
import { CallQueue } from './call_queue.ts';
import { checkError } from './check/check_error.ts';
import { withoutFolders } from './check/symbolize.ts';
import { compileCudaBuiltin, type CudaBuiltinSettings } from './cuda_kernels.ts';
import { checkSerial, serialReason } from './cuda_serial.ts';
import { cudaArch } from './cuda_sight.ts';
import { chooseDevice, type DeviceChoice, sightsOf } from './device_choice.ts';
import { type DispatchReport, dispatchError, makeReport } from './dispatch_report.ts';
import { errnoError, fromNative, WarpfsError } from './errors.ts';
import { checkResident, type CudaTarget, type Kernel, type KernelHost, makeKernel } from './kernel.ts';
import { storeMetalBuiltin } from './metal_kernels.ts';
import type { InputTypes, KernelDefinition, OutputTypes } from './kernel_definition.ts';
import { checkMemory, type FileMemoryOptions, KernelMemory, type MemoryOptions, placeInHost, placeOnDevice } from './kernel_memory.ts';
import { titleOf } from './media/media.ts';
import { makeNativeMount, type PlaceSettings } from './mount_place.ts';
import {
  loadNativeBinding,
  type NativeBinding,
  type NativeCudaDevice,
  type NativeDispatch,
  type NativeDispatchResult,
  type NativeMount,
  type NativeMountDescription,
} from './native_binding.ts';
import type { NativeFinding } from './native_check.ts';
import { nativeConfig, policyNumber } from './native_config.ts';
import { checkRoot, type DeviceName, type MountOptions, type ResolvedOptions, resolveOptions, type WaitName } from './options.ts';
import { checkPrograms, hasBarrier } from './program_check.ts';
import { decodeResults, encodePrograms, firstUnreached, PROGRAM_INPUTS } from './program_encode.ts';
import type { Program, ResultsOf } from './program.ts';

// Node 20 knows the symbol; where a runtime does not, `await using` looks for it under this name.
(Symbol as { asyncDispose?: symbol }).asyncDispose ??= Symbol.for('Symbol.asyncDispose');

export interface DeviceInfo {
  name: DeviceName;
  wait: WaitName;
  workers: number;
  residentWarps: number;
  /** What serves the files on the host. */
  engine: string;
  engineNote: string;
  /** What the threads that serve the files are locked in by, as 'landlock 7 + seccomp', or 'none: why'. */
  sandbox: string;
  /** What says that one kernel runs at a time on this GPU, as a tool wants it; absent: kernels run beside what serves them. */
  serial?: string | undefined;
  /** What the storage is made to be like; 'raw': it is as it is. `mount.describe().medium` says how well that goes. */
  medium: string;
  /** How bytes of files get into the lines of the cache. What is in use changes: `mount.describe()` has it as it is now. */
  fill: string;
  /** In which process the mount is, and why; absent: in this one. Anywhere else its inputs and outputs are copied from one to the other. */
  process?: string | undefined;
  /** Why `device: 'auto'` did not take the devices before this one. */
  notTaken: { name: DeviceName; reason: string }[];
}

export type MountDescription = NativeMountDescription;

export interface RunOptions {
  /** Called with the time on the device, before the promise resolves. */
  onReport?: (report: DispatchReport) => void;
}

export interface UnmountOptions {
  /** Lets go of everything even where bytes could not be written: they are lost. */
  discard?: boolean;
}

/** Its disposal unmounts. Where that fails it discards, so that nothing is left behind, and rejects with the error. */
export interface Mount extends AsyncDisposable {
  readonly options: Readonly<ResolvedOptions>;
  readonly device: Readonly<DeviceInfo>;
  /** Runs one list of operations per warp; the results have the shape of the programs. */
  run<const Programs extends readonly Program[]>(programs: Programs, options?: RunOptions): Promise<ResultsOf<Programs>>;
  /** Compiles a kernel, or finds it compiled. */
  kernel<const Inputs extends InputTypes = Record<never, never>, const Outputs extends OutputTypes = Record<never, never>>(
    definition: KernelDefinition<Inputs, Outputs>,
  ): Promise<Kernel<Inputs, Outputs>>;
  /** Memory that kernels of this mount share from dispatch to dispatch: an input of type `memory`. */
  memory(options: MemoryOptions | FileMemoryOptions): Promise<KernelMemory>;
  /** Hits, misses, requests and the rest, since the mount. */
  stats(): Counters;
  describe(): MountDescription;
  /** Writes every dirty byte back; rejects with the errno of the first that could not be. */
  sync(): Promise<void>;
  /**
   * Waits for what runs, writes back, and lets go of everything; further calls do nothing more. Rejects with the errno of the first bytes
   * that could not be written: then everything stays mounted and usable, to be unmounted again once the cause is gone. With `discard` it
   * lets go all the same, and rejects so that the loss is known. A mount with `check` that has shown a finding runs nothing more: it lets go
   * of everything, and says nothing that could hide the finding.
   */
  unmount(options?: UnmountOptions): Promise<void>;
}

export async function mount(options: MountOptions): Promise<Mount> {
  return mountWith(() => loadNativeBinding().binding, options);
}

/** What is compiled, where it is kept, and which process the mount is in can be other than usual: for tests. */
export type MountSettings = CudaBuiltinSettings & PlaceSettings;

/** The binding is asked for after the options are checked: a wrong option is said even where there is no addon. */
export async function mountWith(binding: () => NativeBinding, options: MountOptions, settings: MountSettings = {}): Promise<Mount> {
  const wanted = resolveOptions(options);
  checkRoot(wanted.root);
  const failed: DeviceChoice['notTaken'] = [];
  for (;;) {
    const choice = chooseDevice(wanted, sightsOf(binding(), settings.environment), failed);
    const resolved = resolveOptions(options, choice.name);
    try {
      return await mountOn(choice, binding(), resolved, settings);
    } catch (error) {
      const failure = fromNative(`mount ${resolved.root}`, error);
      // An option that is wrong there is no failure of the device: who runs a tool for GPUs is to be told, and not to get the cpu device.
      if (choice.name === 'cpu' || isNamed(wanted) || failure.code === 'ERR_WARPFS_OPTION') throw failure;
      failed.push({ name: choice.name, reason: failure.message.replace(/^\[warpfs\] /, '') });
    }
  }
}

/** Whoever asks for a GPU in one way or another gets no other device in its place. */
function isNamed({ device, deviceIndex, fill }: ResolvedOptions): boolean {
  return device !== 'auto' || deviceIndex !== 0 || fill !== 'auto';
}

async function mountOn(choice: DeviceChoice, native: NativeBinding, resolved: ResolvedOptions, settings: MountSettings): Promise<Mount> {
  // Under check there is one thread: the order of everything is the scheduler's.
  const workers = resolved.workers ?? (resolved.check === undefined ? native.host().cores : 1);
  if (choice.name === 'metal') return mountOnMetal(choice, native, resolved, workers, settings);
  if (choice.name !== 'cuda') {
    return new NativeBackedMount(await makeNativeMount(native, nativeConfig(resolved, workers), settings), { binding: native, options: resolved, choice, settings });
  }
  const serial = serialReason(settings.environment);
  checkSerial(serial, resolved.wait);
  const device = native.cudaProbe().devices[resolved.deviceIndex] as NativeCudaDevice; // chosen, so it is there
  const cuda = { arch: cudaArch(device), binding: native };
  // A tool says in which line something is wrong.
  const variant = { arch: cuda.arch, policy: policyNumber(resolved.cache.policy), replay: resolved.wait === 'replay', lineInfo: serial !== undefined };
  const builtin = await compileCudaBuiltin(variant, { ...settings, binding: native });
  const config = nativeConfig(resolved, workers, { cuda: { builtin: builtin.module, serial: serial !== undefined } });
  return new NativeBackedMount(await makeNativeMount(native, config, settings), { binding: native, options: resolved, choice, settings, cuda, serial });
}

async function mountOnMetal(choice: DeviceChoice, binding: NativeBinding, options: ResolvedOptions, workers: number, settings: MountSettings): Promise<Mount> {
  const builtin = await storeMetalBuiltin({ policy: policyNumber(options.cache.policy), replay: options.wait === 'replay' }, settings);
  const native = await makeNativeMount(binding, nativeConfig(options, workers, { metal: { builtin: builtin.module } }), settings);
  return new NativeBackedMount(native, { binding, options, choice, settings });
}

interface MountParts {
  binding: NativeBinding;
  options: ResolvedOptions;
  choice: DeviceChoice;
  settings: MountSettings;
  cuda?: CudaTarget;
  serial?: string | undefined;
}

class NativeBackedMount implements Mount {
  readonly options: ResolvedOptions;
  readonly device: DeviceInfo;
  readonly #binding: NativeBinding;
  readonly #native: NativeMount;
  readonly #settings: MountSettings;
  readonly #queue = new CallQueue();
  readonly #memories: KernelMemory[] = [];
  readonly #kernelHost: KernelHost;
  /** Undefined while this is mounted and nobody wants it to be otherwise. */
  #unmounting: Promise<void> | undefined;
  #gone = false;
  /** What check mode saw; afterwards nothing is as it should be. */
  #finding: NativeFinding | undefined;

  constructor(native: NativeMount, { binding, options, choice, settings, cuda, serial }: MountParts) {
    const { engine, engineNote, sandbox, fill, process, workers, residentWarps } = native.describe();
    this.#binding = binding;
    this.#native = native;
    this.#settings = settings;
    this.options = options;
    const { name, notTaken } = choice;
    this.device = { name, wait: options.wait, workers, residentWarps, engine, engineNote, sandbox, serial, medium: titleOf(options.medium), fill, process, notTaken };
    this.#kernelHost = {
      policy: options.cache.policy,
      wait: options.wait,
      residentWarps,
      check: options.check,
      cuda,
      metal: name === 'metal' ? (module) => this.#load(module) : undefined,
      dispatch: (dispatch) => this.#dispatch('dispatch', dispatch),
    };
  }

  async run<const Programs extends readonly Program[]>(programs: Programs, options: RunOptions = {}): Promise<ResultsOf<Programs>> {
    this.#mustBeMounted();
    checkPrograms(programs);
    if (programs.length === 0) return [] as unknown as ResultsOf<Programs>;
    const allResident = hasBarrier(programs);
    if (allResident) checkResident('run', programs.length, this.device);
    const encoded = encodePrograms(programs);
    const native = await this.#dispatch('run', {
      module: '',
      items: programs.length,
      groupWarps: 1,
      groupMemoryBytes: 0,
      allResident,
      buffers: encoded.buffers,
      inputs: PROGRAM_INPUTS,
    });
    const report = makeReport(programs.length, native);
    options.onReport?.(report);
    // A step that failed says so in its result. Only a warp that could not go on is an error of the run.
    const unreached = firstUnreached(programs, encoded);
    if (unreached !== undefined) throw dispatchError(`run: ${unreached} was not reached`, report, native);
    return decodeResults(programs, encoded);
  }

  async kernel<const Inputs extends InputTypes, const Outputs extends OutputTypes>(
    definition: KernelDefinition<Inputs, Outputs>,
  ): Promise<Kernel<Inputs, Outputs>> {
    this.#mustBeMounted();
    return makeKernel(this.#kernelHost, definition, this.#settings);
  }

  async memory(options: MemoryOptions | FileMemoryOptions): Promise<KernelMemory> {
    this.#mustBeMounted();
    checkMemory(options);
    try {
      const placed = await (this.device.name === 'cpu' ? placeInHost(this.#binding, options) : placeOnDevice(this.#native, options));
      const memory = new KernelMemory(options.bytes, placed);
      this.#memories.push(memory);
      return memory;
    } catch (error) {
      throw fromNative('memory', error);
    }
  }

  stats(): Counters {
    this.#mustBeMounted();
    return countersFromWords(this.#native.stats());
  }

  describe(): MountDescription {
    this.#mustBeMounted();
    return this.#native.describe();
  }

  async sync(): Promise<void> {
    this.#mustBeMounted();
    await this.#queue.add(() => {
      this.#mustBeSound('sync');
      return this.#checked('sync', () => this.#native.sync());
    });
  }

  async unmount({ discard = false }: UnmountOptions = {}): Promise<void> {
    if (this.#gone) return;
    if (this.#unmounting === undefined) this.#unmounting = this.#queue.add(() => this.#letGo(discard));
    else if (discard) return this.#unmounting.catch(() => this.unmount({ discard }));
    await this.#unmounting;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.unmount();
    } catch (error) {
      await this.unmount({ discard: true }).catch(() => undefined); // nobody could call it later
      throw error;
    }
  }

  async #letGo(discard: boolean): Promise<void> {
    for (const memory of this.#memories.splice(0)) memory.free();
    if (this.#finding !== undefined) {
      this.#gone = true;
      await this.#native.unmount(true);
      return;
    }
    try {
      await this.#checked(`unmount ${this.options.root}`, () => this.#native.unmount(discard));
      this.#gone = true;
    } catch (error) {
      this.#gone = discard;
      if (!discard) this.#unmounting = undefined;
      throw error;
    }
  }

  async #load(module: string): Promise<void> {
    this.#mustBeMounted();
    if (this.#native.load === undefined) throw new WarpfsError('ERR_WARPFS_DEVICE', 'kernel: this mount cannot load kernels of the metal device');
    await this.#native.load(module);
  }

  async #dispatch(what: string, dispatch: NativeDispatch): Promise<NativeDispatchResult> {
    this.#mustBeMounted();
    const result = await this.#queue.add(async () => {
      this.#mustBeSound(what);
      try {
        const done = await this.#native.dispatch(dispatch);
        this.#finding = done.finding;
        return done;
      } catch (error) {
        throw fromNative(what, error);
      }
    });
    if (result.finding !== undefined) throw await checkError(what, result.finding, this.options.check);
    return result;
  }

  async #checked(what: string, call: () => Promise<number>): Promise<void> {
    let result: number;
    try {
      result = await call();
    } catch (error) {
      throw fromNative(what, error);
    }
    if (result < 0) throw errnoError(what, result);
  }

  #mustBeSound(what: string): void {
    if (this.#finding === undefined) return;
    const { kind, message } = this.#finding;
    throw new WarpfsError('ERR_WARPFS_CHECK', `${what}: this mount has shown a finding and runs nothing more (${kind}: ${withoutFolders(message)})`, { finding: this.#finding });
  }

  #mustBeMounted(): void {
    if (this.#unmounting === undefined) return;
    throw new WarpfsError('ERR_WARPFS_UNMOUNTED', `${this.options.root} is unmounted`);
  }
}
