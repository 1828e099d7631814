// The options of a mount in the words of the addon.
import { Policy } from '../native/abi/abi.ts';
import { nativeCheckConfig } from './check_options.ts';
import { nativeFault } from './fault_options.ts';
import type { NativeMountConfig } from './native_binding.ts';
import type { PolicyName, ResolvedOptions } from './options.ts';

/** `builtin`: path of the compiled built-in kernels; undefined on the cpu device, which has them in the addon. */
export function nativeConfig(options: ResolvedOptions, workers: number, builtin?: string): NativeMountConfig {
  return {
    root: options.root,
    ...(builtin === undefined ? { device: 'cpu' } : cudaConfig(options, builtin)),
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
    ...(options.faults === undefined ? {} : { fault: nativeFault(options.faults) }),
    ...(options.check === undefined ? { sandbox: options.sandbox } : { check: nativeCheckConfig(options.check) }),
  };
}

function cudaConfig({ deviceIndex, kernelTimeMs, fill, windowBytes }: ResolvedOptions, builtin: string) {
  return { device: 'cuda' as const, deviceIndex, builtin, kernelTimeMs, fill, ...(windowBytes === undefined ? {} : { windowBytesMax: windowBytes }) };
}

export function policyNumber(policy: PolicyName): number {
  return policy === 'fifo' ? Policy.FIFO : Policy.CLOCK;
}
