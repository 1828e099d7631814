// `warpfs shaders --check`: Metal texts of the user's own, checked as they would be handed to Metal, with complaints where they were written.
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fromNative } from '../errors.ts';
import type { Problem } from '../metal_tree.ts';
import { checkMetal } from '../shader_check.ts';
import { displayName, type FlatLine, flattenShaderLines, IncludeError } from '../shader_text.ts';

/** There is no compiler to ask. */
export const EXIT_NOT_CHECKED = 3;

export interface CheckedFile {
  file: string;
  ok: boolean;
  /** Why nothing was checked. Then `ok` is false. */
  skipped?: string;
  problems: readonly Problem[];
}

/** Throws where one of them cannot be read, before any is checked. */
export function checkMetalFiles(files: readonly string[], shadersRoot: string): CheckedFile[] {
  for (const file of files) mustBeReadable(file);
  return files.map((file) => checkFile(file, shadersRoot));
}

function mustBeReadable(file: string): void {
  try {
    readFileSync(file);
  } catch (error) {
    throw fromNative(`cannot read ${file}`, error);
  }
}

function checkFile(file: string, shadersRoot: string): CheckedFile {
  let lines: FlatLine[];
  try {
    lines = flattenShaderLines(file, shadersRoot, namesBeside(file, shadersRoot));
  } catch (error) {
    if (!(error instanceof IncludeError)) throw error;
    return { file, ok: false, problems: [{ file: error.file, line: error.line, message: error.what }] };
  }
  const { ok, skipped, problems } = checkMetal(`${lines.map(({ text }) => text).join('\n')}\n`);
  const inFile = problems.map((problem) => {
    const from = problem.file === 'shader' ? lines[problem.line - 1] : undefined;
    return from === undefined ? problem : { file: from.file, line: from.line, message: problem.message };
  });
  return { file, ok, ...(skipped === undefined ? {} : { skipped }), problems: inFile };
}

/** Headers of ours are called as they are included; the file as the user called it, and others by the way from there. */
function namesBeside(file: string, shadersRoot: string): (path: string) => string {
  const root = realpathSync(shadersRoot);
  const ours = `${dirname(root)}${sep}`;
  const checked = realpathSync(file);
  return (path) => {
    if (path === checked) return file;
    return path.startsWith(ours) ? displayName(path, root) : join(dirname(file), relative(dirname(checked), path));
  };
}

export function describeChecked({ file, ok, skipped, problems }: CheckedFile): string {
  if (skipped !== undefined) return `${file}: NOT CHECKED: ${skipped}\n`;
  if (ok) return `${file}: Metal would take it, as far as clang and the lint can tell\n`;
  return problems.map((problem) => `${problem.file}:${problem.line}: error: ${problem.message}\n`).join('');
}
