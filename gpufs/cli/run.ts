// `warpfs run <experiment>`: each experiment is a command of its own, with the options that it names.
import { type Command, Option } from '@commander-js/extra-typings';
import type { Experiment, ExperimentContext, ExperimentResult } from '../../experiments/experiment.ts';
import { RAW } from '../media/media.ts';
import { makeProgress, printJson, type Streams } from './output.ts';
import { prepareDevice } from './prepare_device.ts';
import { formatTable } from './table.ts';
import { mediumName, seedNumber, unknownName, UsageError, wholeNumber } from './usage.ts';

interface RunFlags {
  tiny?: true;
  json?: true;
  seed: number;
  device: ExperimentContext['device'];
  medium: ExperimentContext['medium'];
  out: string;
}

export function addRun(program: Command, experiments: readonly Experiment[], streams: Streams, finish: (code: number) => void): void {
  const names = experiments.map((experiment) => experiment.name);
  const run = program
    .command('run')
    .description('run an experiment, check what it read, and write its result')
    .argument('[experiment]', `one of: ${names.join(', ')}`)
    // What is unknown here is the experiment: its options are not to be judged before its name.
    .allowUnknownOption()
    .allowExcessArguments()
    .action((name) => {
      if (name === undefined || name.startsWith('-')) throw new UsageError(`which experiment? Known: ${names.join(', ')}`);
      throw unknownName('experiment', name, names);
    });
  for (const experiment of experiments) addExperiment(run as unknown as Command, experiment, streams, finish);
}

function addExperiment(run: Command, experiment: Experiment, streams: Streams, finish: (code: number) => void): void {
  const command = run
    .command(experiment.name)
    .description(experiment.summary)
    .option('--tiny', 'sizes that only show that it works')
    .option('--json', 'write one JSON object on one line')
    .option('--seed <number>', 'seed of the data and of the offsets', seedNumber, 1)
    .addOption(new Option('--device <name>', 'device to run on').choices(['auto', 'cpu', 'cuda', 'metal']).default('auto'))
    .option('--medium <name>', 'what the storage is to be like; warpfs media lists what there is', mediumName, RAW)
    .option('--out <folder>', 'folder of the result file', 'results') as unknown as Command;
  for (const { name, what, min, max, usual } of experiment.options) {
    command.addOption(new Option(`--${name} <count>`, `${what} (default: ${usual})`).argParser(wholeNumber(min, max)) as unknown as Option);
  }
  command.action(async (flags: object) => {
    const { tiny, json, seed, device, medium, out } = flags as RunFlags;
    await prepareDevice(streams, json === true, { device });
    const progress = makeProgress(streams, experiment.name, json === true);
    let result: ExperimentResult;
    try {
      const values = optionValues(experiment, flags as Record<string, unknown>, tiny === true);
      result = await experiment.run({ values, seed, device, medium, outputFolder: out, progress: progress.update });
    } finally {
      progress.stop();
    }
    if (json === true) printJson(streams, { command: 'run', experiment: experiment.name, seed, ...result });
    else streams.out(describe(experiment.name, result));
    finish(result.verified ? 0 : 1);
  });
}

/** What was given on the command line, else the usual or the tiny size. Commander spells `file-mib` as `fileMib`. */
function optionValues(experiment: Experiment, flags: Record<string, unknown>, tiny: boolean): Record<string, number> {
  const values: Record<string, number> = {};
  for (const option of experiment.options) {
    const given = flags[option.name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    values[option.name] = typeof given === 'number' ? given : tiny ? option.tiny : option.usual;
  }
  return values;
}

function describe(name: string, { rows, verified, failure, resultFile, mediumNote }: ExperimentResult): string {
  const table = formatTable(
    ['value', 'median', 'min', 'max', 'unit'],
    rows.map((row) => [row.name, row.value, row.min, row.max, row.unit]),
  );
  const runs = rows[0]?.runs ?? 0;
  const verdict = verified ? `every byte was right in ${runs} runs` : `FAILED: ${failure ?? 'a byte was wrong'}`;
  return `${name}\n\n${table}\n\n${verdict}\n${mediumNote === undefined ? '' : `${mediumNote}\n`}result file: ${resultFile}\n`;
}
