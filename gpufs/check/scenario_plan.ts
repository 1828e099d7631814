// Small concurrent scenarios as a handful of small numbers, and what they mean: one description for the seeded generator of the command and for
// the arbitraries of the tests. Zero is the simplest choice of each number, so that whoever lowers numbers makes a scenario simpler.
import type { NativeFaults } from '../native_check.ts';
import type { OpenModeName } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';
import { isDeterministic } from './determinism.ts';
import { fileName, type Kind, ProgramWriter, type WriterSettings } from './program_writer.ts';
import { writtenBytes } from './written_bytes.ts';

/** One operation. */
export interface Choice {
  kind: number;
  file: number;
  line: number;
  edge: number;
  length: number;
  extra: number;
}

export interface Plan {
  wait: number;
  policy: number;
  lines: number;
  ringCount: number;
  ringSlots: number;
  lanes: number;
  memory: number;
  /** 0: no faults. */
  faulty: number;
  /** Which of the faults of single transfers there are, a bit each. */
  faults: number;
  /** Whether something worse happens; with those not much can be said about bytes, so they are rare. */
  worse: number;
  chance: number;
  /** Which kinds of operations beside reads and writes are left out, a bit each: so others meet more often (swarm testing). */
  without: number;
  /** All warps meet behind so many operations; 0: never. */
  barrier: number;
  /** Whether everything is synced at the end. Where not, what the programs have synced themselves must be enough. */
  ending: number;
  /** How large each file is. */
  sizes: number[];
  warps: Choice[][];
}

export const LINE_BYTES = 512;

const others: readonly Kind[] = [
  'fsync', 'stat', 'prefetch', 'read_async', 'write_async', 'close', 'open', 'truncate', 'map', 'gather', 'scatter', 'add', 'poll', 'unlink', 'rename',
];
/** Most draws are reads and writes, and most of their ranges meet in the first two lines: warps that never meet show little. */
const kindOfDraw: readonly Kind[] = ['read', 'write', ...others, 'truncate', 'map', 'add', 'fsync', 'read', 'write', 'write', 'read', 'write', 'write'];
const lineOfDraw = [0, 1, 2, 1, 0] as const;
const edges = [0, 1, LINE_BYTES - 1, LINE_BYTES / 2, LINE_BYTES - 8, 'end', 'before end', 'behind end'] as const;
const lengths = [1, 8, 33, LINE_BYTES, LINE_BYTES + 1, 2 * LINE_BYTES, 0, 300, 600] as const;
const openModes: readonly OpenModeName[] = ['r+', 'r', 'w+', 'c+', 'wx+'];
const fileSizes = [0, LINE_BYTES, 1, LINE_BYTES - 1, LINE_BYTES + 1, 700, 2 * LINE_BYTES, 1100, 3 * LINE_BYTES] as const;
const lineCounts = [1, 2, 3, 4] as const;
const laneCounts = [1, 2, 4, 3, 2, 4, 8, 32] as const;
const ringSlots = [1, 2, 4, 8] as const;
const chances = [20, 50, 100, 300] as const;
const FAULTY_FROM = 2; // of three scenarios one has faults
const UNFINISHED = 2; // one of three
const transferFaults = ['eio', 'enospc', 'eintr', 'shortIo', 'delay'] as const;
const worseFaults: readonly (readonly (keyof NativeFaults)[])[] = [[], [], [], [], ['die'], ['die', 'revive'], ['truncate'], ['replace']];

/** How many values each number has: 0 up to one less. */
export const choiceAlternatives: Readonly<Record<keyof Choice, number>> = {
  kind: kindOfDraw.length, file: 3, line: lineOfDraw.length, edge: edges.length, length: lengths.length, extra: openModes.length + 1,
};
export const planAlternatives: Readonly<Record<Exclude<keyof Plan, 'sizes' | 'warps'>, number>> = {
  wait: 2, policy: 2, lines: lineCounts.length, ringCount: 2, ringSlots: ringSlots.length, lanes: laneCounts.length, memory: 2,
  faulty: FAULTY_FROM + 1, faults: 2 ** transferFaults.length, worse: worseFaults.length, chance: chances.length, without: 2 ** others.length, barrier: 4, ending: UNFINISHED + 1,
};
export const SIZE_ALTERNATIVES = fileSizes.length;
export const LIMITS = { warps: { min: 2, max: 3 }, operations: { min: 1, max: 4 }, files: { min: 1, max: 2 } } as const;

