#!/usr/bin/env node
// The command `warpfs`.
import { experimentCatalogue } from '../../experiments/catalogue.ts';
import { benchmarks } from '../bench/index.ts';
import { checkTools } from './check_tools.ts';
import { runCli } from './cli.ts';

const streams = {
  out: (text: string) => void process.stdout.write(text),
  error: (text: string) => void process.stderr.write(text),
  watched: process.stderr.isTTY === true,
};

// A reader that has seen enough, as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const words = process.argv.slice(2);
// Others need none of them, and go on where a file of somebody's own is broken.
const experiments = ['run', 'report'].includes(words[0] ?? '') ? await experimentCatalogue() : { experiments: [], systems: [] };
process.exitCode = await runCli(words, streams, { experiments, benchmarks, check: checkTools });
