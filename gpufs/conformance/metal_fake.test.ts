// The suites that say most of a device, on the fake Metal; `npm run test:metal` runs all of them.
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { fakeMetalMissing } from '../metal_fake_for_tests.ts';
import { packageRoot } from '../package_root.ts';

const suites = ['device', 'posix', 'kernels'].map((name) => `gpufs/conformance/${name}.test.ts`);

describe.skipIf(fakeMetalMissing !== undefined)(fakeMetalMissing === undefined ? 'the metal device on the fake Metal' : `SKIP ${fakeMetalMissing}`, () => {
  test('does what the other devices do', { timeout: 400_000 }, () => {
    const run = spawnSync('npx', ['vitest', 'run', '--config', 'vitest.metal.config.ts', '--maxWorkers=1', ...suites], { cwd: packageRoot, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', VITEST: undefined } });
    expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
    const [, passed] = /Tests\s+(\d+) passed/.exec(run.stdout) ?? [];
    expect(Number(passed), run.stdout).toBeGreaterThan(550);
  });
});
