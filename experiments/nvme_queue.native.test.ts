// The queues of NVMe without a design around them: each warp has a pair of its own and one command under way. Against the threads that play the
// controller, and in check mode against the warp that does.
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { makeDataFile } from '../gpufs/bench/data_set.ts';
import { nativePresence } from '../gpufs/conformance/native_device.ts';
import { kernelsMissing, testDevice } from '../gpufs/conformance/test_device.ts';
import { checkBaseline } from './baseline_check_for_tests.ts';
import { type Baseline, dmaOf, prepareBaseline } from './baseline_system.ts';
import { randomAccesses, randomOf, roundOf, totalsOfReads } from './lists.ts';
import type { Job } from './system.ts';
import { read } from './workloads/read.ts';

const cannot = nativePresence().missing ?? kernelsMissing();
const BYTES = 512;
const folder = mkdtempSync(join(tmpdir(), 'warpfs-nvme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `early`: the doorbell before the command. */
const pairs = (items: number, depth: number, early = ''): Baseline => ({
  part: {
    prelude: '#include "baselines/nvme_submit.h"\n',
    open: `
      ${dmaOf('lines')}
      const ulong pair = item * nvme_pair_bytes(depth);
      uint tail = tails[item * 32u], phase = 1u ^ tails[item * 32u + 1u];`,
    access: `
      uint status = 0u;
      if (lane.index == 0u) {
        ${early}
        nvme_put(queues, pair, tail, NvmeOpcode::READ, tail, dma_address(dma.way, item * ${BYTES}u, item * ${BYTES}u), bytes, offset);
        const uint mine = tail;
        tail = (tail + 1u) % depth;
        nvme_ring_submission(queues, pair, tail);
        WaitBound bound;
        wait_start(fs, bound);
        uint done = nvme_look(queues, pair, depth, mine);
        while (nvme_phase(done) != phase && wait_again(fs, bound)) done = nvme_look(queues, pair, depth, mine);
        peer_fence();
        status = nvme_phase(done) != phase ? 0x7fffu : nvme_status(done);
        nvme_ring_completion(queues, pair, tail);
        if (tail == 0u) phase ^= 1u;
      }
      status = warp_broadcast(lane, status, 0u);
      if (status != 0u) return -Errno::eio;
      dma_land(lane, dma, item * ${BYTES}u, item * ${BYTES}u, offset, bytes);
      place = lines + item * ${BYTES}u;`,
    release: 'warp_sync(lane);',
    close: 'if (lane.index == 0u) { tails[item * 32u] = tail; tails[item * 32u + 1u] = 1u ^ phase; }',
  },
  memories: { tails: { bytes: items * 128, place: 'device' }, queues: { bytes: items * (256 + depth * 80 + 127), place: 'host' }, lines: { bytes: items * BYTES, place: 'device' } },
  numbers: { depth },
  peer: { kind: 'nvme', shape: { queues: items, depth }, shared: 'queues', lines: 'lines', stageBytes: items * BYTES },
});

const FILE_BYTES = 8 * BYTES;
const readsOf = (items: number, count: number, run = 0) => {
  const round = roundOf(randomAccesses(randomOf(5, run), { items, count, bytes: BYTES, fileBytes: FILE_BYTES }));
  return { round, expected: totalsOfReads(round, 5) };
};

describe.skipIf(cannot !== undefined)(cannot === undefined ? 'queue pairs' : `SKIP ${cannot}`, () => {
  test.each([1, 3])('are served by %i threads of the host, round after round', async (threads) => {
    await makeDataFile(join(folder, 'data'), FILE_BYTES, 5);
    const items = 4;
    const job = { device: testDevice, medium: 'raw', root: folder, file: 'data', fileBytes: FILE_BYTES, workload: read, threads } as Job;
    const system = await prepareBaseline('pairs', job, pairs(items, 3));
    try {
      for (let run = 0; run < 3; run++) {
        const { round, expected } = readsOf(items, 50, run);
        expect((await system.run(round)).totals).toEqual(expected);
      }
    } finally {
      await system.close();
    }
  }, 60_000);

  test.skipIf(testDevice !== 'cpu').each(['sc', 'relaxed'] as const)('are right under every schedule that was tried, and wrong where the doorbell comes before the command: %s memory', async (memory) => {
    await makeDataFile(join(folder, 'data'), FILE_BYTES, 5);
    const disk = new Uint8Array(await readFile(join(folder, 'data')));
    const checked = (baseline: Baseline, schedules: number) =>
      checkBaseline({ name: 'pairs', baseline, workload: read, rounds: [readsOf(2, 3), readsOf(2, 3, 1)], disk, schedules, check: { memory, seed: 9 } });
    expect(await checked(pairs(2, 2), 40)).toBeUndefined();
    expect(await checked(pairs(2, 2, 'nvme_ring_submission(queues, pair, (tail + 1u) % depth);'), 400)).toMatchObject({ kind: expect.stringMatching(/race|wrong_total|EIO|unwritten/) });
  }, 120_000);
});
