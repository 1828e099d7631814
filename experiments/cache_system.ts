// Systems on the cache of the mount: what they do in the same way around their own way to get at bytes. The file is opened once and its handle
// passed to every kernel, as a program does that launches many: a file that nobody has open may be another one afterwards.
import { basename } from 'node:path';
import type { KernelMemory } from '../gpufs/kernel_memory.ts';
import type { Mount } from '../gpufs/mount.ts';
import { cacheOf, prepareKernelSystem } from './kernel_system.ts';
import { CannotDo, type Job, type PreparedSystem, type ShaderPart } from './system.ts';

/** `mine`, the bytes of each warp. */
const ownBytes = `
    WARPFS_DEVICE uchar* mine = target + (ulong)item * item_bytes;`;

const copyBy = (read: string): string => `
      WARPFS_TRY(int got, ${read}(fs, file, offset, bytes, mine));
      if (got != (int)bytes) return got < 0 ? got : -Errno::eio;`;

/** All of an access, into a copy at `mine`. */
export const readCopy = copyBy('gread');

/** `place` is where the bytes lie, if the call whose `result` that was got all of them; a copy, where all lines of a set are held by others. */
export const placeOrCopy = (result: string, bytes: string): string => `
      if (${result} == (int)bytes) {
        place = ${bytes};
      } else if (${result} == -Errno::eagain) {
        place = mine;${copyBy('read_apart')}
      } else {
        return ${result} < 0 ? ${result} : -Errno::eio;
      }`;

/** The prelude of placeOrCopy: what is hardly ever done takes no registers from what is. */
export const readApart = `
namespace warpfs {
WARPFS_CALL int read_apart(WARPFS_THREAD Fs& fs, int file, ulong offset, uint bytes, WARPFS_DEVICE uchar* mine) { return gread(fs, file, offset, bytes, mine); }
}  // namespace warpfs
`;

/** And back, from where the warp has worked on it. */
export const writeCopy = `
      WARPFS_TRY(int put, gwrite(fs, file, offset, bytes, place));
      if (put != (int)bytes) return put < 0 ? put : -Errno::eio;`;

/** `part.open` comes behind `mine` and `file`; `itemBytes`: so many bytes of its own each warp has. */
export function prepareCacheSystem(name: string, job: Job, part: Omit<ShaderPart, 'close'>, itemBytes: number): Promise<PreparedSystem> {
  const file = new OpenFile(job);
  let target: KernelMemory | undefined;
  return prepareKernelSystem(name, job, {
    part: { ...part, open: `${ownBytes}${part.open}`, close: '', inputs: { item_bytes: 'u32', file: 'i32', target: 'memory' } },
    counts: true,
    mount: { cache: cacheOf(job), daemon: { threads: job.threads, io: job.io }, ...(part.replayed === true ? { wait: 'replay' as const } : {}) },
    inputs: async (fs) => {
      if (job.io === 'mtlio' && fs.device.engine !== 'mtlio') throw new CannotDo(fs.device.engineNote);
      return { item_bytes: itemBytes, file: await file.handle(fs), target: (target ??= await fs.memory({ bytes: job.items * itemBytes })) };
    },
    letGo: () => file.letGo(),
  });
}

/** A handle that kernels get from a kernel. */
class OpenFile {
  readonly #job: Job;
  #handle: number | undefined;
  #close: (() => Promise<unknown>) | undefined;

  constructor(job: Job) {
    this.#job = job;
  }

  async handle(fs: Mount): Promise<number> {
    if (this.#handle !== undefined) return this.#handle;
    const { file, workload } = this.#job;
    const opener = await fs.kernel({
      name: 'open_file', inputs: { path: 'string' }, outputs: { handle: 'i32[]' },
      source: `
        WARPFS_TRY(int opened, gopen(fs, path, ${workload.writes ? 'WARPFS_RDWR' : 'WARPFS_RDONLY'}));
        if (opened < 0) return opened;
        if (lane.index == 0u) handle[0] = opened;`,
    });
    const closer = await fs.kernel({ name: 'close_file', inputs: { file: 'i32' }, source: 'WARPFS_TRY(int closed, gclose(fs, file)); return closed;' });
    const [handle] = (await opener.dispatch({ items: 1, inputs: { path: basename(file) }, outputs: { handle: 1 } })).handle;
    this.#close = () => closer.dispatch({ items: 1, inputs: { file: handle as number } });
    this.#handle = handle as number;
    return this.#handle;
  }

  async letGo(): Promise<void> {
    const close = this.#close;
    this.#handle = this.#close = undefined;
    await close?.();
  }
}
