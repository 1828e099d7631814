// What clang says against a text, in words of Metal.
import type { Problem } from './metal_tree.ts';

const DIAGNOSTIC = /^(.*?):(\d+):(?:\d+:)? (fatal error|error|warning|note): (.*)$/;
const NOTES_MAX = 3;

/** Its errors, each with the first of the notes that explain it. */
export function clangProblems(output: string): Problem[] {
  const problems: (Problem & { notes: number })[] = [];
  let current: (Problem & { notes: number }) | undefined;
  for (const text of output.split('\n')) {
    const [, file, line, severity, message] = DIAGNOSTIC.exec(text) ?? [];
    if (file === undefined || message === undefined) continue;
    if (severity === 'note') {
      if (current !== undefined && current.notes++ < NOTES_MAX) current.message += `; ${inMetalWords(message)}`;
    } else if (severity === 'warning') {
      current = undefined;
    } else {
      current = { file, line: Number(line), message: inMetalWords(message), notes: 0 };
      problems.push(current);
    }
  }
  return problems.map(({ file, line, message }) => ({ file, line, message }));
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/ \[-W[^\]]*\]$/, ''],
  [/^unknown attribute '(.*)' ignored$/, 'Metal does not know the attribute $1'],
  [/^(.*) incompatible with C\+\+ standards before C\+\+17.*$/, '$1 C++17, and Metal 3.2 is C++14'],
  [/^use of type 'double' requires .*$/, 'Metal has no double'],
  [/not supported in C\+\+ for OpenCL/, 'not supported in Metal'],
  [/\bmsl_/g, ''],
  [/\b__global\b/g, 'device'],
  [/\b__local\b/g, 'threadgroup'],
  [/\b__private\b/g, 'thread'],
  [/\b__constant\b/g, 'constant'],
  [/\b__generic /g, ''],
];

function inMetalWords(message: string): string {
  return WORDS.reduce((text, [pattern, word]) => text.replace(pattern, word), message);
}
