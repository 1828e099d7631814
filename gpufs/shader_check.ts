// Is a shader text what Metal's and NVIDIA's compilers take? Asked of compilers that run on any machine: clang with a stand-in for Metal's
// library (native/shaders/check/), and nvcc. Neither needs a GPU. A check whose compiler is missing says so and never passes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pointersWithoutSpace } from './metal_pointers.ts';
import { shadersRoot } from './package_root.ts';

export interface CheckResult {
  ok: boolean;
  /** Why the compiler was not asked. Then `ok` is false. */
  skipped?: string;
  output: string;
}

const CLANGS = ['clang-19', 'clang-16', 'clang-14', 'clang'];
const NVCCS = ['nvcc', '/usr/local/cuda/bin/nvcc'];
const OUTPUT_BYTES_MAX = 1 << 30; // the dump of a syntax tree is a hundred times its text

const found = new Map<string, string | undefined>();
function firstThatRuns(programs: readonly string[]): string | undefined {
  const key = programs.join();
  if (!found.has(key)) {
    found.set(
      key,
      programs.find((program) => spawnSync(program, ['--version']).status === 0),
    );
  }
  return found.get(key);
}

/** Why checkMetal cannot run here; undefined where it can. */
export function metalCheckMissing(): string | undefined {
  return firstThatRuns(CLANGS) === undefined ? `no clang (looked for ${CLANGS.join(', ')})` : undefined;
}
/** Why checkCuda cannot run here; undefined where it can. */
export function cudaCheckMissing(): string | undefined {
  return firstThatRuns(NVCCS) === undefined ? `no nvcc (looked for ${NVCCS.join(', ')})` : undefined;
}

// "C++ for OpenCL" has MSL's four address spaces. All optional features are off but two: 64-bit integers, and the generic address space, which
// clang needs to copy structs; the pointers that it then lets through are found by pointersWithoutSpace. MSL 3.2 is C++14.
const CLANG_FLAGS = [
  '-x cl -cl-std=clc++2021 -target spir64 -nogpulib -fsyntax-only -fno-color-diagnostics -D__METAL_VERSION__=320',
  '-Xclang -fdeclare-opencl-builtins -Xclang -cl-ext=-all,+__opencl_c_int64,+__opencl_c_generic_address_space',
  '-Wall -Wextra -Wno-unknown-attributes -Wno-unknown-pragmas -Wno-unused-function -Werror=pre-c++17-compat -Xclang -ast-dump',
].flatMap((flags) => flags.split(' '));

/** Whether a flat text (no `#include "..."`) is Metal Shading Language 3.2, as far as clang and lintMetal can tell. */
export function checkMetal(text: string): CheckResult {
  const lint = lintMetal(text);
  const clang = firstThatRuns(CLANGS);
  if (clang === undefined) return { ok: false, skipped: metalCheckMissing() ?? '', output: lint.join('\n') };
  const run = spawnSync(clang, [...CLANG_FLAGS, '-I', join(shadersRoot, 'check'), '-'], {
    input: text,
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (run.error !== undefined) throw run.error;
  const accepted = run.status === 0;
  const pointers = accepted ? pointersWithoutSpace(run.stdout) : [];
  const diagnostics = run.stderr.replaceAll('<stdin>', 'shader').trimEnd();
  return {
    ok: accepted && lint.length === 0 && pointers.length === 0,
    output: [diagnostics, ...lint, ...pointers].filter((part) => part !== '').join('\n'),
  };
}

// Little optimization: inlined into one kernel, the library takes ptxas ten times as long, and no error less is found.
const NVCC_FLAGS = ['-arch=sm_90', '-Xcicc', '-O1', '-Xptxas', '-O1', '-cubin', '-o', 'shader.cubin', 'shader.cu'];

/** Whether nvcc and ptxas take a flat text for sm_90. */
export function checkCuda(text: string): CheckResult {
  const nvcc = firstThatRuns(NVCCS);
  if (nvcc === undefined) return { ok: false, skipped: cudaCheckMissing() ?? '', output: '' };
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-nvcc-'));
  try {
    writeFileSync(join(folder, 'shader.cu'), text);
    const run = spawnSync(nvcc, NVCC_FLAGS, { cwd: folder, encoding: 'utf8' });
    if (run.error !== undefined) throw run.error;
    return { ok: run.status === 0, output: (run.stdout + run.stderr).replaceAll(`${folder}/`, '').trimEnd() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// What clang takes and MSL 3.2 refuses.
const REFUSED_BY_METAL: readonly (readonly [RegExp, string])[] = [
  [/(?:^|[=(,;{}?:&|!]|\breturn)\s*\[(?!\[)[^[\]]*\]\s*(?:\(|\{|mutable\b)/gm, 'a lambda'],
  [/\bgoto\b/g, 'goto'],
  [/\b(?:asm|__asm|__asm__)\b/g, 'inline assembly'],
  [/\bif\s+constexpr\b/g, 'if constexpr'],
  [/#\s*include\s+"/g, 'an include of a file: Metal is given one text'],
];

/** What in a text Metal would refuse although clang does not, as `shader:line: ...`. */
export function lintMetal(text: string): string[] {
  const code = withoutComments(text);
  const complaints: { at: number; what: string }[] = [];
  for (const [pattern, what] of REFUSED_BY_METAL) {
    for (const match of code.matchAll(pattern)) complaints.push({ at: match.index + match[0].search(/\S/), what });
  }
  complaints.sort((a, b) => a.at - b.at);
  return complaints.map(({ at, what }) => `shader:${code.slice(0, at).split('\n').length}: error: Metal does not take ${what}`);
}

// Comments and strings become blanks of the same height, so that lines keep their numbers. The quotes stay.
function withoutComments(text: string): string {
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ');
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"\\\n]|\\.)*)"/g, (part) =>
    part.startsWith('"') ? `"${blank(part.slice(1, -1))}"` : blank(part),
  );
}
