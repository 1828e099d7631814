// Before the suites run on a GPU: it is there, a mount on it works, and what takes long to compile is compiled. Else nothing runs, and nothing passes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSuites } from './device_suites.ts';
import { mountOnTestDevice, testDevice } from './test_device.ts';

export async function setup(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'warpfs-require-'));
  try {
    for (const wait of ['spin', 'replay'] as const) {
      for (const policy of ['clock', 'fifo'] as const) {
        const fs = await mountOnTestDevice({ root, wait, cache: { lines: 64, policy } });
        await fs.run([[{ op: 'compute', steps: 1 }]]);
        console.log(`${testDevice}, wait ${wait}, policy ${policy}: ${fs.device.residentWarps} warps; ${fs.device.engine}; fill ${fs.device.fill}`);
        await fs.unmount();
      }
    }
  } catch (error) {
    throw new Error(`the suites cannot run on the ${testDevice} device: ${(error as Error).message}`, { cause: error });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  for (const [file, reason] of Object.entries(cpuSuites)) console.log(`LEFT OUT ${file}: ${reason}`);
}
