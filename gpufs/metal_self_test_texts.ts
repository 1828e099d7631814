// The kernels of the Metal self-test: one flat text for each probe that has one, so that a text that a compiler refuses costs one answer alone.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { shadersRoot as packageShaders } from './package_root.ts';
import { flattenShader } from './shader_text.ts';

const EXTENSION = '.metal';

/** By the names of the probes. */
export function selfTestTexts(shadersRoot: string = packageShaders): Map<string, string> {
  const folder = join(shadersRoot, 'metal_self_test');
  const files = readdirSync(folder).filter((file) => file.endsWith(EXTENSION));
  return new Map(files.toSorted().map((file) => [file.slice(0, -EXTENSION.length), flattenShader(join(folder, file), shadersRoot)]));
}
