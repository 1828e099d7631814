// tools/sanitize_cuda.sh with stand-ins for compute-sanitizer and for Node. No GPU is needed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../package_root.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-sanitize-'));
  // All that is on PATH: a real compute-sanitizer may lie beside them.
  for (const tool of ['bash', 'dirname']) symlinkSync(execFileSync('/bin/sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(), join(folder, tool));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Each stand-in notes how it was called, with what the environment says. */
function stand(name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} serial=$WARPFS_CUDA_SERIAL $*" >> ${folder}/calls\n${body}\n`, { mode: 0o755 });
}

function sanitize(...options: string[]): { code: number | null; error: string; out: string; calls: string[] } {
  const environment = { PATH: folder, CUDA_PATH: '/nowhere', CUDA_HOME: '/nowhere' };
  const { status, stderr, stdout } = spawnSync(join(packageRoot, 'tools', 'sanitize_cuda.sh'), options, { env: environment, encoding: 'utf8' });
  let calls = '';
  try {
    calls = readFileSync(join(folder, 'calls'), 'utf8');
  } catch {
    // Nothing was called.
  }
  return { code: status, error: stderr, out: stdout, calls: calls.split('\n').filter((line) => line !== '') };
}

test('without compute-sanitizer it says where it looked, and ends with 77', () => {
  stand('node', 'exit 0');
  const { code, error, calls } = sanitize();
  expect([code, calls]).toEqual([77, []]);
  expect(error).toMatch(/^no compute-sanitizer was found on PATH, .*CUDA toolkit/);
});

test('where the exerciser does not work by itself no tool is run', () => {
  stand('node', 'exit 1');
  stand('compute-sanitizer', 'exit 0');
  const { code, error, calls } = sanitize();
  expect([code, calls.length]).toEqual([1, 1]);
  expect(error).toContain('no tool was run');
});

test('each tool watches the exerciser, one kernel at a time', () => {
  stand('node', 'exit 0');
  stand('compute-sanitizer', 'exit 0');
  const { code, out, calls } = sanitize('--operations', '9', '--seed', '4');
  expect(code).toBe(0);
  expect(out).toContain('nothing found by memcheck,racecheck,synccheck');
  expect(calls[0]).toMatch(/^node serial=1 .*exercise --device cuda --wait replay --seed 4 --operations 50$/);
  expect(calls.slice(1).map((call) => /--tool (\w+) --error-exitcode 86 .* node .*exercise --device cuda --wait replay --seed 4 --operations 9$/.exec(call)?.[1])).toEqual(['memcheck', 'racecheck', 'synccheck']);
});

test('what a tool finds, and an exerciser that fails under one, end it with 1 behind the last tool', () => {
  stand('node', 'exit 0');
  stand('compute-sanitizer', 'case "$*" in *memcheck*) exit 86 ;; *synccheck*) exit 3 ;; esac');
  const { code, error, calls } = sanitize();
  expect([code, calls.length]).toEqual([1, 4]);
  expect(error).toBe('FAILED: memcheck has found something\nFAILED: under synccheck the exerciser ended with 3\n');
  expect(sanitize('--tools', 'racecheck').code).toBe(0);
  expect(sanitize('--tool').code).toBe(2);
});
