// A GPU whose driver refuses a process is mounted in another one: with a stand-in for the driver. No GPU is needed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildDriverForTests, configForTests, dispatchForTests, driverForTestsMissing, withDriverForTests } from './cuda_driver_for_tests.ts';
import { packageRoot } from './package_root.ts';

const built = join(packageRoot, 'dist', 'gpufs');
const missing = driverForTestsMissing() ?? (existsSync(join(built, 'mount_place.js')) ? undefined : 'dist is not built');
const named = (name: string) => (missing === undefined ? name : `SKIP ${missing}: ${name}`);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-place-test-'));
  if (missing === undefined) buildDriverForTests(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a process prints, one line each, that has `binding`, and can make mounts and have them dispatch. */
function linesOf(script: string): string[] {
  const text = `
    import { makeNativeMount } from ${JSON.stringify(pathToFileURL(join(built, 'mount_place.js')).href)};
    import { loadNativeBinding } from ${JSON.stringify(pathToFileURL(join(built, 'native_binding.js')).href)};
    const { binding } = loadNativeBinding();
    const say = (what) => console.log(String(what));
    const make = (more = {}) => makeNativeMount(binding, { ...${JSON.stringify(configForTests(folder))}, ...more }, {});
    const dispatch = (mount) => mount.dispatch(${JSON.stringify(dispatchForTests)}).then(() => 'fine', (error) => error.code + ' ' + error.message);
    const where = (mount) => mount.describe().process ?? 'here';
    ${script}`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', text], { env: withDriverForTests(folder), encoding: 'utf8', timeout: 30_000 });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

const ended = 'running a kernel: CUDA_ERROR_ILLEGAL_ADDRESS as told';
const tail = 'A new mount works, in a process of its own';
const elsewhere = `a process of its own \\(\\d+\\): the driver does nothing more for this one since an error of a kernel \\(${ended}\\)`;

test.skipIf(missing !== undefined)(named('after an illegal address the mounts of the process are lost, and new ones are in processes of their own'), () => {
  const lines = linesOf(`
    const [first, other] = [await make(), await make()];
    say(where(first));
    say(await dispatch(first));
    process.env.WARPFS_TEST_KERNEL = 'stray';
    say(await dispatch(first));
    delete process.env.WARPFS_TEST_KERNEL;
    say(await dispatch(first));
    say(await dispatch(other));
    say(binding.cudaRefusal());
    const [next, beside] = [await make(), await make()];
    say(where(next));
    say(await dispatch(next));
    process.kill(Number(/\\d+/.exec(where(next))[0]), 'SIGKILL');
    say(await dispatch(next));
    say(await dispatch(beside));
    for (const mount of [first, other, next, beside]) await mount.unmount(true).catch(() => undefined);`);
  expect(lines).toEqual([
    'here',
    'fine',
    expect.stringMatching(`^EIO ${ended}. This mount is lost; .* other mounts on a GPU there are lost too. ${tail}$`),
    expect.stringMatching(`^EIO this mount has lost its GPU: ${ended}$`),
    expect.stringMatching(`^EIO this mount has lost its GPU: another kernel of this process made an error, .*\\(${ended}\\)\\. .* ${tail}$`),
    ended,
    expect.stringMatching(`^${elsewhere}$`),
    'fine',
    expect.stringContaining('was ended by SIGKILL'),
    'fine',
  ]);
});

test.skipIf(missing !== undefined)(named('an illegal address in a process of its own ends that process alone, and the next mount has a new one'), () => {
  const lines = linesOf(`
    process.env.WARPFS_TEST_KERNEL = 'stray';
    await dispatch(await make());
    const second = await make();
    delete process.env.WARPFS_TEST_KERNEL; // which each process has from its start
    const beside = await make();
    say(await dispatch(second));
    say(await dispatch(beside));
    say(await second.unmount(true));
    const third = await make();
    say(where(third));
    say(await dispatch(third));
    say(where(third) !== where(second));`);
  expect(lines).toEqual([expect.stringMatching(`^EIO ${ended}\\. This mount is lost; .* ${tail}$`), 'fine', '-5', expect.stringMatching(`^${elsewhere}$`), 'fine', 'true']);
});

test.skipIf(missing !== undefined)(named('what cannot be mounted there is said as it would be here'), () => {
  const lines = linesOf(`
    const failure = (more) => make(more).then(() => 'mounted', (error) => error.code + ' ' + error.message);
    const wrongs = [{ deviceIndex: 7 }, { lineBytes: 1000 }, { builtin: '/nowhere.cubin' }];
    const here = [];
    for (const wrong of wrongs) here.push(await failure(wrong));
    process.env.WARPFS_TEST_KERNEL = 'stray';
    await dispatch(await make());
    for (const [index, wrong] of wrongs.entries()) {
      const there = await failure(wrong);
      say(there === here[index] ? there : here[index] + ' became ' + there);
    }`);
  expect(lines).toEqual([expect.stringMatching(/^ERR_WARPFS_DEVICE there is no CUDA device 7/), expect.stringMatching(/^EINVAL lineBytes: 1000/), expect.stringMatching(/nowhere\.cubin/)]);
});
