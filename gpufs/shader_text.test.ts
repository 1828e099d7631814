import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shadersRoot } from './package_root.ts';
import { flatDialectText, flattenShader, flattenShaderText } from './shader_text.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-text-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
const flat = (name: string): string => flattenShader(join(folder, 'shaders', name), join(folder, 'shaders'));

test('inlines in order, once, and keeps system includes', () => {
  write({
    'abi/abi.h': '#pragma once\nstruct A {};\n',
    'shaders/ring.h': '#pragma once\n#include "../abi/abi.h"\nvoid ring();\n',
    'shaders/main.h': '#pragma once\n#include <metal_stdlib>\n#include "ring.h"\n#include "../abi/abi.h"\nvoid end();\n',
  });
  expect(flat('main.h')).toBe(
    [
      '// ---- from: main.h',
      '#include <metal_stdlib>',
      '// ---- from: ring.h',
      '// ---- from: abi/abi.h',
      'struct A {};',
      '// ---- from: ring.h',
      'void ring();',
      '// ---- from: main.h',
      'void end();',
      '',
    ].join('\n'),
  );
});

test('a file without #pragma once comes each time', () => {
  write({ 'shaders/x.inc': 'X\n', 'shaders/main.h': '#include "x.inc"\n#include "x.inc"\n' });
  expect(flat('main.h').match(/^X$/gm)).toHaveLength(2);
});

test('a file that may stand in a dead branch does not count as included', () => {
  write({
    'shaders/abi.h': '#pragma once\nstruct A {};\n',
    'shaders/main.h': '#ifdef NEVER\n#include "abi.h"\n#endif\n#include "abi.h"\n',
  });
  const text = flat('main.h');
  expect(text.match(/struct A/g)).toHaveLength(2);
  expect(text.match(/#ifndef WARPFS_FLAT_ABI_H\n#define WARPFS_FLAT_ABI_H/g)).toHaveLength(2);
});

test('what is missing or includes itself is named, without the path of this machine', () => {
  write({ 'shaders/main.h': '\n#include "gone.h"\n', 'shaders/loop.h': '#include "loop.h"\n' });
  expect(() => flat('main.h')).toThrow('[warpfs] main.h:2: cannot find "gone.h"');
  expect(() => flat('loop.h')).toThrow('[warpfs] loop.h:1: loop.h includes itself');
});

test('names files beside the root without the way there', () => {
  write({ 'shaders/dialect/cpu.h': '#pragma once\n', 'elsewhere/own.h': 'own\n', 'shaders/main.h': '#include "../elsewhere/own.h"\n' });
  expect(flat('main.h')).toContain('// ---- from: elsewhere/own.h');
  expect(flat('main.h')).not.toContain(folder);
});

test('a text of one’s own is flattened as a file of the root', () => {
  write({ 'shaders/a.h': '#pragma once\na\n' });
  expect(flattenShaderText('#include "a.h"\nmine', 'kernel', join(folder, 'shaders'))).toBe(
    '// ---- from: a.h\na\n// ---- from: kernel\nmine\n',
  );
});

test.each(['cpu', 'cuda', 'metal'] as const)('the flat text of %s stands alone', (dialect) => {
  const text = flatDialectText(dialect, shadersRoot);
  expect(text).not.toMatch(/#\s*include\s+"/);
  expect(text).not.toContain(shadersRoot);
  expect(text.match(/ABI_HASH = /g)).toHaveLength(1);
  expect(text.indexOf('struct Vec16')).toBeLessThan(text.indexOf('ABI_HASH = '));
});
