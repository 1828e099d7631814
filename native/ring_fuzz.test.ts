// Twenty seconds of the fuzzer of the rings, from the committed corpus on. `npm run fuzz` runs it for longer.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../gpufs/package_root.ts';

const SECONDS = 20;
const MISSING = 77; // what the script ends with where no clang has libFuzzer

test(`the host stands ${SECONDS} s of a coverage-guided fuzzer`, { timeout: 300_000 }, (context) => {
  const run = spawnSync(join(packageRoot, 'tools', 'fuzz.sh'), ['--seconds', String(SECONDS)], { cwd: packageRoot, encoding: 'utf8', timeout: 280_000 });
  if (run.status === MISSING) {
    console.warn(`SKIP the fuzzer of the rings: ${run.stderr.trim()}`);
    context.skip(run.stderr.trim());
  }
  expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
  const runs = Number(/number_of_executed_units: (\d+)/.exec(run.stderr)?.[1] ?? 0);
  expect(runs, run.stderr).toBeGreaterThan(1000);
});
