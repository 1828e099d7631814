// Which device a mount runs on, and why the others were not taken.
import { cudaObstacle, type CudaSight, describeCudaDevice, lookForCuda } from './cuda_sight.ts';
import { WarpfsError } from './errors.ts';
import type { NativeBinding } from './native_binding.ts';
import type { NativeMetalSight } from './native_metal.ts';
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

export interface WantedDevice {
  device: 'auto' | DeviceName;
  deviceIndex: number;
}

/** How the devices are looked for that are not always there: that takes a while. */
export interface DeviceSights {
  cuda: () => CudaSight;
  metal: () => NativeMetalSight;
}

export function sightsOf(binding: NativeBinding, environment?: NodeJS.ProcessEnv): DeviceSights {
  return { cuda: () => lookForCuda(binding, environment), metal: () => binding.metalSight() };
}

/** In the order in which 'auto' looks at them. */
export function listDevices(sights: DeviceSights, deviceIndex = 0): DeviceListing[] {
  return order.map((name) => listing(name, sights, deviceIndex));
}

/**
 * A GPU is only looked for where the choice depends on it. `failed`: devices that were there and on which no mount could be made, so that 'auto'
 * goes on behind them.
 */
export function chooseDevice({ device: wanted, deviceIndex }: WantedDevice, sights: DeviceSights, failed: DeviceChoice['notTaken'] = []): DeviceChoice {
  if (wanted !== 'auto') {
    const device = listing(wanted, sights, deviceIndex);
    if (!device.available) throw new WarpfsError('ERR_WARPFS_DEVICE', `option device: "${wanted}" is not available: ${device.reason}`);
    return chosen(wanted, [], sights, deviceIndex);
  }
  const notTaken: DeviceChoice['notTaken'] = [];
  for (const name of order) {
    const failure = failed.find((device) => device.name === name);
    const { available, reason } = failure === undefined ? listing(name, sights, deviceIndex) : { available: false, reason: failure.reason };
    if (available) return chosen(name, notTaken, sights, deviceIndex);
    notTaken.push({ name, reason });
  }
  throw new WarpfsError('ERR_WARPFS_DEVICE', 'option device: "auto" finds no device'); // the last in the order is always there
}

const order: readonly DeviceName[] = ['metal', 'cuda', 'cpu'];

function listing(name: DeviceName, sights: DeviceSights, deviceIndex: number): DeviceListing {
  if (name === 'cpu') return { name, available: true, reason: 'always there: the shaders, built for this processor' };
  if (name === 'cuda') return cudaListing(sights.cuda(), deviceIndex);
  return metalListing(sights.metal());
}

function cudaListing(cuda: CudaSight, deviceIndex: number): DeviceListing {
  const obstacle = cudaObstacle(cuda, deviceIndex);
  if (obstacle !== undefined) return { name: 'cuda', available: false, reason: obstacle };
  return { name: 'cuda', available: true, reason: cuda.devices.map(describeCudaDevice).join('; ') };
}

function metalListing({ obstacle, name, memoryBytes }: NativeMetalSight): DeviceListing {
  if (obstacle !== '') return { name: 'metal', available: false, reason: obstacle };
  return { name: 'metal', available: true, reason: `${name}, which may use ${(memoryBytes / 2 ** 30).toFixed(0)} GiB at once` };
}

function chosen(name: DeviceName, notTaken: DeviceChoice['notTaken'], sights: DeviceSights, deviceIndex: number): DeviceChoice {
  const count = name === 'cuda' ? sights.cuda().devices.length : 1;
  checkDeviceIndex(name, deviceIndex, count);
  return { name, notTaken };
}

export function checkDeviceIndex(name: DeviceName, deviceIndex: number, count: number): void {
  if (deviceIndex < count) return;
  const there = count === 1 ? `is one ${name} device, number 0` : `are ${count} ${name} devices, numbers 0 to ${count - 1}`;
  throw new WarpfsError('ERR_WARPFS_DEVICE', `option deviceIndex: ${deviceIndex} does not exist: there ${there}`);
}
