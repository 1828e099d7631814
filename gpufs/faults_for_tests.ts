// A mount whose faults can be switched on and off while it is mounted.
import { checkFault, type FaultOptions, faultSchema, nativeFault } from './fault_options.ts';
import { type Mount, type MountSettings, mountWith } from './mount.ts';
import { loadNativeBinding, type NativeMount } from './native_binding.ts';
import type { MountOptions } from './options.ts';

export interface FaultyMount {
  fs: Mount;
  /** Counts the calls from 1 again. */
  inject: (fault: FaultOptions) => void;
  lift: () => void;
}

export async function mountForFaults(options: MountOptions, settings: MountSettings = {}): Promise<FaultyMount> {
  const made: NativeMount[] = [];
  const fs = await mountWith(() => loadNativeBinding().binding, options, { ...settings, onNative: (native) => made.push(native) });
  const [native] = made;
  if (native === undefined) throw new Error('a mount has no native part');
  return {
    fs,
    inject(fault) {
      const resolved = faultSchema.parse(fault);
      checkFault(resolved);
      native.setFault(nativeFault(resolved));
    },
    lift: () => native.setFault(null),
  };
}
