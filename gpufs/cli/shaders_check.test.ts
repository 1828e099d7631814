import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metalCheckMissing } from '../shader_check.ts';
import { checkTools } from './check_tools.ts';
import { runCli } from './cli.ts';
import { sheepCatalogue } from './sheep_for_tests.ts';

async function shaders(...words: string[]): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const code = await runCli(['shaders', ...words], streams, { experiments: sheepCatalogue(), benchmarks: [], check: checkTools });
  return { code, out, error };
}

const fine = `#include "dialect/metal.h"
#include "warpfs.h"
#include "sizes.h"

kernel void add_up(device uint* out [[buffer(0)]], uint lane [[thread_index_in_simdgroup]], uint lanes [[threads_per_simdgroup]]) {
  warpfs::Lane own = {lane, lanes, 0};
  out[lane] = own.sum(COUNT);
}
`;
const files: Record<string, string> = {
  'fine.metal': fine,
  'goto.metal': `#if defined(NEVER)\n#include "sizes.h"\n#endif\n${fine}void f() {\na:\n  goto a;\n}\n`,
  'of its own.metal': '#include <metal_stdlib>\n#include "with goto.h"\nkernel void k(uint i) {}\n',
  'with goto.h': '// ----\n#pragma once\nvoid f() { a: goto a; }\n',
  'lost.metal': '\n#include "gone.h"\n',
  'loop.metal': '#include "loop.metal"\n',
  'sizes.h': '#pragma once\nenum { COUNT = 4 };\n',
};
let folder = '';
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-check-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text);
  mkdirSync(at('folder.metal'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const taken = (name: string): string => `${at(name)}: Metal would take it, as far as clang and the lint can tell\n`;

const missing = metalCheckMissing();
describe.skipIf(missing !== undefined)(missing === undefined ? 'with clang' : `SKIP ${missing}: with clang`, () => {
  test('a text with our headers and one of its own is taken', async () => {
    expect(await shaders('--check', at('fine.metal'))).toEqual({ code: 0, out: taken('fine.metal'), error: '' });
  });

  test('complaints stand at the lines of the user, however much is included above', async () => {
    const line = (files['goto.metal'] as string).split('\n').indexOf('  goto a;') + 1;
    const { code, out } = await shaders('--check', at('goto.metal'));
    expect({ code, out }).toEqual({ code: 1, out: `${at('goto.metal')}:${line}: error: Metal does not take goto\n` });
  });

  test('one in a file that is included stands there', async () => {
    const { code, out } = await shaders('--check', at('of its own.metal'));
    expect({ code, out }).toEqual({ code: 1, out: `${at('with goto.h')}:3: error: Metal does not take goto\n` });
  });

  test.each([
    ['lost.metal', 2, 'cannot find "gone.h"'],
    ['loop.metal', 1, 'includes itself'],
  ])('%s: an include that cannot be followed is refused where it stands', async (name, line, message) => {
    const { code, out } = await shaders('--check', at(name));
    expect(code).toBe(1);
    expect(out).toMatch(`${at(name)}:${line}: error: `);
    expect(out).toContain(message);
  });

  test('several files are all told of, and one that is refused is enough for the exit code', async () => {
    const { code, out } = await shaders('--check', at('fine.metal'), at('lost.metal'), at('fine.metal'));
    expect(code).toBe(1);
    expect(out).toBe(`${taken('fine.metal')}${at('lost.metal')}:2: error: cannot find "gone.h"\n${taken('fine.metal')}`);
  });

  test('--json is one object on one line', async () => {
    const { code, out } = await shaders('--check', at('fine.metal'), at('with goto.h'), '--json');
    expect(code).toBe(1);
    expect(out.indexOf('\n')).toBe(out.length - 1);
    expect(JSON.parse(out)).toEqual({
      command: 'shaders',
      files: [
        { file: at('fine.metal'), ok: true, problems: [] },
        { file: at('with goto.h'), ok: false, problems: [{ file: at('with goto.h'), line: 3, message: 'Metal does not take goto' }] },
      ],
    });
  });
});

test.each([
  ['gone.metal', 'ENOENT'],
  ['folder.metal', 'EISDIR'],
])('%s cannot be read, and nothing is checked', async (name, code) => {
  const words = ['--check', at('fine.metal'), at(name)];
  const ended = await shaders(...words);
  expect(ended).toMatchObject({ code: 1, out: '' });
  expect(ended.error).toContain(`[warpfs] cannot read ${at(name)}: ${code}`);
  expect(JSON.parse((await shaders(...words, '--json')).out)).toMatchObject({ command: 'shaders', error: { code } });
});

test.each([
  [['--check'], "option '--check <files...>' argument missing"],
  [['--check', 'a.metal', '--flat'], "option '--check <files...>' cannot be used with option '--flat'"],
  [['--check', 'a.metal', '--dialect', 'cuda'], '--check is for Metal texts; it cannot be used with --dialect cuda'],
])('bad usage: %j', async (words, message) => {
  const { code, out, error } = await shaders(...words);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(error).toContain(message);
});