export function scenarioOf(plan: Plan, name: string): Scenario {
  const sizes = plan.sizes.map((size) => fileSizes[size] ?? 0);
  const files = sizes.map((size, index) => ({ path: fileName(index), bytes: writtenBytes({ warp: -1, step: 0 }, 0, size) }));
  const lines = lineCounts[plan.lines] ?? 1;
  const settings: WriterSettings = { files: files.length, lineBytes: LINE_BYTES, mayHold: lines > plan.warps.length };
  const programs = plan.warps.map((choices, warp) => {
    const writer = new ProgramWriter(warp, settings, usedFiles(plan, choices, files.length));
    choices.forEach((choice, index) => {
      addTo(writer, plan, choice, sizes);
      if (index + 1 === plan.barrier) writer.barrier();
    });
    if (choices.length < plan.barrier) writer.barrier();
    writer.end();
    return writer.program;
  });
  return {
    name,
    programs,
    files,
    config: {
      wait: plan.wait === 0 ? 'spin' : 'replay',
      cache: { lines, lineBytes: LINE_BYTES, policy: plan.policy === 0 ? 'clock' : 'fifo' },
      ring: { count: plan.ringCount + 1, slots: ringSlots[plan.ringSlots] ?? 1 },
      maxOpenFiles: 8,
      residentWarps: programs.length,
    },
    faults: faultsOf(plan),
    check: { scheduler: 'portfolio', memory: plan.memory === 0 ? 'sc' : 'relaxed', laneCount: laneCounts[plan.lanes] ?? 1 },
    orderMatters: !isDeterministic({ programs, files }),
    ...(plan.ending === UNFINISHED ? { finish: false } : {}),
  };
}

function addTo(writer: ProgramWriter, plan: Plan, choice: Choice, sizes: readonly number[]): void {
  const file = choice.file % sizes.length;
  const size = sizes[file] ?? 0;
  const kind = kindOf(plan, choice);
  const edge = edges[choice.edge] ?? 0;
  const offset = edge === 'end' ? size : edge === 'before end' ? Math.max(0, size - 8) : edge === 'behind end' ? size + 9 : (lineOfDraw[choice.line] ?? 0) * LINE_BYTES + edge;
  const mode = openModes[choice.extra] ?? 'missing';
  writer.add({ kind, file, offset, length: lengths[choice.length] ?? 1, mode, late: choice.extra > 2, extra: choice.extra });
}

/** Files of which something else than their open comes first. */
function usedFiles(plan: Plan, choices: readonly Choice[], files: number): Set<number> {
  const used = new Set<number>();
  const seen = new Set<number>();
  for (const choice of choices) {
    const file = choice.file % files;
    const opens = kindOf(plan, choice) === 'open';
    if (!opens && !seen.has(file)) used.add(file);
    if (!opens || openModes[choice.extra] !== undefined) seen.add(file);
  }
  return used;
}

/** The kind that was drawn, or a read or a write where this run has none of it. */
function kindOf(plan: Plan, choice: Choice): Kind {
  const drawn = kindOfDraw[choice.kind] ?? 'read';
  const bit = others.indexOf(drawn);
  if (bit < 0 || ((plan.without >> bit) & 1) === 0) return drawn;
  return choice.extra % 2 === 0 ? 'read' : 'write';
}

function faultsOf(plan: Plan): Partial<NativeFaults> {
  const faults: Partial<NativeFaults> = {};
  if (plan.faulty < FAULTY_FROM) return faults;
  const drawn = [...transferFaults.filter((_, bit) => ((plan.faults >> bit) & 1) !== 0), ...(worseFaults[plan.worse] ?? [])];
  for (const name of drawn) faults[name] = chances[plan.chance] ?? 0;
  return faults;
}
