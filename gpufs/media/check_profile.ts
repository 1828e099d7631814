// What the numbers of a profile must be to each other: a medium that contradicts itself cannot be shaped.
import { optionError } from '../errors.ts';
import { QUEUE_DEPTH_MAX, type MediumDirection, type MediumLatency, type MediumProfile } from './profile.ts';

export function checkProfile(profile: MediumProfile, option = 'option medium'): void {
  for (const name of ['read', 'write', 'sync'] as const) checkSpread(`${option}.${name}`, profile[name]);
  for (const name of ['read', 'write'] as const) {
    checkDepth(`${option}.queueDepth`, profile.queueDepth.value, name, profile[name]);
    checkIops(`${option}.${name}.iops`, name, profile[name]);
  }
  const { burst, write } = profile;
  if (burst !== undefined && burst.sustainedMegabytesPerSecond.value > write.megabytesPerSecond.value) {
    throw optionError(`${option}.burst.sustainedMegabytesPerSecond`, burst.sustainedMegabytesPerSecond.value, 'is more than write.megabytesPerSecond');
  }
}

function checkSpread(option: string, { medianUs, p99Us }: MediumLatency): void {
  if (p99Us.value < medianUs.value) throw optionError(`${option}.p99Us`, p99Us.value, `is less than the median, ${medianUs.value}`);
}

/** Of a lognormal distribution. */
export function meanUs({ medianUs, p99Us }: MediumLatency): number {
  const sigma = Math.log(p99Us.value / medianUs.value) / 2.3263478740408408;
  return medianUs.value * Math.exp((sigma * sigma) / 2);
}

/** So many under way at once, each for the mean latency, must be able to reach the rate. */
function checkDepth(option: string, depth: number, name: string, direction: MediumDirection): void {
  const needed = Math.ceil((Math.max(direction.iops.value, direction.iops512?.value ?? 0) * meanUs(direction)) / 1e6);
  if (depth < needed) throw optionError(option, depth, `is too small for the iops of ${name}: they need ${needed} requests under way`);
  if (needed > QUEUE_DEPTH_MAX) throw optionError(option, depth, `cannot reach the iops of ${name}`);
}

/** More than the bandwidth carries would never be seen. */
function checkIops(option: string, name: string, { iops, megabytesPerSecond }: MediumDirection): void {
  const carried = (megabytesPerSecond.value * 1e6) / 4096;
  if (iops.value > carried * 1.001) throw optionError(option, iops.value, `is more than ${name}.megabytesPerSecond carries, ${Math.floor(carried)} of 4 KiB`);
}
