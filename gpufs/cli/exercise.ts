// `warpfs exercise`: random operations through gpu calls, compared with plain bytes.
import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type ActionKind, actionKinds } from '../exercise/action.ts';
import { exercise, type ExerciseResult, type ExerciseSettings } from '../exercise/exercise.ts';
import { describeFailure, repeatCommand } from '../exercise/report.ts';
import { makeProgress, printJson, type Streams } from './output.ts';
import { prepareDevice } from './prepare_device.ts';
import { formatTable } from './table.ts';
import { seedNumber, unknownName, wholeNumber } from './usage.ts';

/** What does the work; tests have another. */
export type Exerciser = (settings: ExerciseSettings) => Promise<ExerciseResult>;

const OPERATIONS_USUAL = 200_000;
const OPERATIONS_MAX = 1_000_000_000;
const SEED_MAX = 2 ** 32 - 1;

export function addExercise(program: Command, streams: Streams, finish: (code: number) => void, run: Exerciser = exercise): void {
  program
    .command('exercise')
    .description('random reads, writes, truncations, maps, syncs and remounts, each compared with plain bytes')
    .option('--operations <count>', 'how many', wholeNumber(1, OPERATIONS_MAX), OPERATIONS_USUAL)
    .option('--seed <number>', 'seed of the operations and of the mounts', seedNumber, 1)
    .addOption(new Option('--io <name>', 'what serves the files').choices(['auto', 'pread', 'uring', 'mtlio'] as const).default('auto' as const))
    .addOption(new Option('--policy <name>', 'replacement policy').choices(['clock', 'fifo'] as const).default('clock' as const))
    .addOption(new Option('--wait <name>', 'how a warp waits').choices(['spin', 'replay'] as const).default('spin' as const))
    .addOption(new Option('--device <name>', 'device to run on').choices(['auto', 'cpu', 'cuda', 'metal'] as const).default('auto' as const))
    .option('--without <kinds>', `operations that are left out, with commas between: ${actionKinds.join(', ')}`, kindsOf)
    .option('--folder <path>', 'where the files are (default: in memory, where there is /dev/shm)')
    .option('--until-failure', 'go on with the next seed until something is wrong')
    .option('--json', 'write one JSON object on one line')
    .action(async ({ operations, seed, untilFailure, json, ...strategy }) => {
      await prepareDevice(streams, json === true, strategy);
      for (let current = seed; ; current = current === SEED_MAX ? 0 : current + 1) {
        const progress = makeProgress(streams, `exercise ${current}`, json === true);
        const settings: ExerciseSettings = { ...strategy, seed: current, operations, progress: progress.update };
        let result: ExerciseResult;
        try {
          result = await run(settings);
        } finally {
          progress.stop();
        }
        if (result.failure === undefined && untilFailure === true) continue;
        show(settings, result, streams, json === true);
        finish(result.failure === undefined ? 0 : 1);
        return;
      }
    });
}

function show(settings: ExerciseSettings, result: ExerciseResult, streams: Streams, json: boolean): void {
  const { failure, seed, operations, rounds, mounts, seconds } = result;
  const { io, policy, wait, device } = settings;
  if (json) {
    const again = repeatCommand(settings, failure?.operations ?? settings.operations);
    const told = failure === undefined ? {} : { failure: { operation: failure.operation, message: failure.message, smallest: failure.smallest } };
    printJson(streams, { command: 'exercise', seed, io, policy, wait, device, operations, runs: rounds, mounts, seconds, again, ...told });
    return;
  }
  const rows = [['operations', operations], ['runs', rounds], ['mounts', mounts], ['seconds', seconds], ['operations per second', operations / seconds]] as const;
  streams.out(`${formatTable(['what', 'count'], rows.map((row) => [...row]))}\n\n`);
  streams.out(failure === undefined ? 'every byte was right\n' : describeFailure(settings, failure));
}

function kindsOf(text: string): Set<ActionKind> {
  const names = text.split(',').filter((name) => name !== '');
  for (const name of names) {
    if ((actionKinds as readonly string[]).includes(name)) continue;
    throw new InvalidArgumentError(unknownName('operation', name, actionKinds).message);
  }
  return new Set(names as ActionKind[]);
}
