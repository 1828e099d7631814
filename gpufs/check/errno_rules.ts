// Which error may end a step, given what was done to the host. An error that nothing explains is a finding.
import { ERRNO, type ErrnoName } from '../../native/abi/abi.ts';
import type { FaultName } from './observed.ts';
import type { Step } from './steps.ts';

const reading: readonly Step['work'][] = ['read', 'map', 'gather'];
const writing: readonly Step['work'][] = ['write', 'scatter', 'add', 'unmap', 'map_sync', 'truncate', 'fsync', 'close'];
const names: readonly Step['work'][] = ['open', 'unlink', 'rename'];
const onHandles: readonly Step['work'][] = [...reading, ...writing, 'stat', 'prefetch', 'start', 'poll'];

interface Cause {
  errors: readonly ErrnoName[];
  hits: readonly Step['work'][];
}

/** EINTR, short transfers and delays are dealt with by the host: no step ever sees them. */
const causes: Partial<Record<FaultName, readonly Cause[]>> = {
  // A write meets the errors of write-backs too: of lines that it needs, and of its own older bytes in its line.
  eio: [{ errors: ['EIO'], hits: [...reading, ...writing] }],
  // So does a map: a read can go past the cache, a map needs a line of it.
  enospc: [{ errors: ['ENOSPC'], hits: [...writing, 'map'] }],
  // Nobody answers any more. EAGAIN: it died while it changed a size, or the lines behind the cache are all waiting for it.
  die: [{ errors: ['ETIMEDOUT', 'EAGAIN', 'EIO'], hits: [...names, ...onHandles, 'none'] }],
  // A new host does not know the handles of the old one; an open that empties its file has one already.
  revive: [{ errors: ['EBADF', 'ESTALE'], hits: ['open', ...onHandles] }],
  // Somebody else has made the file shorter, or put another one in its place. What a gpu has stored into a part that was cut off is in no file.
  truncate: [
    { errors: ['ERANGE', 'ESTALE'], hits: ['gather', 'scatter', 'add', 'unmap', 'map_sync'] },
    { errors: ['EIO'], hits: ['open', 'truncate', 'map_sync', 'fsync', 'close'] },
  ],
  replace: [{ errors: ['ERANGE', 'ESTALE'], hits: ['gather', 'scatter', 'add', 'unmap', 'map_sync'] }],
};

export function isExplained(step: Pick<Step, 'work'>, result: number, faults: ReadonlySet<FaultName>): boolean {
  for (const fault of faults) {
    for (const { errors, hits } of causes[fault] ?? []) {
      if (hits.includes(step.work) && errors.some((name) => ERRNO[name].number === -result)) return true;
    }
  }
  return false;
}
