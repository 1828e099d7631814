// The error of a dispatch in which check mode saw something wrong.
import type { ResolvedCheckOptions } from '../check_options.ts';
import { WarpfsError } from '../errors.ts';
import type { NativeFinding } from '../native_check.ts';
import { makeReport } from './report.ts';
import { type Symbolizer, withoutFolders } from './symbolize.ts';

export async function checkError(what: string, found: NativeFinding, options: ResolvedCheckOptions | undefined, symbolizer?: Symbolizer): Promise<WarpfsError> {
  const finding = { ...found, message: withoutFolders(found.message) };
  const report = await makeReport(finding, {
    seed: options?.seed ?? 0,
    again: `the same calls on a mount with check: ${options === undefined ? 'true' : showOptions(options)}`,
    ...(symbolizer === undefined ? {} : { symbolizer }),
  });
  return new WarpfsError('ERR_WARPFS_CHECK', `${what}: ${report}`, { finding });
}

/** All of them: a default may change, and then the seed would mean another schedule. */
function showOptions({ faults, ...options }: ResolvedCheckOptions): string {
  const chances = Object.entries(faults).filter(([, chance]) => chance > 0);
  const shown = Object.entries(options).map(([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : value}`);
  if (chances.length > 0) shown.push(`faults: { ${chances.map(([name, chance]) => `${name}: ${chance}`).join(', ')} }`);
  return `{ ${shown.join(', ')} }`;
}
