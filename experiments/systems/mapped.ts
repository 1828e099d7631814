// No cache at all: the kernel loads from the file as the host has it mapped.
import { join } from 'node:path';
import type { KernelMemory } from '../../gpufs/kernel_memory.ts';
import { HostFile } from '../host_file.ts';
import { prepareKernelSystem } from '../kernel_system.ts';
import { CannotDo, type ShaderPart, type System } from '../system.ts';

const part: ShaderPart = {
  inputs: { mapping: 'memory' },
  open: '',
  access: 'place = mapping + offset;',
  release: '',
  close: '',
};

export const system: System = {
  name: 'mapped',
  models: 'no cache: zero-copy loads and stores in the mapped file',
  async prepare(job) {
    const { writes } = job.workload;
    const file = await HostFile.open(join(job.root, job.file), writes);
    let mapping: KernelMemory | undefined;
    const letGo = async (): Promise<void> => {
      mapping?.free();
      mapping = undefined;
    };
    try {
      return await prepareKernelSystem('mapped', job, {
        part,
        waitsInLoads: true,
        async inputs(fs) {
          try {
            mapping ??= await fs.memory({ file: join(job.root, job.file), bytes: job.fileBytes, writes, advice: job.advice });
          } catch (error) {
            throw new CannotDo((error as Error).message); // drivers let a GPU store into files of tmpfs alone
          }
          return { mapping };
        },
        settle: writes ? () => file.sync() : async () => undefined,
        letGo,
        close: () => file.close(),
      });
    } catch (error) {
      await file.close();
      throw error;
    }
  },
};
