// The command line as a function: arguments in, exit code out. 0: fine, 1: failed, 2: bad usage.
import { Command, CommanderError } from '@commander-js/extra-typings';
import type { ExperimentCatalogue } from '../../experiments/catalogue.ts';
import type { Benchmark } from '../bench/benchmark.ts';
import { WarpfsError } from '../errors.ts';
import { packageVersion } from '../package_root.ts';
import { addBench } from './bench.ts';
import { addCheck, type CheckTools } from './check.ts';
import { addDoctor } from './doctor.ts';
import { addExercise } from './exercise.ts';
import { addMedia } from './media.ts';
import { printJson, type Streams } from './output.ts';
import { addReport } from './report.ts';
import { addRun } from './run.ts';
import { addShaders } from './shaders.ts';
import { UsageError } from './usage.ts';

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

export interface Catalogue {
  experiments: ExperimentCatalogue;
  benchmarks: readonly Benchmark[];
  check: CheckTools;
}

export async function runCli(words: readonly string[], streams: Streams, { experiments, benchmarks, check }: Catalogue): Promise<number> {
  let code = 0;
  const finish = (ended: number) => {
    code = ended;
  };
  const program = new Command('warpfs')
    .description('A GPU-side file system and software cache')
    .version(packageVersion)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({ writeOut: streams.out, writeErr: streams.error });
  const root = program as unknown as Command;
  addDoctor(root, streams, finish);
  addRun(root, experiments, streams, finish);
  addReport(root, experiments, streams, finish);
  addBench(root, benchmarks, streams, finish);
  addCheck(root, check, streams, finish);
  addExercise(root, streams, finish);
  addMedia(root, streams, finish);
  addShaders(root, streams, finish);
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    return reportError(error, words, streams);
  }
}

function reportError(error: unknown, words: readonly string[], streams: Streams): number {
  const isCommander = error instanceof CommanderError;
  if (isCommander && error.exitCode === 0) return 0; // --help and --version
  const usage = isCommander || error instanceof UsageError || (error instanceof WarpfsError && error.code === 'ERR_WARPFS_OPTION');
  const message = error instanceof Error ? error.message : String(error);
  // Commander has written its own message by now.
  if (!isCommander) streams.error(`${message.startsWith('[') ? message : `error: ${message}`}\n`);
  if (words.includes('--json')) {
    const code = error instanceof WarpfsError ? error.code : usage ? 'ERR_USAGE' : 'ERR_FAILED';
    printJson(streams, { command: words.find((word) => !word.startsWith('-')) ?? '', error: { code, message } });
  }
  return usage ? EXIT_USAGE : EXIT_FAILED;
}
