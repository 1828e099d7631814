// The system and the experiment that CONTRIBUTING.md shows: each is one file, is found without a list, compiles, runs and is right.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../gpufs/package_root.ts';
import { runCli } from '../gpufs/cli/cli.ts';
import { checkTools } from '../gpufs/cli/check_tools.ts';
import { experimentCatalogue } from './catalogue.ts';
import type { Row } from './rows.ts';

// Within the package, so that what they import is found, and where git does not look.
mkdirSync(join(packageRoot, 'build'), { recursive: true });
const added = mkdtempSync(join(packageRoot, 'build', 'added-'));
const written: string[] = [];
afterAll(() => rmSync(added, { recursive: true, force: true }));

beforeAll(() => {
  const text = readFileSync(join(packageRoot, 'CONTRIBUTING.md'), 'utf8');
  for (const [, name = '', template = ''] of text.matchAll(/```ts\n\/\/ experiments\/(\S+)\n([^]*?)```/g)) {
    const moved = template.replaceAll(/from '\.\.\/\.\.\//g, "from '../../../").replaceAll(/from '\.\.\/(?!\.\.)/g, "from '../../../experiments/");
    mkdirSync(dirname(join(added, name)), { recursive: true });
    writeFileSync(join(added, name), moved);
    written.push(name);
  }
});

test('CONTRIBUTING.md shows one file of each', () => {
  expect(written).toEqual(['systems/prefetching.ts', '90_in_order/run.ts']);
});

test('both have the types of what they are', () => {
  writeFileSync(join(added, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', compilerOptions: { noEmit: true, rootDir: '../..' }, include: ['**/*.ts'], exclude: [] }));
  const tsc = join(packageRoot, 'node_modules', '.bin', 'tsc');
  expect(() => execFileSync(tsc, ['-p', added], { encoding: 'utf8', stdio: 'pipe' })).not.toThrow();
}, 60_000);

test('the new experiment runs on all systems, and the new system runs in it, with right answers', async () => {
  const catalogue = await experimentCatalogue([added]);
  let [out, error] = ['', ''];
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const line = ['run', 'in_order', '--tiny', '--json', '--device', 'cpu', '--out', join(added, 'results'), '--folder', added];
  expect([await runCli(line, streams, { experiments: catalogue, benchmarks: [], check: checkTools }), error]).toEqual([0, '']);
  const rows = out.trimEnd().split('\n').map((text) => JSON.parse(text) as Row);
  expect(rows.every(({ verified, value }) => verified && value !== null && value > 0)).toBe(true);
  expect(rows.map(({ system }) => system)).toEqual(catalogue.systems.filter(({ asked }) => asked !== true).map(({ name }) => name));
  expect(rows.map(({ system }) => system)).toContain('prefetching');
  const old = ['run', 'random_read', '--tiny', '--json', '--device', 'cpu', '--systems', 'prefetching', '--out', join(added, 'results'), '--folder', added];
  expect(await runCli(old, streams, { experiments: catalogue, benchmarks: [], check: checkTools })).toBe(0);
}, 120_000);

test('two systems of one name are refused', async () => {
  writeFileSync(join(added, 'systems', 'again.ts'), readFileSync(join(added, 'systems', 'prefetching.ts')));
  await expect(experimentCatalogue([added])).rejects.toThrow('two systems are called prefetching');
  rmSync(join(added, 'systems', 'again.ts'));
  writeFileSync(join(added, 'systems', 'empty.ts'), 'export const nothing = 1;\n');
  await expect(experimentCatalogue([added])).rejects.toThrow('empty.ts exports no system');
});
