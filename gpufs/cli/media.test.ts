import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Row } from '../../experiments/rows.ts';
import { media } from '../media/media.ts';
import { checkTools } from './check_tools.ts';
import { runCli } from './cli.ts';
import { sheepCatalogue } from './sheep_for_tests.ts';

async function cli(line: string): Promise<{ code: number; out: string; error: string }> {
  let out = '';
  let error = '';
  const streams = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), watched: false };
  const benchmark = (name: string, onRequest?: true) => ({
    name, unit: 'x', question: '?', ...(onRequest === undefined ? {} : { onRequest }), prepare: async () => ({ run: async () => 1 }),
  });
  const code = await runCli(line.split(' '), streams, { experiments: sheepCatalogue(), benchmarks: [benchmark('usual'), benchmark('medium_of_sheep', true)], check: checkTools });
  return { code, out, error };
}

test('media are listed, with their numbers', async () => {
  const { code, out } = await cli('media');
  expect(code).toBe(0);
  const lines = out.split('\n');
  for (const name of Object.keys(media)) expect(lines.filter((line) => line.startsWith(`${name} `))).toHaveLength(1);
  expect(lines.find((line) => line.startsWith('samsung_990_pro '))).toMatch(/45\.45 +57\.42 +12\.5 +15\.79 +1,000 +1,400 +1,550 +7,450 +6,900 +226 +1,400 +512$/);
});

test('one medium says where each of its numbers comes from', async () => {
  const { code, out } = await cli('media samsung_990_pro');
  expect(code).toBe(0);
  expect(out).toContain('samsung_990_pro: Samsung 990 PRO, 2 TB');
  expect(out).toMatch(/^read\.megabytesPerSecond +7,450 +Samsung SSD 990 PRO data sheet, 2 TB \(MZ-V9P2T0B\)$/m);
  expect(out).toMatch(/^sync\.medianUs +1,000 +estimated: /m);
  expect(out).not.toContain('optane');
});

test('as JSON they are the profiles themselves', async () => {
  const { code, out } = await cli('media --json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toEqual({ command: 'media', media: JSON.parse(JSON.stringify(media)) as object });
  expect(Object.keys((JSON.parse((await cli('media tcp --json')).out) as { media: object }).media)).toEqual(['tcp']);
});

test('an unknown medium is bad usage, and is said before anything is done', async () => {
  expect(await cli('media samsung_990')).toMatchObject({ code: 2, error: expect.stringContaining("unknown medium 'samsung_990'. Did you mean samsung_990_pro? Known: optane_p5800x,") as string });
  const { code, error } = await cli('run count_sheep --medium samsung_980');
  expect(code).toBe(2);
  expect(error).toContain("argument 'samsung_980' is invalid. It is no medium that is known. Did you mean samsung_980_pro? Known: raw, optane_p5800x,");
});

test('an experiment has its medium in each row, and leaves out what no medium shapes', async () => {
  const out = mkdtempSync(join(tmpdir(), 'warpfs-media-test-'));
  try {
    const shaped = await cli(`run count_sheep --device cpu --runs 1 --out ${out} --medium tcp --json`);
    expect(shaped.code).toBe(0);
    const rows = shaped.out.trimEnd().split('\n').map((line) => JSON.parse(line) as Row);
    expect(rows.map(({ system, medium }) => [system, medium])).toEqual([['fast', 'tcp'], ['fast', 'tcp']]);
    expect(shaped.error).toContain('left out wool: it reads and writes the file past the daemon');
    const { out: raw } = await cli(`run count_sheep --device cpu --runs 1 --out ${out} --json`);
    expect((JSON.parse(raw.split('\n')[0] as string) as Row).medium).toBe('raw');
  } finally {
    rmSync(out, { recursive: true });
  }
});

test('benchmarks of media run where they are named', async () => {
  expect((await cli('bench --runs 5')).out).not.toContain('medium_of_sheep');
  expect((await cli('bench --runs 5 medium_of_sheep')).out).toContain('medium_of_sheep');
});
