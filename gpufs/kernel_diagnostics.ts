// What the compiler said, in the words of the user: their kernel name, their line numbers, no paths of ours.
import { cudaDiagnostics } from './cuda_diagnostics.ts';
import { type KernelDiagnostic, WarpfsError } from './errors.ts';
import { GENERATED_FILE } from './kernel_source.ts';

const SHOWN_MAX = 20;

/** `sum_pages:3:9: error: ...`, as g++ and clang++ write it. */
const diagnosticLine = /^(.*?):(\d+):(?:(\d+):)? (fatal error|error|warning|note): (.*)$/;

export interface KernelText {
  name: string;
  /** What the user wrote. */
  source: string;
}

/** The diagnostics in the user's own text, in the order of the compiler, whichever it was. */
export function parseDiagnostics(output: string, kernel: KernelText): KernelDiagnostic[] {
  return [...hostDiagnostics(output, kernel.name), ...cudaDiagnostics(output, kernel)];
}

function hostDiagnostics(output: string, name: string): KernelDiagnostic[] {
  const diagnostics: KernelDiagnostic[] = [];
  for (const line of output.split('\n')) {
    const match = diagnosticLine.exec(line);
    if (match === null || match[1] !== name) continue;
    diagnostics.push({
      line: Number(match[2]),
      column: Number(match[3] ?? 1),
      severity: match[4] === 'fatal error' ? 'error' : (match[4] as KernelDiagnostic['severity']),
      message: match[5] ?? '',
    });
  }
  return diagnostics;
}

/** `folders` are places of ours whose names tell the user nothing. */
export function compileError(kernel: KernelText, output: string, folders: readonly string[]): WarpfsError {
  const diagnostics = parseDiagnostics(output, kernel);
  const shown = diagnostics.some((diagnostic) => diagnostic.severity === 'error')
    ? diagnostics.filter((diagnostic) => diagnostic.severity !== 'warning').map((diagnostic) => withExcerpt(kernel, diagnostic))
    : foreignLines(output, folders);
  const rest = shown.length > SHOWN_MAX ? [`... and ${shown.length - SHOWN_MAX} more`] : [];
  const lines = [...shown.slice(0, SHOWN_MAX), ...rest];
  return new WarpfsError('ERR_WARPFS_COMPILE', `kernel ${kernel.name} does not compile:\n${lines.join('\n')}`, { diagnostics });
}

function withExcerpt(kernel: KernelText, { line, column, severity, message }: KernelDiagnostic): string {
  const head = `${kernel.name}:${line}:${column}: ${severity}: ${message}`;
  const text = kernel.source.split('\n')[line - 1];
  if (text === undefined || text.trim() === '') return head;
  // Tabs stay tabs, so that the caret stands below its character.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ');
  return `${head}\n  ${text}\n  ${indent}^`;
}

/** No error in the user's own text: a brace too many, or a mistake inside of a macro or template that the text used. */
function foreignLines(output: string, folders: readonly string[]): string[] {
  const lines = output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => folders.reduce((text, folder) => text.replaceAll(`${folder}/`, ''), line));
  const hint = lines.some((line) => line.startsWith(`${GENERATED_FILE}:`) || line.startsWith(`${GENERATED_FILE}(`)) ? ['(an error behind the end of the body is often a brace too many or too few)'] : [];
  return [...(lines.length === 0 ? ['the compiler failed and said nothing'] : lines), ...hint];
}
