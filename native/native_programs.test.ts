// The C++ tests are programs that print `ok <property>` lines and end with 0. They are linked with the library that the addon was linked with.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot, shadersRoot } from '../gpufs/package_root.ts';
import { fakeMetalMissing, noClang } from '../gpufs/metal_fake_for_tests.ts';

/** What a program is told: executor_test compiles a kernel module of its own, daemon_test leaves out what only measures. */
const options: Record<string, string[]> = {
  executor_test: [join(shadersRoot, 'dialect')], daemon_test: ['--no-speed'],
  msl_module_test: [shadersRoot], fake_metal_test: [shadersRoot], device_metal_test: [shadersRoot], probes_test: [shadersRoot],
  progress_test: [join(packageRoot, 'native', 'check', 'litmus', 'progress-litmus.json')],
};

/** Another one for builds with a sanitizer (tools/test_sanitized.sh). */
const BUILD = process.env['WARPFS_BUILD'] ?? join(packageRoot, 'build');

function builtProgram(name: string): string {
  const built = spawnSync('cmake', ['--build', BUILD, '--target', name, '--parallel', '2'], { encoding: 'utf8' });
  expect(built.status, `${built.stdout}\n${built.stderr}`).toBe(0);
  const program = [join(BUILD, name), join(BUILD, 'RelWithDebInfo', name), join(BUILD, 'metal_fake', name)].find((path) => existsSync(path));
  expect(program, `${name} was built but not found in ${BUILD}`).toBeDefined();
  return program!;
}

/** Its `ok` lines; it must end with 0. */
function okLines(name: string): string[] {
  const run = spawnSync(builtProgram(name), options[name] ?? [], { encoding: 'utf8', timeout: 240_000 });
  expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
  return run.stdout.match(/^ok .*/gm) ?? [];
}

describe('the C++ test programs', () => {
  for (const name of ['executor_test', 'collectives_test', 'line_edges_test', 'courier_test', 'device_cuda_test', 'daemon_test', 'medium_test', 'mount_race_test', 'host_side_test', 'progress_test', 'engine_test']) {
    test(name, { timeout: 300_000 }, () => expect(okLines(name).length).toBeGreaterThan(5));
  }

  const withoutObjectiveC = fakeMetalMissing === undefined ? '' : `: SKIP ${fakeMetalMissing}`;
  for (const [name, tests, skip] of [
    ['msl_module_test', 8, noClang ? ': SKIP no clang++-19, which compiles texts of Metal as C++' : ''], ['objects_test', 7, withoutObjectiveC], ['device_metal_test', 11, withoutObjectiveC], ['fake_metal_test', 10, withoutObjectiveC],
    ['probes_test', 10, withoutObjectiveC],
    ['fake_io_test', 7, withoutObjectiveC], ['io_mtlio_test', 11, withoutObjectiveC],
  ] as const) {
    // Whether a processor that plays a GPU looks in time is a matter of what else it has to do.
    const retry = name === 'probes_test' ? 2 : 0;
    test.skipIf(skip !== '')(`${name}${skip}`, { timeout: 300_000, retry }, () => expect(okLines(name)).toHaveLength(tests));
  }

  test('durability_test: whenever the power is lost, what was promised is there', { timeout: 300_000 }, () => {
    const run = spawnSync(builtProgram('durability_test'), [], { encoding: 'utf8', timeout: 120_000 });
    expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
    expect(run.stdout).toMatch(/^ok a host that leaves out syncs is found out$/m);
    expect(Number(/^ok (\d+) disks/m.exec(run.stdout)?.[1]), run.stdout).toBeGreaterThan(10_000);
  });

  test('kill_test: a writer that is killed loses nothing that it said to be synced', { timeout: 300_000 }, () => {
    const program = builtProgram('kill_test');
    const run = spawnSync(program, ['20'], { encoding: 'utf8', timeout: 120_000 });
    expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
    expect(run.stdout).toMatch(/^ok 20 kills, \d+ writes, \d+ of them synced, all there/m);
    // The test of the test: the writer lies.
    const lie = spawnSync(program, ['--without-sync', '100'], { encoding: 'utf8', timeout: 120_000 });
    expect(lie.status, `${lie.stdout}\n${lie.stderr}`).toBe(1);
    expect(lie.stdout).toMatch(/^FAILED after kill \d+ .* was synced$/m);
  });

  test('check_bench measures everything that it names', { timeout: 300_000 }, () => {
    const run = spawnSync(builtProgram('check_bench'), ['1000'], { encoding: 'utf8', timeout: 120_000 });
    expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
    expect(run.stdout.match(/^\w+ [\d.]+ \S+$/gm), run.stdout).toHaveLength(12);
  });
});
