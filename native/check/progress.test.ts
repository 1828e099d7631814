// The livelock detector of check mode agrees with the published verdicts: 483 litmus programs under ten models of forward progress
// (Sorensen et al., OOPSLA 2021; litmus/LICENSE).
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadNativeBinding } from '../../gpufs/native_binding.ts';

interface LitmusFile {
  models: string[];
  /** `expect` has a P or an F for each of the models. */
  programs: { cfg: string; id: number; threads: string[][]; expect: string }[];
}

const { models, programs } = JSON.parse(readFileSync(new URL('litmus/progress-litmus.json', import.meta.url), 'utf8')) as LitmusFile;
const { binding } = loadNativeBinding();

test('the file holds all that was published', () => {
  expect(programs).toHaveLength(483);
  expect(models).toHaveLength(10);
  // How many programs surely end, model by model, as in the paper.
  const ending = models.map((_, index) => programs.filter((program) => program.expect[index] === 'P').length);
  expect(ending).toEqual([24, 90, 111, 122, 323, 113, 184, 221, 232, 483]);
});

test('all 4,830 verdicts agree, in less than half a second', () => {
  const begin = performance.now();
  const found = programs.map(({ threads }) => binding.progressLitmus(threads));
  const milliseconds = performance.now() - begin;
  const wrong = programs.flatMap(({ cfg, id, expect: wanted }, program) =>
    models
      .map((model, index) => ({ program: `${cfg} ${id}`, model, found: found[program]?.[model], wanted: wanted[index] === 'P' ? 'PASS' : 'FAIL' }))
      .filter((verdict) => verdict.found !== verdict.wanted),
  );
  expect(wrong).toEqual([]);
  expect(found.reduce((count, verdicts) => count + Object.keys(verdicts).length, 0)).toBe(4830);
  expect(milliseconds).toBeLessThan(500);
});

test.each(['atomic_load(0,1)', 'atomic_store(0)', 'atomic_chk_branch(0,0,7)', 'atomic_store(0,256)'])('%s is refused by name', (instruction) => {
  expect(() => binding.progressLitmus([['atomic_store(0,1)', instruction]])).toThrow(`thread 0 instruction 1 '${instruction}'`);
});
