// Which device a mount runs on, and why the others were not taken.
import { cudaObstacle, type CudaSight, describeCudaDevice } from './cuda_sight.ts';
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

export interface WantedDevice {
  device: 'auto' | DeviceName;
  deviceIndex: number;
}

/** In the order in which 'auto' looks at them. */
export function listDevices(cuda: CudaSight, deviceIndex = 0): DeviceListing[] {
  return order.map((name) => listing(name, () => cuda, deviceIndex));
}

/**
 * NVIDIA's driver is only looked for where the choice depends on it: that takes a while. `failed`: devices that were there and on which no mount
 * could be made, so that 'auto' goes on behind them.
 */
export function chooseDevice({ device: wanted, deviceIndex }: WantedDevice, lookForCuda: () => CudaSight, failed: DeviceChoice['notTaken'] = []): DeviceChoice {
  if (wanted !== 'auto') {
    const device = listing(wanted, lookForCuda, deviceIndex);
    if (!device.available) throw new WarpfsError('ERR_WARPFS_DEVICE', `option device: "${wanted}" is not available: ${device.reason}`);
    return chosen(wanted, [], lookForCuda, deviceIndex);
  }
  const notTaken: DeviceChoice['notTaken'] = [];
  for (const name of order) {
    const failure = failed.find((device) => device.name === name);
    const { available, reason } = failure === undefined ? listing(name, lookForCuda, deviceIndex) : { available: false, reason: failure.reason };
    if (available) return chosen(name, notTaken, lookForCuda, deviceIndex);
    notTaken.push({ name, reason });
  }
  throw new WarpfsError('ERR_WARPFS_DEVICE', 'option device: "auto" finds no device'); // the last in the order is always there
}

const order: readonly DeviceName[] = ['metal', 'cuda', 'cpu'];

function listing(name: DeviceName, lookForCuda: () => CudaSight, deviceIndex: number): DeviceListing {
  if (name === 'cpu') return { name, available: true, reason: 'always there: the shaders, built for this processor' };
  if (name === 'cuda') return cudaListing(lookForCuda(), deviceIndex);
  const reason = process.platform === 'darwin' ? 'this build has no Metal device' : `Metal needs macOS on Apple silicon; this is ${process.platform}`;
  return { name, available: false, reason };
}

function cudaListing(cuda: CudaSight, deviceIndex: number): DeviceListing {
  const obstacle = cudaObstacle(cuda, deviceIndex);
  if (obstacle !== undefined) return { name: 'cuda', available: false, reason: obstacle };
  return { name: 'cuda', available: true, reason: cuda.devices.map(describeCudaDevice).join('; ') };
}

function chosen(name: DeviceName, notTaken: DeviceChoice['notTaken'], lookForCuda: () => CudaSight, deviceIndex: number): DeviceChoice {
  const count = name === 'cuda' ? lookForCuda().devices.length : 1;
  checkDeviceIndex(name, deviceIndex, count);
  return { name, notTaken };
}

export function checkDeviceIndex(name: DeviceName, deviceIndex: number, count: number): void {
  if (deviceIndex < count) return;
  const there = count === 1 ? `is one ${name} device, number 0` : `are ${count} ${name} devices, numbers 0 to ${count - 1}`;
  throw new WarpfsError('ERR_WARPFS_DEVICE', `option deviceIndex: ${deviceIndex} does not exist: there ${there}`);
}
