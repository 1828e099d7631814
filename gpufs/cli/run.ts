// `warpfs run <experiment>`: each experiment is a command of its own, with the options that it names; `all` runs them one after another.
import { type Command, Option } from '@commander-js/extra-typings';
import type { ExperimentCatalogue } from '../../experiments/catalogue.ts';
import type { Experiment, ExperimentOption, Profile } from '../../experiments/experiment.ts';
import { appendRows, prepareOutputFolder, resultFile } from '../../experiments/result_file.ts';
import type { Row } from '../../experiments/rows.ts';
import { RUNS_OF_SLOW, runExperiment, SLOW_MS } from '../../experiments/run_experiment.ts';
import { commit, machine, gpuOf } from '../bench/machine.ts';
import { makeFolder } from '../make_folder.ts';
import { type MediumName, RAW } from '../media/media.ts';
import { loadNativeBinding } from '../native_binding.ts';
import type { DeviceName } from '../options.ts';
import { makeProgress, printJson, type Streams } from './output.ts';
import { deviceFor, prepareDevice } from './prepare_device.ts';
import { optionValues, parserOf, runsOf, shown } from './run_options.ts';
import { describeExperiment } from './run_rows.ts';
import { describeSystems, flawsOf } from './run_systems.ts';
import { listOf, mediumName, seedNumber, unknownName, UsageError, wholeNumber } from './usage.ts';

/** Ctrl-C, and what schedulers and timeout send; the exit codes are those that a shell has for a command that they ended. */
const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 };
type StopSignal = keyof typeof EXIT_OF_SIGNAL;

interface RunFlags {
  tiny?: true;
  full?: true;
  json?: true;
  seed: number;
  runs?: number;
  systems?: string;
  flaws?: string;
  device: 'auto' | DeviceName;
  spin?: boolean;
  medium: MediumName;
  out: string;
  folder?: string;
}

export function addRun(program: Command, catalogue: ExperimentCatalogue, streams: Streams, finish: (code: number) => void): void {
  const names = catalogue.experiments.map(({ name }) => name);
  const run = program
    .command('run')
    .description('run an experiment on several systems, check every answer, and write the results')
    .argument('[experiment]', `one of: ${names.join(', ')}; or all`)
    // What is unknown here is the experiment: its options are not to be judged before its name.
    .allowUnknownOption()
    .allowExcessArguments()
    .option('--list-systems', 'show what each system models, and its published mistakes, which --flaws puts in')
    .action((name, { listSystems }) => {
      if (listSystems === true) return streams.out(describeSystems(catalogue.systems));
      if (name === undefined || name.startsWith('-')) throw new UsageError(`which experiment? Known: ${names.join(', ')}; or all`);
      throw unknownName('experiment', name, names);
    }) as unknown as Command;
  for (const experiment of catalogue.experiments) {
    const command = commandOf(run, experiment.name, experiment.question, catalogue);
    for (const option of experiment.options) command.addOption(optionOf(option));
    command.action(async (flags: object) => finish(await runAll([experiment], catalogue, flags as RunFlags, streams)));
  }
  const all = commandOf(run, 'all', 'every experiment, one after another', catalogue);
  all.action(async (flags: object) => finish(await runAll(catalogue.experiments, catalogue, flags as RunFlags, streams)));
}

function commandOf(run: Command, name: string, description: string, { systems }: ExperimentCatalogue): Command {
  return run
    .command(name)
    .description(description)
    .option('--tiny', 'sizes that only show that it works')
    .addOption(new Option('--full', 'sizes for figures: minutes').conflicts('tiny'))
    .option('--json', 'write each row as JSON on a line of its own')
    .option('--seed <number>', 'seed of the data and of the accesses', seedNumber, 1)
    .option('--runs <count>', `timed runs of each system and point, ${RUNS_OF_SLOW} of one that takes more than ${SLOW_MS / 1000} s (default: ${runsOf('usual')}; ${runsOf('tiny')} and ${runsOf('full')} with --tiny and --full)`, wholeNumber(1, 1000))
    .option('--systems <names>', `of ${systems.map((system) => system.name).join(', ')}; with commas between them (default: all)`)
    .option('--flaws <names>', 'published mistakes that systems are given, each SYSTEM.FLAW, with commas between them; warpfs run --list-systems shows them (default: none)')
    .addOption(new Option('--device <name>', 'device to run on').choices(['auto', 'cpu', 'cuda', 'metal']).default('auto'))
    .option('--spin', 'on the metal device: let kernels wait for the host, in a way that Apple does not document and that can stop the screen; without it auto takes another device')
    .option('--medium <name>', 'what the storage is to be like; warpfs media lists what there is', mediumName, RAW)
    .option('--out <folder>', 'folder of the result files', 'results')
    .option('--folder <path>', 'where the files of the experiments are made and removed (default: the folder of the system for temporary files)') as unknown as Command;
}

