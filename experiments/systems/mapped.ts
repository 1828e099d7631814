// No cache at all: the kernel loads from the file as the host has it mapped.
import { join } from 'node:path';
import { HostFile } from '../host_file.ts';
import { prepareKernelSystem } from '../kernel_system.ts';
import type { ShaderPart, System } from '../system.ts';

const part: ShaderPart = {
  inputs: { mapping: 'u8[]' },
  open: '',
  // On the cpu device an input is the very memory that the host gave, and this one is mapped for writing where a workload writes.
  access: 'place = (WARPFS_DEVICE uchar*)mapping + offset;',
  release: '',
  close: '',
};

const notOnGpu = 'the inputs of a kernel are copied to a GPU, so that it would not load from the file; fill: map of a mount reads files where they lie';

export const system: System = {
  name: 'mapped',
  models: 'no cache: zero-copy loads and stores in the mapped file',
  notOn: { cuda: notOnGpu, metal: notOnGpu },
  async prepare(job) {
    const { writes } = job.workload;
    const file = await HostFile.open(join(job.root, job.file), writes);
    let mapping: Uint8Array | undefined;
    const letGo = async (): Promise<void> => {
      if (mapping !== undefined) file.unmap(mapping);
      mapping = undefined;
    };
    const close = async (): Promise<void> => {
      await letGo();
      await file.close();
    };
    try {
      const inputs = (): { mapping: Uint8Array } => ({ mapping: (mapping ??= file.map(job.fileBytes, writes, job.advice)) });
      const settle = writes ? () => file.sync() : async () => undefined;
      return await prepareKernelSystem('mapped', job, { part, waitsInLoads: true, inputs, settle, letGo, close });
    } catch (error) {
      await close();
      throw error;
    }
  },
};
