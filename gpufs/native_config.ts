// The options of a mount in the words of the addon.
import { Policy } from '../native/abi/abi.ts';
import { nativeCheckConfig } from './check_options.ts';
import { nativeFault } from './fault_options.ts';
import { profileOf } from './media/media.ts';
import { nativeProfile } from './media/native_profile.ts';
import type { NativeMountConfig } from './native_binding.ts';
import type { PolicyName, ResolvedOptions } from './options.ts';

export interface CudaConfig {
  /** Path of the compiled built-in kernels. */
  builtin: string;
  serial: boolean;
}

export interface MetalConfig {
  /** Path of the text of the built-in kernels. */
  builtin: string;
}

/** Neither: on the cpu device, which has its built-in kernels in the addon. */
export function nativeConfig(options: ResolvedOptions, workers: number, { cuda, metal }: { cuda?: CudaConfig; metal?: MetalConfig } = {}): NativeMountConfig {
  const medium = profileOf(options.medium);
  return {
    root: options.root,
    ...(cuda !== undefined ? cudaConfig(options, cuda) : metal !== undefined ? { device: 'metal', builtin: metal.builtin, kernelTimeMs: options.kernelTimeMs } : { device: 'cpu' }),
    readOnly: options.readOnly,
    wait: options.wait,
    policy: policyNumber(options.cache.policy),
    lineCount: options.cache.lines,
    lineBytes: options.cache.lineBytes,
    ringCount: options.ring.count,
    ringSlots: options.ring.slots,
    slotCount: options.residentWarps,
    fileCount: options.maxOpenFiles,
    daemonThreads: options.daemon.threads,
    io: options.daemon.io,
    ...(options.maxFileBytes === undefined ? {} : { maxFileBytes: options.maxFileBytes }),
    ...(options.maxDirtyBytes === undefined ? {} : { maxDirtyBytes: options.maxDirtyBytes }),
    waitMs: options.timeoutMs,
    workers,
    ...(medium === undefined ? {} : { medium: nativeProfile(medium) }),
    ...(options.faults === undefined ? {} : { fault: nativeFault(options.faults) }),
    ...(options.check === undefined ? { sandbox: options.sandbox } : { check: nativeCheckConfig(options.check) }),
  };
}

function cudaConfig({ deviceIndex, kernelTimeMs, fill, windowBytes }: ResolvedOptions, { builtin, serial }: CudaConfig) {
  return { device: 'cuda' as const, deviceIndex, builtin, serial, kernelTimeMs, fill, ...(windowBytes === undefined ? {} : { windowBytesMax: windowBytes }) };
}

export function policyNumber(policy: PolicyName): number {
  return policy === 'fifo' ? Policy.FIFO : Policy.CLOCK;
}
