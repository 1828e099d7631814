// What a profile of a medium says, and what it must say to be one. Every number names where it comes from.
import { z } from 'zod';
import { fields, oneOf } from '../option_rules.ts';

/** A number of a profile, and a data sheet, paper, review or the like that says so; or what it was estimated from. */
export interface Figure {
  value: number;
  source: string;
}

/** Of one request alone, of 4 KiB where it has bytes. */
export interface MediumLatency {
  medianUs: Figure;
  p99Us: Figure;
}

export interface MediumDirection extends MediumLatency {
  /** Random requests of 4 KiB, as many at once as it takes. */
  iops: Figure;
  /** The same of 512 bytes; default: as those of 4 KiB. */
  iops512?: Figure | undefined;
  /** Large requests; a megabyte has 10^6 bytes. */
  megabytesPerSecond: Figure;
}

export interface MediumProfile {
  title: string;
  /** Requests that are under way at once; others wait for a place. */
  queueDepth: Figure;
  /** `full`: reads and writes have a bandwidth each; `half`: they share one. */
  duplex: { value: 'full' | 'half'; source: string };
  read: MediumDirection;
  write: MediumDirection;
  /** What is written at the full rate, and the rate after it; idle time empties it at that rate. Absent: there is no such cache. */
  burst?: { gigabytes: Figure; sustainedMegabytesPerSecond: Figure } | undefined;
  /** Behind the writes before it. */
  sync: MediumLatency;
}

const positive = z.custom<number>((value) => typeof value === 'number' && Number.isFinite(value) && value > 0, 'is not a number above 0');
const source = z.custom<string>((value) => typeof value === 'string' && value.trim().length >= 10, 'does not say where the number comes from');
const figure = fields({ value: positive, source }, 'is not a number with its source');
const latency = { medianUs: figure, p99Us: figure };
const direction = fields({ ...latency, iops: figure, iops512: figure.optional(), megabytesPerSecond: figure }, 'is not one direction of a medium');

export const QUEUE_DEPTH_MAX = 65536;

export const mediumProfileSchema = fields(
  {
    title: z.custom<string>((value) => typeof value === 'string' && value !== '', 'is not a title'),
    queueDepth: fields({ value: z.custom<number>((value) => Number.isInteger(value) && (value as number) > 0 && (value as number) <= QUEUE_DEPTH_MAX, `is not a whole number from 1 to ${QUEUE_DEPTH_MAX}`), source }, 'is not a number with its source'),
    duplex: fields({ value: oneOf('full', 'half'), source }, 'is not full or half, with its source'),
    read: direction,
    write: direction,
    burst: fields({ gigabytes: figure, sustainedMegabytesPerSecond: figure }, 'is not a burst cache').optional(),
    sync: fields(latency, 'is not a latency'),
  },
  'is not the profile of a medium',
);
