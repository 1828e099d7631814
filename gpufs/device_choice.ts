// Which device a mount runs on, and why the others were not taken.
import { WarpfsError } from './errors.ts';
import type { DeviceName } from './options.ts';

export interface DeviceChoice {
  name: DeviceName;
  /** Why each device before this one was not taken; empty where the user named the device. */
  notTaken: { name: DeviceName; reason: string }[];
}

export interface DeviceListing {
  name: DeviceName;
  available: boolean;
  reason: string;
}

/** In the order in which 'auto' looks at them. */
export function listDevices(): DeviceListing[] {
  const metal = process.platform === 'darwin' ? 'this build has no Metal device' : `Metal needs macOS on Apple silicon; this is ${process.platform}`;
  return [
    { name: 'metal', available: false, reason: metal },
    { name: 'cuda', available: false, reason: 'this build has no CUDA device' },
    { name: 'cpu', available: true, reason: 'always there: the shaders, built for this processor' },
  ];
}

export function chooseDevice(wanted: 'auto' | DeviceName): DeviceChoice {
  const devices = listDevices();
  if (wanted !== 'auto') {
    const device = devices.find((candidate) => candidate.name === wanted) as DeviceListing;
    if (device.available) return { name: wanted, notTaken: [] };
    throw new WarpfsError('ERR_WARPFS_DEVICE', `option device: "${wanted}" is not available: ${device.reason}`);
  }
  const first = devices.findIndex((device) => device.available);
  const chosen = devices[first] as DeviceListing;
  return { name: chosen.name, notTaken: devices.slice(0, first).map(({ name, reason }) => ({ name, reason })) };
}
