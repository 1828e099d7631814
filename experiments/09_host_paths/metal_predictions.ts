// What is expected of Metal's own way to read files on a Mac. Made before any of it was run there.
import type { Finder, Prediction } from '../experiment.ts';
import { ratio } from '../verdict.ts';

const KIB = 1024;

function mounts(find: Finder, cold: number): number | undefined {
  return ratio(find('rate', 'warpfs_replay', { path: 'mtlio_replay', cold }), find('rate', 'warpfs_replay', { path: 'pread_replay', cold }));
}

function loads(find: Finder, path: string, beside: string, bytes: number, cold: number): number | undefined {
  return ratio(find('bandwidth', 'host_loads', { path, bytes, cold }), find('bandwidth', 'host_loads', { path: beside, bytes, cold }));
}

export const metalPredictions: readonly Prediction[] = [
  {
    device: 'metal', what: 'mtlio beside pread in a mount, warm', unit: 'x', atMost: 0.8,
    because: 'a page of the page cache is a copy of less than a microsecond, and a command buffer goes through threads of the system and back',
    measured: (find) => mounts(find, 0),
  },
  {
    device: 'metal', what: 'mtlio beside pread in a mount, cold', unit: 'x', atLeast: 0.7, atMost: 1.5,
    because: 'both have many pages under way, pread by the threads of its pool, so that the drive says how fast they come',
    measured: (find) => mounts(find, 1),
  },
  {
    device: 'metal', what: 'loads of 4 KiB, mtlio beside one thread, warm', unit: 'x', atMost: 1,
    because: 'others found loads of Metal no faster than reads into memory on an M1, and 4 KiB leave most of the time to the overhead of a command',
    measured: (find) => loads(find, 'mtlio_load', 'pread_load_1', 4 * KIB, 0),
  },
  {
    device: 'metal', what: 'loads of 4 KiB, mtlio beside one thread, cold', unit: 'x', atLeast: 4,
    because: 'one thread waits for one access of the drive after the other, and a concurrent queue has many of them under way',
    measured: (find) => loads(find, 'mtlio_load', 'pread_load_1', 4 * KIB, 1),
  },
  {
    device: 'metal', what: 'loads of 1 MiB, mtlio beside 32 threads, cold', unit: 'x', atLeast: 0.8, atMost: 1.25,
    because: 'accesses of that size keep the drive busy by any way, and its bandwidth is all there is',
    measured: (find) => loads(find, 'mtlio_load', 'pread_load_32', 1024 * KIB, 1),
  },
  {
    device: 'metal', what: 'loads of 64 KiB, LZ4 beside no compression, cold', unit: 'x', atMost: 1,
    because: 'the words of the file look like random ones and get no smaller, so that taking them apart comes on top',
    measured: (find) => loads(find, 'mtlio_lz4', 'mtlio_load', 64 * KIB, 1),
  },
];
