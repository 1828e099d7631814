// `warpfs media`: the media that a mount can be like, their numbers, and where each number comes from.
import type { Command } from '@commander-js/extra-typings';
import { media } from '../media/media.ts';
import type { Figure, MediumProfile } from '../media/profile.ts';
import { printJson, type Streams } from './output.ts';
import { formatTable } from './table.ts';
import { unknownName } from './usage.ts';

export function addMedia(program: Command, streams: Streams, finish: (code: number) => void): void {
  const known = Object.keys(media);
  program
    .command('media')
    .description('say which media a mount can be like, and where their numbers come from')
    .argument('[names...]', 'media to show with all numbers and sources (default: a table of all)')
    .option('--json', 'write one JSON object on one line, with all numbers and sources')
    .action((names, { json }) => {
      for (const name of names) if (!known.includes(name)) throw unknownName('medium', name, known);
      const chosen = Object.entries<MediumProfile>(media).filter(([name]) => names.length === 0 || names.includes(name));
      if (json === true) printJson(streams, { command: 'media', media: Object.fromEntries(chosen) });
      else if (names.length === 0) streams.out(`${table(chosen)}\n\nwarpfs media <name> says where each number comes from; mount({ medium: '<name>' }) uses them\n`);
      else streams.out(chosen.map(describe).join('\n'));
      finish(0);
    });
}

const thousand = (figure: Figure | undefined): string | number => (figure === undefined ? '' : Math.round(figure.value / 1000));

function table(chosen: readonly [string, MediumProfile][]): string {
  return formatTable(
    ['medium', 'read us', 'p99', 'write us', 'p99', 'sync us', 'read kIOPS', 'write kIOPS', 'read MB/s', 'write MB/s', 'burst GB', 'then MB/s', 'depth'],
    chosen.map(([name, { read, write, sync, burst, queueDepth }]) => [
      name, read.medianUs.value, read.p99Us.value, write.medianUs.value, write.p99Us.value, sync.medianUs.value, thousand(read.iops), thousand(write.iops),
      read.megabytesPerSecond.value, write.megabytesPerSecond.value, burst?.gigabytes.value ?? '', burst?.sustainedMegabytesPerSecond.value ?? '', queueDepth.value,
    ]),
  );
}

function describe([name, profile]: readonly [string, MediumProfile]): string {
  const rows = figuresOf(profile).map(([path, { value, source }]) => [path, value, source]);
  return `${name}: ${profile.title}\n${formatTable(['number', 'value', 'source'], rows)}\n`;
}

/** Every number with its path, as `read.medianUs`. */
export function figuresOf(part: object, path: readonly string[] = []): [string, { value: string | number; source: string }][] {
  return Object.entries(part).flatMap(([name, value]: [string, unknown]): [string, { value: string | number; source: string }][] => {
    if (typeof value !== 'object' || value === null) return [];
    const here = [...path, name];
    return 'source' in value ? [[here.join('.'), value as Figure]] : figuresOf(value, here);
  });
}
