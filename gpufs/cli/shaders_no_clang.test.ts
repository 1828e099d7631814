// Where there is no clang nothing passes. The search happens once a process, so this has a file of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkTools } from './check_tools.ts';
import { runCli } from './cli.ts';
import { sheepCatalogue } from './sheep_for_tests.ts';

const path = process.env['PATH'];
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-no-clang-'));
  writeFileSync(join(folder, 'fine.metal'), '#include <metal_stdlib>\n');
  process.env['PATH'] = folder;
});
afterAll(() => {
  process.env['PATH'] = path;
  rmSync(folder, { recursive: true });
});

test('a check without clang names what it looked for, and ends with 3', async () => {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const check = (...words: string[]) =>
    runCli(['shaders', '--check', join(folder, 'fine.metal'), ...words], streams, { experiments: sheepCatalogue(), benchmarks: [], check: checkTools });
  const reason = 'no clang (looked for clang-19, clang-16, clang-14, clang)';
  expect(await check()).toBe(3);
  expect(out).toBe('');
  expect(error).toBe(`${join(folder, 'fine.metal')}: NOT CHECKED: ${reason}\n`);
  expect(await check('--json')).toBe(3);
  expect(JSON.parse(out)).toEqual({ command: 'shaders', files: [{ file: join(folder, 'fine.metal'), ok: false, skipped: reason, problems: [] }] });
});
