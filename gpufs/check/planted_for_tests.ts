// Small wrong changes to the protocol, one for each kind of finding that the engine knows of: what a net is shown to catch. Some are mutants of
// the list, some only serve this.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mutant } from '../../native/check/mutant.ts';
import type { MutantScenario } from '../../native/check/mutant_scenario_parts.ts';
import { mutantScenarios, type MutantScenarioName } from '../../native/check/mutant_scenarios.ts';
import { mutants } from '../../native/check/mutants.ts';
import { mutatedHeader } from '../../native/check/mutate.ts';
import { packageRoot } from '../package_root.ts';
import type { Operation } from '../program.ts';
import type { Scenario } from './campaign_scenario.ts';
import type { MutatedSources } from './mutant_module.ts';

export interface Planted {
  mutant: string;
  scenario: Scenario;
  /** What is found, in these words. */
  kind: string;
  message: RegExp;
  /** Who is named: those that were there when it happened, and nobody where it shows at the end alone. */
  actors: RegExp[];
}

const own: Mutant[] = [
  {
    name: 'prefetch-asks-nothing', file: 'cache.h', form: 'expression', original: 'Opcode::FILL', mutated: 'Opcode::NOP',
    note: 'The host is asked to do nothing, and the line waits.', scenario: 'same-page',
  },
  {
    name: 'fill-of-another-line', file: 'cache.h', form: 'statement', original: 'for (uint i = 0; i < fill.used; i++) host_store(&request->lines[i], fill.lines[i]);',
    mutated: 'for (uint i = 0; i < fill.used; i++) host_store(&request->lines[i], (fill.lines[i] + 1u) % fs.geometry->line_count);', note: 'A fill is asked for in another line.', scenario: 'same-page',
  },
  {
    name: 'waiters-wake-each-other', file: 'line_wait.h', form: 'statement',
    original: 'if (line_finish(fs, line, word)) {\n        word = atomic_load(fs.words + line);\n      } else if (wait_again(fs, bound)) {\n        word = atomic_load(fs.words + line);\n      } else {\n        waited.status = wait_outcome();\n        break;\n      }',
    mutated: 'atomic_add(fs.words + line, 1u << LINE_PINS_SHIFT); atomic_sub(fs.words + line, 1u << LINE_PINS_SHIFT); if (!wait_again(fs, bound)) { waited.status = wait_outcome(); break; } word = atomic_load(fs.words + line);', note: 'Two that wait change a word for ever.', scenario: 'same-page',
  },
];

const place = /^warp \d lane \d, step \d+: \w+ \w+\.h:\d+/;
const reader = /^warp \d lane \d, step \d+: /;
const host = /^host, step \d+: /;

function of(mutant: string, scenario: MutantScenarioName, kind: string, message: RegExp, ...actors: RegExp[]): Planted {
  return { mutant, scenario: mutantScenarios[scenario], kind, message, actors };
}

const open: Operation = { op: 'open', path: 'a', mode: 'r' };
const samePage: MutantScenario = mutantScenarios['same-page'];

export const planted: Planted[] = [
  of('unpin-without-release', 'eviction', 'race', /happens before the other/, host, reader),
  of('ticket-not-raised', 'eviction', 'unfilled_read', /which nobody has filled/, place),
  of('failed-fill-ready', 'failing-fills', 'illegal_edge', /^line \d went from BUSY\/FILLING to READY although the host answered -5/, place),
  of('claim-ignores-pins', 'eviction', 'evicted_while_pinned', /^line 0 was taken .* with \d pins on it/, place),
  of('failed-fill-keeps-pin', 'failing-fills', 'pin_leaked', /has 1 pins and nobody to unpin it/),
  of('bypass-unpinned-twice', 'eviction', 'pin_leaked', /was unpinned although nobody had it pinned/, place),
  of('modified-not-set', 'writer-and-evictor', 'dirty_lost', /was given to another page with its byte \d+ written by the gpu/, place),
  of('dirty-merged-across-gap', 'one-warp', 'foreign_bytes', /which the gpu has not written/, host),
  of('ticket-not-restored', 'rivals', 'completion_doubled', /got answer \d+, but has asked for \d+/, host),
  { mutant: 'fill-of-another-line', scenario: { ...samePage, config: { ...samePage.config, cache: { ...samePage.config.cache, lines: 2 } }, programs: [[open, { op: 'read', file: 0, offset: 0, length: 16 }]] }, kind: 'completion_misdelivered', message: /was answered, but it is INVALID and waits for nothing/, actors: [host] },
  { mutant: 'prefetch-asks-nothing', scenario: { ...samePage, programs: [[open, { op: 'prefetch', file: 0, offset: 0, length: 16 }]] }, kind: 'completion_lost', message: /is BUSY\/FILLING and will never be answered/, actors: [] },
  of('modified-line-unreadable', 'one-warp', 'deadlock', /warp \d lane 0 waits for a change of/, place),
  of('wait-without-bound', 'dying-host', 'livelock', /steps/, place),
  { mutant: 'waiters-wake-each-other', scenario: samePage, kind: 'wait_exceeded', message: /a wait looked \d+ times and was not over/, actors: [] },
];

const used = [...own, ...mutants.filter(({ name }) => planted.some(({ mutant }) => mutant === name))];

export function plantedNumber(name: string): number {
  const index = used.findIndex((mutant) => mutant.name === name);
  if (index < 0) throw new Error(`there is no mutant ${name}`);
  return index + 1;
}

export const plantedSources: MutatedSources = {
  write(folder) {
    for (const name of ['abi/abi.h', 'host/cpu/builtin.h', 'shaders']) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      cpSync(join(packageRoot, 'native', name), join(folder, name), { recursive: true });
    }
    const shaders = join(folder, 'shaders');
    for (const file of readdirSync(shaders).filter((name) => name.endsWith('.h'))) {
      const path = join(shaders, file);
      writeFileSync(path, mutatedHeader(file, readFileSync(path, 'utf8'), used, plantedNumber));
    }
  },
};
