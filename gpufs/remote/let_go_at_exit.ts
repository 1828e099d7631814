// A process that ends without unmounting waits until its mounts have written back, also where they are in processes of their own.
import type { ChildProcess } from 'node:child_process';
import { loadNativeBinding } from '../native_binding.ts';
import { LET_GO } from './messages.ts';

const running = new Set<ChildProcess>();

/** Where this process has no time for that, because it is killed, the child lets go all the same: its channel is closed. */
export function endWithThisProcess(child: ChildProcess): void {
  if (running.size === 0) process.on('exit', letGoOfAll);
  running.add(child);
  const forget = () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', letGoOfAll);
  };
  child.once('exit', forget);
  child.once('error', () => {
    if (child.pid === undefined) forget(); // it never began
  });
}

function letGoOfAll(): void {
  for (const child of running) child.kill(LET_GO);
  const { binding } = loadNativeBinding();
  for (const { pid } of running) if (pid !== undefined) binding.waitForChild(pid);
}
