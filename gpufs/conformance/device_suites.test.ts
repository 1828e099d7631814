// No suite that mounts is forgotten when the suites are run on another device.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../package_root.ts';
import { cpuSuites, deviceSuites } from './device_suites.ts';

/** What a test needs to get at a device of its own. */
const mounts = /\bmountOnTestDevice\b|\bmountWithStrategy\b|\bmount\(|\buseFixture\b|\bfailEachCall\b|\bmountInOwnProcessForTests\b|\bnativePresence\b|\bloadNativeBinding\b|\brunExperiment\(/;
const self = 'gpufs/conformance/device_suites.test.ts';

test('every suite that mounts runs on any device, or says why it does not', () => {
  const files = ['gpufs', 'cache', 'model', 'native', 'experiments'].flatMap((folder) =>
    readdirSync(join(packageRoot, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
  const mounting = files.filter((file) => file !== self && mounts.test(readFileSync(join(packageRoot, file), 'utf8')));
  expect(mounting.toSorted()).toEqual([...deviceSuites, ...Object.keys(cpuSuites)].toSorted());
});

test('no suite is run on two devices under one name', () => {
  for (const file of deviceSuites) expect(readFileSync(join(packageRoot, file), 'utf8'), file).not.toMatch(/device: '(cpu|cuda)'/);
});
