// `warpfs shaders`: the shader headers, for pipelines of the user's own.
import { type Command, Option } from '@commander-js/extra-typings';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { shadersRoot } from '../package_root.ts';
import { flatDialectText } from '../shader_text.ts';
import { printJson, type Streams } from './output.ts';

export function addShaders(program: Command, streams: Streams, finish: (code: number) => void): void {
  program
    .command('shaders')
    .description('say where the shader headers lie, or print them as one text that needs no other file')
    .addOption(new Option('--dialect <name>', 'which dialect').choices(['cpu', 'cuda', 'metal'] as const).makeOptionMandatory())
    .option('--flat', 'print one self-contained text')
    .option('--json', 'write one JSON object on one line')
    .action(({ dialect, flat, json }) => {
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
