// A mount whose faults can be switched on and off while it is mounted.
import { checkFault, type FaultOptions, faultSchema, nativeFault } from './fault_options.ts';
import { type Mount, mountWith } from './mount.ts';
import { loadNativeBinding, type NativeMount } from './native_binding.ts';
import type { MountOptions } from './options.ts';

export interface FaultyMount {
  fs: Mount;
  /** Counts the calls from 1 again. */
  inject(fault: FaultOptions): void;
  lift(): void;
}

export async function mountForFaults(options: MountOptions): Promise<FaultyMount> {
  let native: NativeMount | undefined;
  const binding = () => {
    const { binding: loaded } = loadNativeBinding();
    return { ...loaded, host: () => loaded.host(), mount: (config: Parameters<typeof loaded.mount>[0]) => (native = loaded.mount(config)) };
  };
  const fs = await mountWith(binding, options);
  return {
    fs,
    inject(fault) {
      const resolved = faultSchema.parse(fault);
      checkFault(resolved);
      native?.setFault(nativeFault(resolved));
    },
    lift: () => native?.setFault(null),
  };
}