function optionOf(option: ExperimentOption): Option {
  const { name, what, usual, sweep, gpu } = option;
  return new Option(`--${name} <${sweep === true ? 'counts' : 'count'}>`, `${what} (default: ${shown(usual)}${gpu?.usual === undefined ? '' : `; on a GPU: ${shown(gpu.usual)}`})`).argParser(parserOf(option)) as unknown as Option;
}

/** Kernels of experiments wait for the host: on the metal device nobody does that who has not asked for it. */
function deviceOf({ device: wanted, spin }: RunFlags, streams: Streams): DeviceName {
  const { binding } = loadNativeBinding();
  const device = deviceFor(wanted, binding);
  if (device !== 'metal' || spin === true) return device;
  const why = 'kernels of experiments wait for the host, which on an Apple GPU rests on what Apple does not document and can stop the screen';
  if (wanted === 'metal') throw new UsageError(`--device metal: ${why}; --spin says that you want that`);
  streams.error(`device auto takes cpu and not metal: ${why} (--device metal --spin)\n`);
  return 'cpu';
}

/** Everything that can be wrong with the command is said before the first file is made. */
async function runAll(experiments: readonly Experiment[], catalogue: ExperimentCatalogue, flags: RunFlags, streams: Streams): Promise<number> {
  const json = flags.json === true;
  const known = catalogue.systems.map(({ name }) => name);
  const wanted = flags.systems === undefined ? known : listOf('system', flags.systems, known);
  const flaws = flags.flaws === undefined ? undefined : flawsOf(flags.flaws, catalogue.systems, wanted);
  const device = deviceOf(flags, streams);
  await prepareOutputFolder(flags.out);
  if (flags.folder !== undefined) await makeFolder(flags.folder);
  await prepareDevice(streams, json, { device });
  const gpu = gpuOf(device, loadNativeBinding().binding);
  const origin = { time: new Date().toISOString(), machine: { ...machine(), ...(gpu === undefined ? {} : { gpu }) }, commit: await commit() };
  const profile: Profile = flags.tiny === true ? 'tiny' : flags.full === true ? 'full' : 'usual';
  const { stop, done } = stopOnSignal();
  let verified = true;
  try {
    for (const experiment of experiments) {
      if (stop.aborted) break;
      const { values, options } = optionValues(experiment, flags as unknown as Record<string, unknown>, profile, device);
      const rows: Row[] = [];
      const progress = makeProgress(streams, experiment.name, json);
      const keep = async (more: readonly Row[]): Promise<void> => {
        await appendRows(flags.out, experiment.name, more);
        rows.push(...more);
        if (json) for (const row of more) printJson(streams, row);
      };
      const systems = catalogue.systems.filter(({ name }) => wanted.includes(name));
      const leftOut = await runExperiment(experiment, {
        values, options, profile, runs: flags.runs ?? runsOf(profile), seed: flags.seed, device, medium: flags.medium, systems, chosen: flags.systems !== undefined, flaws, folder: flags.folder, origin,
        progress: progress.update, stop, keep,
      }).finally(progress.stop);
      verified &&= rows.every((row) => row.verified);
      if (json) for (const { what, reason } of leftOut) streams.error(`left out ${what}: ${reason}\n`);
      else streams.out(describeExperiment(experiment, rows, leftOut, resultFile(flags.out, experiment.name)));
    }
  } finally {
    done();
  }
  if (stop.aborted) streams.error(`stopped; what was measured so far is in ${flags.out}\n`);
  return stop.aborted ? EXIT_OF_SIGNAL[stop.reason as StopSignal] : verified ? 0 : 1;
}

/** Such a signal ends the run behind the measurement that is under way, and a second Ctrl-C ends the process; timeout sends its signal twice at once. */
function stopOnSignal(): { stop: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const stopped = (signal: StopSignal): void => controller.abort(signal);
  process.once('SIGINT', stopped).on('SIGTERM', stopped);
  return { stop: controller.signal, done: () => void process.removeListener('SIGINT', stopped).removeListener('SIGTERM', stopped) };
}
