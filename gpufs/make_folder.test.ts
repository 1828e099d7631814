import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeFolder } from './make_folder.ts';

const root = mkdtempSync(join(tmpdir(), 'warpfs-make-folder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('makes what is missing, and is content with what is there', async () => {
  const deep = join(root, 'a', 'b', 'c');
  await Promise.all([makeFolder(deep), makeFolder(deep)]);
  await makeFolder(deep);
  expect(statSync(deep).isDirectory()).toBe(true);
});

test('says what is in the way', async () => {
  writeFileSync(join(root, 'file'), '');
  await expect(makeFolder(join(root, 'file', 'below'))).rejects.toThrow(/ENOTDIR|EEXIST/);
});

test.skipIf(process.platform !== 'linux')('ends where no folder can be made', { timeout: 5000 }, async () => {
  await expect(makeFolder('/proc/nope')).rejects.toThrow(/ENOENT|EACCES|EPERM/);
});
