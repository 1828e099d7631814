// The diagnostics of NVRTC and nvcc. They have one front end and one form, which names no column but draws it:
//
//   sum_pages(3): error: no instance of function template "gload" matches the argument list
//               argument types are: (Fs, int, int)
//     float x = gload(fs, 1, 2);
//               ^
//             detected during instantiation of "..." at line 7 of sum_pages
import type { KernelDiagnostic } from './errors.ts';
import type { KernelText } from './kernel_diagnostics.ts';

const headLine = /^(.+?)\((\d+)\): (?:catastrophic |internal )?(error|warning|note|remark)(?: #[\w-]+)?: (.*)$/;

/** Of errors in templates of ours, those that the user's text asked for stand at its line. */
export function cudaDiagnostics(output: string, kernel: KernelText): KernelDiagnostic[] {
  return blocks(output).flatMap(({ file, line, severity, message, rest }) => {
    const lines = kernel.source.split('\n');
    const caret = rest.findIndex((text) => /^\s*\^\s*$/.test(text));
    const details = rest.slice(0, Math.max(caret - 1, 0)).map((text) => text.trim());
    const words = [message, ...details].join('; ');
    if (file === kernel.name) return [{ line, column: columnOf(rest, caret, lines[line - 1] ?? ''), severity, message: words }];
    const asked = rest.slice(caret + 1).map((text) => requestIn(text, kernel.name)).find((found) => found !== undefined);
    if (severity !== 'error' || asked === undefined) return [];
    return [{ line: asked, column: indentOf(lines[asked - 1] ?? '') + 1, severity, message: words }];
  });
}

interface Block {
  file: string;
  line: number;
  severity: KernelDiagnostic['severity'];
  message: string;
  /** Up to the next diagnostic or empty line: more of the message, the line of code, its caret, where templates were asked for. */
  rest: string[];
}

function blocks(output: string): Block[] {
  const found: Block[] = [];
  let rest: string[] | undefined;
  for (const text of output.split('\n')) {
    const head = headLine.exec(text);
    if (head !== null) {
      rest = [];
      const severity = head[3] === 'remark' ? 'note' : (head[3] as KernelDiagnostic['severity']);
      found.push({ file: head[1] ?? '', line: Number(head[2]), severity, message: head[4] ?? '', rest });
    } else if (text.trim() === '') {
      rest = undefined;
    } else {
      rest?.push(text);
    }
  }
  return found;
}

/** The drawn line may be indented otherwise than the user's, so the caret counts from the first letter. Without one: the first letter. */
function columnOf(rest: readonly string[], caret: number, source: string): number {
  const drawn = rest[caret - 1];
  if (drawn === undefined || drawn.trim() !== source.trim()) return indentOf(source) + 1;
  return (rest[caret] as string).indexOf('^') - indentOf(drawn) + indentOf(source) + 1;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function requestIn(text: string, name: string): number | undefined {
  const match = /at line (\d+) of "?(.+?)"?$/.exec(text);
  return match?.[2] === name ? Number(match[1]) : undefined;
}
