// One number for all headers that a kernel may include.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const hashes = new Map<string, string>();

/** The headers do not change while a process runs, so they are read once. */
export function headersHash(shadersRoot: string): string {
  const known = hashes.get(shadersRoot);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  for (const folder of [shadersRoot, join(shadersRoot, '..', 'abi')]) {
    for (const name of headersIn(folder)) {
      hash.update(`${name}\0`);
      hash.update(readFileSync(join(folder, name)));
      hash.update('\0');
    }
  }
  const digest = hash.digest('hex');
  hashes.set(shadersRoot, digest);
  return digest;
}

function headersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.h'))
    .sort();
}
