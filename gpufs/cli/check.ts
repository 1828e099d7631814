// `warpfs check`: random programs under random schedules, one stored failure again, or the mutants that must all be found.
import { type Command, Option } from '@commander-js/extra-typings';
import { runCampaign } from '../check/campaign.ts';
import type { ScenarioSource } from '../check/campaign_scenario.ts';
import type { Judge } from '../check/exploration.ts';
import { type BuildMutants, type Mutant, MUTANT_SCHEDULES, runMutants } from '../check/mutant_run.ts';
import { readReplay } from '../check/replay_file.ts';
import { runReplay } from '../check/replay_run.ts';
import { withScratchFolder } from '../check/scratch_folder.ts';
import type { Symbolizer } from '../check/symbolize.ts';
import { DEPTH_MAX, LANES_MAX } from '../check_options.ts';
import type { NativeBinding } from '../native_binding.ts';
import { memoryModels, PREEMPTIONS_UNBOUNDED, progressModels, schedulers } from '../native_check.ts';
import { searchSuite } from './check_suite.ts';
import { type CampaignFlags, showCampaign, showMutants, showReplay } from './check_output.ts';
import { makeProgress, type Streams } from './output.ts';
import { seedNumber, UsageError, wholeNumber } from './usage.ts';

/** What the command works with; tests have others. */
export interface CheckTools {
  binding: () => NativeBinding;
  source: ScenarioSource;
  mutants: () => readonly Mutant[];
  buildMutants: BuildMutants;
  symbolizer?: Symbolizer;
}

const SCHEDULES_USUAL = 20_000;
const SCHEDULES_MAX = 2 ** 31 - 1;
const SCHEDULES_EACH = 200;
/** A space is only worth walking through if one gets to its end. */
const SCHEDULES_EACH_EXHAUSTIVE = 5000;
const MINUTES_MAX = 7 * 24 * 60;
const MINUTE_MS = 60_000;
const SUITE_MINUTES = 2;

/** Options that say nothing where a failure is replayed, or mutants are hunted. */
const campaignOnly = ['scheduler', 'depth', 'preemptions', 'memory', 'progress', 'lanes', 'cuda', 'minutes', 'out'] as const;

export function addCheck(program: Command, tools: CheckTools, streams: Streams, finish: (code: number) => void): void {
  program
    .command('check')
    .description('run the shaders under a scheduler that owns every interleaving, and say what goes wrong')
    .option('--seed <number>', 'seed of the programs and of the schedules', seedNumber, 1)
    .option('--schedules <count>', `schedules in all (default: ${SCHEDULES_USUAL}, or as many as --minutes allow); with --mutants: for each`, wholeNumber(1, SCHEDULES_MAX))
    .addOption(new Option('--scheduler <name>', 'who chooses the next lane (default: portfolio)').choices(schedulers))
    .option('--depth <count>', 'priority changes of pct (default: 3)', wholeNumber(1, DEPTH_MAX))
    .option('--preemptions <count>', 'bound of exhaustive (default: none)', wholeNumber(0, PREEMPTIONS_UNBOUNDED))
    .addOption(new Option('--memory <name>', 'memory model (default: what each scenario draws)').choices(memoryModels))
    .addOption(new Option('--progress <name>', 'forward progress (default: fair)').choices(progressModels))
    .option('--lanes <count>', 'lanes of a warp (default: what each scenario draws)', wholeNumber(1, LANES_MAX))
    .option('--cuda', 'only scenarios with windows and hints, as the cuda device has them (default: every third is one)')
    .option('--minutes <count>', 'stop after so many minutes', wholeNumber(1, MINUTES_MAX))
    .option('--mutants', 'show that every known small wrong change of the protocol is found')
    .option('--suite', 'search small scenarios through all their states; --minutes is the limit of each (default: 2)')
    .option('--replay <file>', 'show a stored failure again')
    .option('--trace <file>', 'write one schedule as a Perfetto trace: the one that failed, else the first')
    .option('--out <file>', 'where a failure is stored (default: warpfs-check-<seed>.replay.json)')
    .option('--json', 'write one JSON object on one line')
    .action(async (flags, command) => {
      const json = flags.json === true;
      const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
      const refuse = (mode: string, names: readonly string[]): void => {
        const given = names.find(isGiven);
        if (given !== undefined) throw new UsageError(`option '--${given}' does not go with '--${mode}'`);
      };
      if (flags.replay !== undefined) {
        refuse('replay', ['mutants', 'seed', 'schedules', ...campaignOnly]);
        finish(await replayAgain(tools, flags.replay, { trace: flags.trace, json }, streams));
      } else if (flags.suite === true) {
        refuse('suite', ['mutants', 'seed', 'schedules', 'trace', ...campaignOnly.filter((name) => name !== 'minutes')]);
        const judge: Judge = (...judged) => tools.source.judge(...judged);
        finish(await searchSuite(tools.binding(), judge, { json, milliseconds: (flags.minutes ?? SUITE_MINUTES) * MINUTE_MS }, streams));
      } else if (flags.mutants === true) {
        refuse('mutants', ['trace', ...campaignOnly]);
        finish(await huntMutants(tools, { seed: flags.seed, schedules: flags.schedules ?? MUTANT_SCHEDULES, json }, streams));
      } else {
        if (flags.scheduler === 'exhaustive' && flags.memory === 'relaxed') throw new UsageError("option '--scheduler exhaustive' goes with '--memory sc' alone");
        if (flags.scheduler === 'exhaustive' && flags.cuda === true) throw new UsageError("option '--scheduler exhaustive' does not go with '--cuda'");
        finish(await campaign(tools, { ...flags, json }, streams));
      }
    });
}

