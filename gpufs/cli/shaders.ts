// `warpfs shaders`: the shader headers, for pipelines of the user's own, and whether Metal would take what was written with them.
import { type Command, Option } from '@commander-js/extra-typings';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { shadersRoot } from '../package_root.ts';
import { flatDialectText } from '../shader_text.ts';
import { printJson, type Streams } from './output.ts';
import { checkMetalFiles, describeChecked, EXIT_NOT_CHECKED } from './shaders_check.ts';
import { UsageError } from './usage.ts';

export function addShaders(program: Command, streams: Streams, finish: (code: number) => void): void {
  program
    .command('shaders')
    .description('say where the shader headers lie, print them as one text that needs no other file, or check Metal texts of your own')
    .addOption(new Option('--dialect <name>', 'which dialect').choices(['cpu', 'cuda', 'metal'] as const))
    .option('--flat', 'print one self-contained text')
    .addOption(
      new Option('--check <files...>', 'say whether Metal would take these texts, as far as clang can tell without a Mac; exit code 3: no clang').conflicts('flat'),
    )
    .option('--json', 'write one JSON object on one line')
    .action(({ dialect, flat, check, json }) => {
      if (check !== undefined) {
        if (dialect !== undefined && dialect !== 'metal') throw new UsageError(`--check is for Metal texts; it cannot be used with --dialect ${dialect}`);
        const files = checkMetalFiles(check, shadersRoot);
        if (json === true) printJson(streams, { command: 'shaders', files });
        else for (const file of files) (file.skipped === undefined ? streams.out : streams.error)(describeChecked(file));
        finish(files.some(({ skipped }) => skipped !== undefined) ? EXIT_NOT_CHECKED : files.every(({ ok }) => ok) ? 0 : 1);
        return;
      }
      if (dialect === undefined) throw new UsageError("required option '--dialect <name>' not specified");
      if (flat === true) {
        const text = flatDialectText(dialect, shadersRoot);
        if (json === true) printJson(streams, { command: 'shaders', dialect, text });
        else streams.out(text.endsWith('\n') ? text : `${text}\n`);
      } else {
        const includes = [`dialect/${dialect}.h`, 'warpfs.h'];
        const headers = readdirSync(shadersRoot).filter((name) => name.endsWith('.h')).sort();
        if (json === true) printJson(streams, { command: 'shaders', dialect, folder: shadersRoot, includes, headers });
        else streams.out(describe(includes, headers));
      }
      finish(0);
    });
}

function describe(includes: readonly string[], headers: readonly string[]): string {
  const lines = includes.map((name) => `#include "${name}"`).join('\n');
  return `compile with -I ${shadersRoot} and write\n\n${lines}\n\nheaders in ${join(shadersRoot)}: ${headers.join(' ')}\n`;
}
