// In which process the native part of a mount is.
import type { NativeBinding, NativeMount, NativeMountConfig } from './native_binding.ts';
import { mountInOwnProcess } from './remote/remote_mount.ts';

export interface PlaceSettings {
  /** For tests: the mount has a process to itself on any device, for this reason. */
  ownProcess?: string;
  /** For tests: is given the native part of the mount. */
  onNative?: (native: NativeMount) => void;
}

/**
 * In this one, but for a GPU whose driver refuses it: after an illegal address or a trap it does nothing more for the whole process, not even in a
 * context that is made anew, and a second copy of it cannot be loaded.
 */
export async function makeNativeMount(binding: NativeBinding, config: NativeMountConfig, { ownProcess, onNative }: PlaceSettings): Promise<NativeMount> {
  const native = ownProcess === undefined ? await makeWhereItCan(binding, config) : await mountInOwnProcess(config, ownProcess);
  onNative?.(native);
  return native;
}

async function makeWhereItCan(binding: NativeBinding, config: NativeMountConfig): Promise<NativeMount> {
  if (config.device === 'cpu') return binding.mount(config);
  if (config.device === 'metal') return binding.mountLater(config);
  if (binding.cudaRefusal() === '') {
    try {
      return await binding.mountLater(config);
    } catch (error) {
      // It may be this mount that finds out, where something else in this process has used the GPU.
      if (binding.cudaRefusal() === '') throw error;
    }
  }
  return mountInOwnProcess(config, `the driver does nothing more for this one since an error of a kernel (${binding.cudaRefusal()})`);
}