interface CampaignOptions extends CampaignFlags {
  schedules?: number | undefined;
  minutes?: number | undefined;
  scheduler?: (typeof schedulers)[number] | undefined;
  depth?: number | undefined;
  preemptions?: number | undefined;
  memory?: (typeof memoryModels)[number] | undefined;
  progress?: (typeof progressModels)[number] | undefined;
  lanes?: number | undefined;
  cuda?: true | undefined;
}

async function campaign(tools: CheckTools, flags: CampaignOptions, streams: Streams): Promise<number> {
  const { seed, schedules, minutes, scheduler, depth, preemptions, memory, progress: model, lanes, cuda, json } = flags;
  const progress = makeProgress(streams, 'check', json);
  const settings = {
    seed,
    schedules: schedules ?? (minutes === undefined ? SCHEDULES_USUAL : Number.POSITIVE_INFINITY),
    milliseconds: minutes === undefined ? Number.POSITIVE_INFINITY : minutes * MINUTE_MS,
    schedulesEach: scheduler === 'exhaustive' ? SCHEDULES_EACH_EXHAUSTIVE : SCHEDULES_EACH,
    options: withoutAbsent({ scheduler, depth, preemptions, memory, progress: model, laneCount: lanes, cuda }),
    progress: progress.update,
  };
  try {
    return await runCampaign(tools.binding(), tools.source, settings, async (result) => {
      progress.stop();
      return showCampaign(result, flags, streams, tools.symbolizer);
    });
  } finally {
    progress.stop();
  }
}

async function replayAgain(tools: CheckTools, path: string, flags: { trace?: string | undefined; json: boolean }, streams: Streams): Promise<number> {
  const replay = await readReplay(path);
  const { source } = tools;
  const replayed = await withScratchFolder(async (fresh) =>
    runReplay(tools.binding(), replay, (...judged) => source.judge(...judged), await fresh(), flags.trace !== undefined),
  );
  return showReplay(path, replay, replayed, flags, streams, tools.symbolizer);
}

async function huntMutants(tools: CheckTools, { seed, schedules, json }: { seed: number; schedules: number; json: boolean }, streams: Streams): Promise<number> {
  const progress = makeProgress(streams, 'mutants', json);
  const { source } = tools;
  try {
    const settings = { seed, schedules, judge: (...judged: Parameters<Judge>) => source.judge(...judged), build: tools.buildMutants, progress: progress.update };
    const results = await runMutants(tools.binding(), tools.mutants(), settings);
    progress.stop();
    return showMutants(results, { seed, json }, streams);
  } finally {
    progress.stop();
  }
}

/** An option that is not there must not hide what a scenario says. */
function withoutAbsent<Options extends object>(options: Options): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as { [Name in keyof Options]?: Exclude<Options[Name], undefined> };
}
