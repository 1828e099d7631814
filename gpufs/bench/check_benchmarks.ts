// What check mode costs: schedules per second of whole reads, how much slower a kernel is, and how long the mutants take.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mutantScenarios } from '../../native/check/mutant_scenarios.ts';
import { writeMutatedShaders } from '../../native/check/mutate.ts';
import { mutantNumber, mutants } from '../../native/check/mutants.ts';
import type { Scenario } from '../check/campaign_scenario.ts';
import { explore, prepare } from '../check/exploration.ts';
import { judgeOutcome } from '../check/judge_outcome.ts';
import { buildMutantModule } from '../check/mutant_module.ts';
import { MUTANT_SCHEDULES, runMutants } from '../check/mutant_run.ts';
import { mount } from '../mount.ts';
import { loadNativeBinding } from '../native_binding.ts';
import { type Benchmark, mustBe } from './benchmark.ts';
import { makeDataFile } from './data_set.ts';

const USUAL_LANES = 4;
const FULL_LANES = 32;
const SHORT_LINE = 512;
const PAGE_BYTES = 4096;

/** Seconds of one core, so that what else runs on the machine counts little: a schedule runs on one thread. */
async function coreSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Two warps read the same line, which no schedule finds in the cache at first. Races are looked for, and each outcome is judged. */
function wholeRead(lineBytes: number): Scenario {
  const bytes = Uint8Array.from({ length: lineBytes }, (_, at) => (at * 7) % 251);
  const program = [{ op: 'open', path: 'a', mode: 'r' }, { op: 'read', file: 0, offset: 0, length: lineBytes }] as const;
  return {
    name: 'two reads of one line',
    programs: [program, program],
    files: [{ path: 'a', bytes }],
    config: { wait: 'spin', cache: { lines: 2, lineBytes, policy: 'clock' }, ring: { count: 1, slots: 8 }, residentWarps: 2 },
    faults: {},
  };
}

interface ReadCase {
  name: string;
  question: string;
  laneCount: number;
  lineBytes: number;
  atLeast?: number;
}

function readBenchmark({ name, question, laneCount, lineBytes, ...goal }: ReadCase): Benchmark {
  return {
    name,
    unit: 'schedules/s/core',
    question,
    ...goal,
    async prepare({ folder, seed, tiny }) {
      const { binding } = loadNativeBinding();
      const schedules = tiny ? 20 : 10_000;
      const prepared = prepare(binding, wholeRead(lineBytes), { scheduler: 'random', memory: 'sc', laneCount, seed }, folder);
      let first = 0;
      return {
        async run() {
          const seconds = await coreSeconds(async () => {
            const { exploration, finding } = await explore(prepared, judgeOutcome, { schedules, first });
            mustBe(finding === undefined, `${name}: ${finding?.kind}: ${finding?.message}`);
            mustBe(exploration.complete === schedules, `${name}: ${exploration.complete} of ${schedules} schedules were complete`);
          });
          first += schedules;
          return schedules / seconds;
        },
      };
    },
  };
}

/** Each warp reads random pages of a file that fits into the cache, and compares every word. */
const comparePages = (pageBytes: number) => ({
  name: 'check_compare_pages',
  inputs: { path: 'string', pages: 'u32', reads: 'u32', seed: 'u32' },
  outputs: { target: 'u8[]', wrong: 'u32[]' },
  source: `
    WARPFS_TRY(int file, gopen(fs, path, WARPFS_RDONLY));
    WARPFS_DEVICE uchar* mine = target + (ulong)item * ${pageBytes}u;
    WARPFS_DEVICE const uint* words = (WARPFS_DEVICE const uint*)mine;
    uint random = item * 2654435761u + 12345u;
    uint mismatches = 0;
    for (uint i = 0; i < reads; i++) {
      random = random * 1664525u + 1013904223u;
      const uint page = (uint)(((ulong)random * pages) >> 32);
      WARPFS_TRY(int bytes, gread(fs, file, (ulong)page * ${pageBytes}u, ${pageBytes}u, mine));
      if (bytes != ${pageBytes}) mismatches++;
      for (uint word = lane.index; word < ${pageBytes / 4}u; word += lane.count) {
        mismatches += words[word] != (page * ${pageBytes / 4}u + word) * 2654435761u + seed ? 1u : 0u;
      }
      warp_sync(lane);
    }
    mismatches = lane.sum(mismatches);
    if (lane.index == 0) wrong[item] = mismatches;
    WARPFS_TRY(int closed, gclose(fs, file));
    if (closed != 0) return closed;
  `,
}) as const;

