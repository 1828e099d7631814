// Random programs on random small geometries give what the reference gives, and leave the files that the reference leaves.
// WARPFS_PROPERTY_RUNS=5000 npx vitest run gpufs/conformance/property.test.ts is a longer campaign.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { ReferenceResult } from '../../model/reference/reference_warp.ts';
import { ReferenceMount } from '../../model/reference/reference_mount.ts';
import type { IoName } from '../options.ts';
import type { Operation, StepResult } from '../program.ts';
import { firstDifference, pattern } from './fixture.ts';
import { nativePresence } from './native_device.ts';
import { fileName, type Plan, planArbitrary, programsOf } from './random_plan.ts';
import { mountOnTestDevice, mtlioStrategies } from './test_device.ts';

const RUNS = Number(process.env['WARPFS_PROPERTY_RUNS'] ?? 80);
const MS_PER_RUN_MAX = 20_000;
const WAIT_MS_MAX = 5000;

const { missing, noUring } = nativePresence();

function compareStep(where: string, operation: Operation, got: StepResult, wanted: ReferenceResult): void {
  const at = `${where} ${JSON.stringify(operation, (key, value: unknown) => (key === 'data' ? (value as Uint8Array).length : value))}`;
  // Handles are the device's own; a prefetch is a hint, so it may ask for less; what a poll is about may still be on its way.
  const anySuccess = operation.op === 'open' || operation.op === 'prefetch' || operation.op === 'poll';
  if (anySuccess && wanted.result >= 0 ? got.result < 0 : got.result !== wanted.result) {
    throw new Error(`${at}: result ${got.result}, wanted ${wanted.result}`);
  }
  if (got.sizeBytes !== wanted.sizeBytes) throw new Error(`${at}: size ${got.sizeBytes}, wanted ${wanted.sizeBytes}`);
  const [values, wantedValues] = [got.values?.join(), wanted.values?.join()];
  if (wantedValues !== undefined && values !== wantedValues) throw new Error(`${at}: values ${values}, wanted ${wantedValues}`);
  if (wanted.data === undefined) return;
  const difference = firstDifference(got.data ?? new Uint8Array(0), wanted.data);
  if (difference !== undefined) throw new Error(`${at}: ${difference}`);
}

async function runPlan(plan: Plan): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'warpfs-property-'));
  try {
    const files = Object.fromEntries(plan.sizes.map((size, index) => [fileName(index), pattern(size, index + 50)]));
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(root, name), bytes);
    const reference = new ReferenceMount(files, { lineBytes: plan.lineBytes });
    const fs = await mountOnTestDevice({
      root, wait: plan.wait, workers: plan.workers, timeoutMs: WAIT_MS_MAX, residentWarps: 16, maxOpenFiles: 4, ring: plan.ring,
      cache: { lines: plan.lines, lineBytes: plan.lineBytes, policy: plan.policy }, daemon: { io: plan.io, threads: plan.threads },
    });
    try {
      for (const [index, run] of plan.runs.entries()) {
        const programs = programsOf(plan, run, plan.sizes.map((_, file) => reference.bytes(fileName(file)).length));
        const wanted = reference.run(programs);
        const got: StepResult[][] = await fs.run(programs);
        programs.forEach((program, warp) => {
          program.forEach((operation, step) => {
            compareStep(`run ${index} warp ${warp} step ${step}`, operation, got[warp]?.[step] as StepResult, wanted[warp]?.[step] as ReferenceResult);
          });
        });
      }
    } finally {
      await fs.unmount();
    }
    for (const name of Object.keys(files)) {
      const difference = firstDifference(new Uint8Array(readFileSync(join(root, name))), reference.bytes(name));
      if (difference !== undefined) throw new Error(`${name} on the host: ${difference}`);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

describe.skipIf(missing !== undefined)(missing === undefined ? 'random programs' : `SKIP ${missing}`, () => {
  const engines: IoName[] = ['pread', ...(noUring === undefined ? (['uring'] as const) : []), ...mtlioStrategies.map(([, io]) => io)];
  const suffix = noUring === undefined ? '' : ` (without io_uring: ${noUring})`;
  test.each([
    [`of many warps agree with the reference${suffix}`, false],
    [`of one warp that also empties files agree with the reference${suffix}`, true],
  ])(
    '%s',
    async (_name, empties) => {
      await fc.assert(fc.asyncProperty(planArbitrary(engines, empties), runPlan), { numRuns: RUNS });
    },
    RUNS * MS_PER_RUN_MAX,
  );
});
