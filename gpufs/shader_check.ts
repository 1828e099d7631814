// Is a shader text what Metal's and NVIDIA's compilers take? Asked of compilers that run on any machine: clang with a stand-in for Metal's
// library (native/shaders/check/), and nvcc. Neither needs a GPU. A check whose compiler is missing says so and never passes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { indexClashes, withoutMetalAttributes } from './metal_attributes.ts';
import { recursions } from './metal_calls.ts';
import { clangProblems } from './metal_diagnostics.ts';
import { pointersWithoutSpace } from './metal_pointers.ts';
import { refusedConstructs } from './metal_refused.ts';
import { type Problem, readTree } from './metal_tree.ts';
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
// clang needs to copy structs; the pointers that it then lets through are found by pointersWithoutSpace. MSL 3.2 is C++14. Of headers there is the
// stand-in alone: neither the functions of OpenCL nor the files of the machine.
const CLANG_FLAGS = [
  '-x cl -cl-std=clc++2021 -target spir64 -nogpulib -nostdinc -cl-no-stdinc -fno-color-diagnostics -D__METAL_VERSION__=320',
  '-Xclang -cl-ext=-all,+__opencl_c_int64,+__opencl_c_generic_address_space',
  '-Wno-unknown-pragmas -Werror=unknown-attributes -Werror=pre-c++17-compat',
].flatMap((flags) => flags.split(' '));

export interface MetalCheckResult extends CheckResult {
  /** Of the file `shader`, which is the text. */
  problems: readonly Problem[];
}

/** Whether a flat text (no `#include "..."`) is Metal Shading Language 3.2, as far as clang and a few looks at its syntax tree can tell. */
export function checkMetal(text: string): MetalCheckResult {
  const clang = firstThatRuns(CLANGS);
  if (clang === undefined) return { ok: false, skipped: metalCheckMissing() ?? '', output: '', problems: [] };
  const problems = metalProblems(clang, text);
  return { ok: problems.length === 0, output: problems.map(({ file, line, message }) => `${file}:${line}: error: ${message}`).join('\n'), problems };
}

function metalProblems(clang: string, text: string): Problem[] {
  // What attributes there are is known when macros are gone.
  const preprocessed = runClang(clang, ['-E'], text);
  if (!preprocessed.accepted) return preprocessed.problems;
  const { plain, names } = withPlainNames(preprocessed.output);
  const parsed = runClang(clang, ['-fsyntax-only', '-Xclang', '-ast-dump'], withoutMetalAttributes(plain));
  const named = (problem: Problem): Problem => ({ ...problem, file: names.get(problem.file) ?? problem.file });
  if (!parsed.accepted) return parsed.problems.map(named);
  const nodes = readTree(parsed.output);
  const found = [...refusedConstructs(nodes), ...recursions(nodes), ...indexClashes(nodes), ...pointersWithoutSpace(nodes)];
  // A template is looked at each time that it is made.
  const different = new Map(found.map((problem) => [JSON.stringify(problem), named(problem)]));
  return [...different.values()].toSorted((a, b) => a.line - b.line);
}

function runClang(clang: string, flags: readonly string[], input: string): { accepted: boolean; output: string; problems: Problem[] } {
  // In the folder of the stand-in, so that an `#include "..."` finds nothing.
  const folder = join(shadersRoot, 'check');
  const run = spawnSync(clang, [...CLANG_FLAGS, ...flags, '-I', folder, '-'], { cwd: folder, input, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX });
  if (run.error !== undefined) throw run.error;
  const accepted = run.status === 0;
  const problems = clangProblems(run.stderr.replaceAll('<stdin>', 'shader'));
  // A compiler that fails without a word of the text is no proof of anything.
  if (!accepted && problems.length === 0) throw new Error(`[warpfs] ${clang} failed: ${run.stderr.trim()}`);
  return { accepted, output: run.stdout, problems };
}

/** In line marks, and so in the syntax tree, names of files have neither blanks, colons nor brackets. What would silence clang goes. */
function withPlainNames(preprocessed: string): { plain: string; names: Map<string, string> } {
  const names = new Map<string, string>();
  const plainOf = new Map([['<stdin>', 'shader']]);
  const plain = preprocessed
    .replace(/^(# \d+ )"((?:[^"\\]|\\.)*)".*$/gm, (_, mark: string, name: string) => {
      const plainName = plainOf.get(name) ?? `file${plainOf.size}`;
      plainOf.set(name, plainName);
      if (name !== '<stdin>') names.set(plainName, basename(name) === 'metal_stdlib' ? 'metal_stdlib' : name.replace(/\\(.)/g, '$1'));
      return `${mark}"${plainName}"`;
    })
    .replace(/^#pragma (?:clang|GCC) .*$/gm, '');
  return { plain, names };
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
