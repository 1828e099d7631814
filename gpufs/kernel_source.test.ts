import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDefinition, type KernelDefinition } from './kernel_definition.ts';
import { parseDiagnostics } from './kernel_diagnostics.ts';
import { cpuKernelText, cudaKernelText } from './kernel_source.ts';

function textOf(definition: KernelDefinition): string {
  return cpuKernelText(definition, checkDefinition(definition).shared);
}

test('the text of a kernel', () => {
  const text = textOf({
    name: 'sum_pages',
    inputs: { path: 'string', factor: 'f32', count: 'u64', weights: 'f32[]' },
    outputs: { sums: 'u32[]', raw: 'u8[]' },
    shared: { flags: 'u8[5]', scratch: 'u32[64]' },
    source: '\n  body();\n',
  });
  expect(text).toBe(`#include "dialect/cpu.h"
#include "warpfs.h"
#include "entry/cpu.h"
namespace warpfs {
WARPFS_FN int item_body(WARPFS_THREAD Fs& fs, [[maybe_unused]] WARPFS_DEVICE const uchar* path, [[maybe_unused]] const float factor, [[maybe_unused]] const ulong count, [[maybe_unused]] WARPFS_DEVICE const float* weights, [[maybe_unused]] WARPFS_DEVICE uint* sums, [[maybe_unused]] WARPFS_DEVICE uchar* raw) {
  [[maybe_unused]] WARPFS_THREAD Lane& lane = fs.lane;
  [[maybe_unused]] const uint item = fs.item;
  [[maybe_unused]] WARPFS_GROUP uchar* flags = (WARPFS_GROUP uchar*)(group_memory(lane) + 0);
  [[maybe_unused]] WARPFS_GROUP uint* scratch = (WARPFS_GROUP uint*)(group_memory(lane) + 16);
#line 1 "sum_pages"

  body();

#line 1 "warpfs-generated"
  return WARPFS_DONE;
}
}  // namespace warpfs
WARPFS_KERNEL_ENTRY(item_body(fs, (WARPFS_DEVICE const uchar*)own[0], *(const float*)own[1], *(const ulong*)own[2], (WARPFS_DEVICE const float*)own[3], (WARPFS_DEVICE uint*)own[4], (WARPFS_DEVICE uchar*)own[5]))
`);
});

test('the text of a kernel for NVIDIA GPUs is the same behind other headers, all of them in it', () => {
  const root = mkdtempSync(join(tmpdir(), 'warpfs-headers-'));
  try {
    for (const name of ['dialect/cuda.h', 'warpfs.h', 'entry/cuda.h']) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), `#pragma once\n// the text of ${name}\n`);
    }
    const definition: KernelDefinition = { name: 'sum_pages', outputs: { sums: 'u32[]' }, source: '\n#include "mine.h"\n  body();\n' };
    const text = cudaKernelText(definition, [], root);
    const head = ['dialect/cuda.h', 'warpfs.h', 'entry/cuda.h'].map((name) => `// ---- from: ${name}\n// the text of ${name}\n`).join('');
    // Not a line of the user is touched, so that each keeps its number.
    expect(text).toBe(`${head}${textOf(definition).split('\n').slice(3).join('\n')}`);
    expect(text).toContain(`#line 1 "sum_pages"\n${definition.source}\n#line 1`);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.each<[object, string]>([
  [{ name: 'a b' }, 'kernel.name: "a b" is not an identifier'],
  [{ name: 'x"\n#include "y' }, 'is not an identifier'],
  [{ name: 'while' }, 'kernel.name: "while" is a reserved name'],
  [{ inputs: { item: 'u32' } }, 'kernel k.inputs: "item" is a reserved name'],
  [{ inputs: { a: 'u16' } }, 'kernel k.inputs.a: "u16" is not one of string, bytes'],
  [{ outputs: { a: 'u32' } }, 'kernel k.outputs.a: "u32" is not one of u8[], u32[]'],
  [{ outputs: { report: 'u32[]' } }, 'kernel k.outputs: "report" is a reserved name'],
  [{ inputs: { a: 'u32' }, outputs: { a: 'u32[]' } }, 'kernel k.outputs: the name a is used twice'],
  [{ groupWarps: 33 }, 'kernel k.groupWarps: 33 is not a whole number from 1 to 32'],
  [{ shared: { a: 'u32' } }, 'kernel k.shared.a: "u32" is not an array like u32[64]'],
  [{ shared: { a: 'u32[9000]' } }, 'kernel k.shared: 36000 bytes are more than the 32768'],
  [{ source: 5 }, 'kernel k.source: 5 is not the text of a kernel body'],
])('refused: %#', (change, message) => {
  expect(() => textOf({ name: 'k', source: '', ...change } as KernelDefinition)).toThrow(message);
});

test('diagnostics of g++ and clang++, without what is not in the text of the user', () => {
  const output = [
    "sum_pages: In function 'int item_body()':",
    "sum_pages:3:9: error: 'x' was not declared in this scope",
    '/somewhere/warpfs.h:10:1: note: declared here',
    'sum_pages:4:1: fatal error: stop',
    'sum_pages:5:2: warning: unused',
  ].join('\n');
  expect(parseDiagnostics(output, { name: 'sum_pages', source: '' })).toEqual([
    { line: 3, column: 9, severity: 'error', message: "'x' was not declared in this scope" },
    { line: 4, column: 1, severity: 'error', message: 'stop' },
    { line: 5, column: 2, severity: 'warning', message: 'unused' },
  ]);
});

test('what stands before a kernel is at the scope of the file, on both devices, and what it includes is there', () => {
  const definition: KernelDefinition = { name: 'mine', prelude: '#include "replacement.h"\nnamespace warpfs { WARPFS_FN uint twice(uint v) { return 2u * v; } }', source: 'twice(item);' };
  const text = textOf(definition);
  expect(text).toContain('#include "entry/cpu.h"\n#line 1 "mine"\n#include "replacement.h"\nnamespace warpfs { WARPFS_FN uint twice');
  expect(text.indexOf('uint twice')).toBeLessThan(text.indexOf('item_body'));
  const flat = cudaKernelText(definition, checkDefinition(definition).shared);
  expect(flat).toContain('WARPFS_FN uint twice');
  expect(flat).not.toMatch(/^#include "/m);
  expect(() => checkDefinition({ ...definition, prelude: 7 as unknown as string })).toThrow('kernel mine.prelude: 7 is not a text');
});
