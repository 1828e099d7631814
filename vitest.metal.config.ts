// `npm run test:metal`: every suite that takes a device, on a Mac; anywhere else on the fake Metal, which is built first.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { deviceSuites } from './gpufs/conformance/device_suites.ts';
import { packageRoot } from './gpufs/package_root.ts';

const env: Record<string, string> = { WARPFS_TEST_DEVICE: 'metal' };
if (process.platform !== 'darwin') {
  // WARPFS_BUILD: a build folder of another kind, as that of tools/coverage_metal.sh.
  const build = process.env['WARPFS_BUILD'] ?? join(packageRoot, 'build');
  const built = spawnSync('cmake', ['--build', build, '--target', 'warpfs_metal_fake', '--parallel', '2'], { cwd: packageRoot, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the fake Metal cannot be built (it needs clang++-19, libobjc-12-dev and libblocksruntime-dev):\n${built.stdout}${built.stderr}`);
  env['WARPFS_NATIVE'] = join(build, 'metal_fake', 'warpfs.node');
  env['WARPFS_METAL_FAKE_FOLDER'] = join(build, 'metal_fake', 'modules');
  mkdirSync(env['WARPFS_METAL_FAKE_FOLDER'], { recursive: true });
}
Object.assign(process.env, env);

export default defineConfig({
  test: {
    pool: 'forks',
    include: [...deviceSuites],
    globalSetup: ['gpufs/conformance/require_device.ts'],
    env,
    maxWorkers: 2,
    testTimeout: 120_000,
  },
});