const SLOW_WARPS = 8;
const SLOW_PAGES = 32;
const ROUNDS = 5;

const slowDown = (name: string, pageBytes: number): Benchmark => ({
  name,
  unit: 'times',
  question: `How many times longer than on one worker does a kernel take under check mode, with 32 lanes, that reads ${pageBytes} bytes at a time and compares every word?`,
  atMost: 60,
  async prepare({ folder, seed, tiny }) {
    const root = join(folder, 'root');
    mkdirSync(root);
    await makeDataFile(join(root, 'data.bin'), SLOW_PAGES * pageBytes, seed);
    const options = { root, device: 'cpu', cache: { lines: SLOW_PAGES * 4, lineBytes: pageBytes } } as const;
    const check = { scheduler: 'random', laneCount: FULL_LANES, seed, stepLimit: 2 ** 31 - 1 } as const;
    const reads = tiny ? 2 : 512;
    /** On a mount of its own, so that both begin with an empty cache. Only the dispatch counts. */
    const milliseconds = async (more: { workers: number } | { check: typeof check }): Promise<number> => {
      const fs = await mount({ ...options, ...more });
      try {
        const kernel = await fs.kernel(comparePages(pageBytes));
        const start = performance.now();
        const { wrong } = await kernel.dispatch({
          items: SLOW_WARPS,
          inputs: { path: 'data.bin', pages: SLOW_PAGES, reads, seed },
          outputs: { target: SLOW_WARPS * pageBytes, wrong: SLOW_WARPS },
        });
        const taken = performance.now() - start;
        mustBe(wrong.every((count) => count === 0), `words that were read are wrong: ${wrong.join(' ')}`);
        return taken;
      } finally {
        await fs.unmount({ discard: true }).catch(() => {}); // what failed before is what matters
      }
    };
    return {
      async run() {
        const plain: number[] = [];
        const checked: number[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          plain.push(await milliseconds({ workers: 1 }));
          checked.push(await milliseconds({ check }));
        }
        return Math.min(...checked) / Math.min(...plain); // what else runs on the machine only adds
      },
    };
  },
});

const killMutants: Benchmark = {
  name: 'check_mutants',
  unit: 's',
  question: 'How long does it take to kill every mutant of the protocol, once they are compiled?',
  atMost: 90,
  async prepare({ seed, tiny }) {
    const { binding } = loadNativeBinding();
    const { module } = await buildMutantModule({ write: writeMutatedShaders });
    const hunted = (tiny ? mutants.slice(0, 2) : mutants).map(({ name, note, scenario }) => ({
      name, summary: note, number: mutantNumber(name), scenarios: [mutantScenarios[scenario]],
    }));
    return {
      async run() {
        const start = performance.now();
        const settings = { seed, schedules: MUTANT_SCHEDULES, judge: judgeOutcome, build: async () => ({ module }), progress: () => {} };
        const { control, mutants: results } = await runMutants(binding, hunted, settings);
        const survivors = results.filter(({ killed }) => !killed).map(({ name }) => name);
        mustBe(survivors.length === 0, `mutants survived: ${survivors.join(', ')}`);
        mustBe(control.length === 0, `found without a mutant: ${control.map(({ scenario, kind }) => `${scenario}: ${kind}`).join(', ')}`);
        return (performance.now() - start) / 1000;
      },
    };
  },
};

const measured: Benchmark[] = [
  readBenchmark({
    name: 'check_gread',
    question: 'How many schedules per second of two warps of 4 lanes, each of which reads the same whole line of 512 bytes?',
    laneCount: USUAL_LANES, lineBytes: SHORT_LINE, atLeast: 15_000,
  }),
  readBenchmark({
    name: 'check_gread_4k',
    question: 'The same with a line of 4096 bytes?',
    laneCount: USUAL_LANES, lineBytes: PAGE_BYTES, atLeast: 15_000,
  }),
  readBenchmark({
    name: 'check_gread_wide',
    question: 'How many schedules per second of two warps of 32 lanes, each of which reads the same whole line of 512 bytes?',
    laneCount: FULL_LANES, lineBytes: SHORT_LINE,
  }),
  slowDown('check_slow_down', SHORT_LINE),
  slowDown('check_slow_down_4k', PAGE_BYTES),
  killMutants,
];

export const checkBenchmarks: Benchmark[] = measured.map((benchmark) => ({ ...benchmark, cpuOnly: 'check mode orders the accesses of the cpu device alone' }));
