// All media by name, and what an option `medium` may be.
import { appleM1, appleM4, appleM4Max, appleM4Pro, appleM5 } from './apple.ts';
import { micron9650 } from './micron.ts';
import { rdmaThunderbolt5, tcpThunderbolt5 } from './network.ts';
import { optaneP5800x, optaneP5800x10 } from './optane.ts';
import type { MediumProfile } from './profile.ts';
import { samsung980Pro, samsung990Pro, samsungPm1743 } from './samsung.ts';

export const media = {
  optane_p5800x: optaneP5800x,
  optane_p5800x_10: optaneP5800x10,
  samsung_980_pro: samsung980Pro,
  samsung_990_pro: samsung990Pro,
  samsung_pm1743: samsungPm1743,
  micron_9650: micron9650,
  apple_m1: appleM1,
  apple_m4: appleM4,
  apple_m4_pro: appleM4Pro,
  apple_m4_max: appleM4Max,
  apple_m5: appleM5,
  rdma_thunderbolt_5: rdmaThunderbolt5,
  tcp: tcpThunderbolt5,
} as const satisfies Record<string, MediumProfile>;

/** Nothing is shaped. */
export const RAW = 'raw';
export type MediumName = typeof RAW | keyof typeof media;

export const mediumNames = [RAW, ...Object.keys(media)] as readonly MediumName[];

/** Undefined for raw. */
export function profileOf(medium: MediumName | MediumProfile): MediumProfile | undefined {
  if (typeof medium !== 'string') return medium;
  return medium === RAW ? undefined : media[medium];
}

export function titleOf(medium: MediumName | MediumProfile): string {
  return typeof medium === 'string' ? medium : medium.title;
}
