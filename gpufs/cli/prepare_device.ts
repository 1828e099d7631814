// What a mount on a GPU would compile silently, compiled before it with a word to whoever is watching.
import { compileCudaBuiltin } from '../cuda_kernels.ts';
import { cudaArch } from '../cuda_sight.ts';
import { chooseDevice, sightsOf, type WantedDevice } from '../device_choice.ts';
import { loadNativeBinding, type NativeBinding } from '../native_binding.ts';
import { policyNumber } from '../native_config.ts';
import type { DeviceName, PolicyName, WaitName } from '../options.ts';
import type { Streams } from './output.ts';

export interface DeviceToPrepare {
  device: WantedDevice['device'];
  wait?: WaitName;
  policy?: PolicyName;
}

export interface PrepareSettings {
  /** For tests. */
  binding?: () => NativeBinding;
  environment?: NodeJS.ProcessEnv;
}

export async function prepareDevice(streams: Streams, json: boolean, wanted: DeviceToPrepare, settings: PrepareSettings = {}): Promise<void> {
  if (json || !streams.watched || wanted.device === 'cpu') return;
  const { wait = 'spin', policy = 'clock' } = wanted;
  try {
    const binding = (settings.binding ?? (() => loadNativeBinding().binding))();
    if (deviceFor(wanted.device, binding) !== 'cuda') return;
    const [gpu] = binding.cudaProbe().devices;
    if (gpu === undefined) return;
    const arch = cudaArch(gpu);
    const onCompile = (): void => streams.error(`compiling the built-in kernels for ${arch}, once\n`);
    const environment = settings.environment ?? process.env;
    await compileCudaBuiltin({ arch, policy: policyNumber(policy), replay: wait === 'replay' }, { binding, onCompile, environment });
  } catch {
    // Whatever is in the way, the mount says it, or takes another device.
  }
}

/** What a mount takes; throws where that is not there. */
export function deviceFor(device: WantedDevice['device'], binding: NativeBinding): DeviceName {
  return chooseDevice({ device, deviceIndex: 0 }, sightsOf(binding)).name;
}
