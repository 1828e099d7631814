// Whether a scenario counts what it must, as hits and misses: a wrong replacement policy gives the right bytes, only later.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Counters, countersFromWords } from '../../cache/counters.ts';
import { fromNative } from '../errors.ts';
import type { NativeBinding } from '../native_binding.ts';
import type { Prepared } from './exploration.ts';

/** Runs it once, on a mount of its own. Undefined: as it must be, or nobody said how that is. */
export async function checkCounters(binding: NativeBinding, { scenario, encoded, config }: Prepared): Promise<{ kind: string; message: string } | undefined> {
  const wanted = scenario.counters;
  if (wanted === undefined) return undefined;
  for (const { path, bytes } of scenario.files) {
    await mkdir(dirname(join(config.root, path)), { recursive: true });
    await writeFile(join(config.root, path), bytes);
  }
  try {
    const mount = binding.mount(config);
    const buffers = encoded.encoded.buffers.map((buffer) => Uint8Array.from(buffer));
    const { finding } = await mount.dispatch({ module: '', items: scenario.programs.length, groupWarps: 1, groupMemoryBytes: 0, allResident: false, buffers });
    const counted = countersFromWords(mount.stats());
    await mount.unmount(true);
    if (finding !== undefined) return finding;
    const names = Object.keys(wanted) as (keyof Counters)[];
    if (names.every((name) => counted[name] === wanted[name])) return undefined;
    const told = names.map((name) => `${counted[name]} ${name}`).join(' and ');
    return { kind: 'wrong_result', message: `${told}, wanted ${names.map((name) => wanted[name]).join(' and ')}` };
  } catch (error) {
    throw fromNative(`check ${scenario.name}`, error);
  }
}
