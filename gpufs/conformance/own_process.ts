// Mounts that have a process to themselves, as those have that the driver of a GPU leaves no other place: here on any device, for tests.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Mount, mountWith } from '../mount.ts';
import { loadNativeBinding } from '../native_binding.ts';
import type { MountOptions } from '../options.ts';
import { packageRoot } from '../package_root.ts';
import { nativePresence } from './native_device.ts';
import { testDevice } from './test_device.ts';

export const WHY = 'a test wants it';

export function mountInOwnProcessForTests(options: MountOptions): Promise<Mount> {
  return mountWith(() => loadNativeBinding().binding, { workers: 2, ...options, device: testDevice }, { ownProcess: WHY });
}

/** Why there are none. */
export function ownProcessMissing(): string | undefined {
  return nativePresence().missing ?? (existsSync(built('mount.js')) ? undefined : 'dist is not built');
}

export function pidOf(fs: Mount): number {
  const [, pid] = /^a process of its own \((\d+)\): /.exec(fs.describe().process ?? '') ?? [];
  if (pid === undefined) throw new Error(`no process of its own: ${fs.describe().process}`);
  return Number(pid);
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Of a process that is nobody's child any more. */
export async function ended(pid: number, withinMs = 10_000): Promise<boolean> {
  for (const begin = Date.now(); isRunning(pid); await sleep(10)) if (Date.now() - begin > withinMs) return false;
  return true;
}

/** The text of a module that has such a mount of `root` as `fs`, its process as `pid`, and then does something. */
export function scriptWithMount(root: string, options: Partial<MountOptions>, then: string): string {
  return `
    import { mountWith } from ${JSON.stringify(pathToFileURL(built('mount.js')).href)};
    import { loadNativeBinding } from ${JSON.stringify(pathToFileURL(built('native_binding.js')).href)};
    const options = ${JSON.stringify({ workers: 2, ...options, root, device: testDevice })};
    const fs = await mountWith(() => loadNativeBinding().binding, options, { ownProcess: ${JSON.stringify(WHY)} });
    const pid = Number(/\\d+/.exec(fs.describe().process)[0]);
    ${then}`;
}

function built(name: string): string {
  return join(packageRoot, 'dist', 'gpufs', name);
}
