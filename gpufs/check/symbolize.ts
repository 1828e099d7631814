// Addresses of compiled shader code to functions and lines: `path+0xoffset` to `line_unpin cache_line.h:53`.
import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { shadersRoot } from '../package_root.ts';

export interface Frame {
  /** '' where the tool does not know. */
  function: string;
  /** As people say it: `cache_line.h`, `dialect/cpu.h`; no folders of this machine. */
  file: string;
  line: number;
}

/** For each pc its frames, the innermost first; a call that was inlined has a frame of its own. No frames: nobody knows. */
export type Symbolizer = (pcs: readonly string[]) => Promise<Map<string, Frame[]>>;

/** Gives what the tool printed; undefined where there is no such tool, or it failed. */
export type ToolRunner = (tool: string, options: readonly string[]) => Promise<string | undefined>;

const TOOL_MS_MAX = 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const BATCH_MAX = 500; // addresses on one command line

/** In the order of preference. Both print the same lines with these options. */
const tools: readonly { name: string; options: readonly string[]; trusted: boolean }[] = [
  { name: 'llvm-symbolizer', options: ['--output-style=GNU', '-a', '-i', '-f', '-C'], trusted: true },
  // It gives an inlined function without a linkage name the name of the function that it was inlined into.
  { name: 'addr2line', options: ['-a', '-i', '-f', '-C'], trusted: false },
];

export function makeSymbolizer(run: ToolRunner = runTool): Symbolizer {
  return async (pcs) => {
    const known = new Map<string, Frame[]>();
    for (const [file, offsets] of byFile(pcs)) {
      for (let from = 0; from < offsets.length; from += BATCH_MAX) {
        const batch = offsets.slice(from, from + BATCH_MAX);
        const frames = await askTools(run, file, batch);
        batch.forEach((offset, index) => known.set(`${file}+${offset}`, frames[index] ?? []));
      }
    }
    return known;
  };
}

async function askTools(run: ToolRunner, file: string, offsets: readonly string[]): Promise<Frame[][]> {
  for (const { name, options, trusted } of tools) {
    const output = await run(name, [...options, '-e', file, ...offsets]);
    const frames = output === undefined ? [] : parseFrames(output);
    if (frames.length !== offsets.length || frames.every((found) => found.length === 0)) continue;
    return trusted ? frames : frames.map(withoutWrongName);
  }
  return [];
}

function withoutWrongName(frames: Frame[]): Frame[] {
  const [first, ...callers] = frames;
  if (first === undefined || first.function !== callers.at(-1)?.function) return frames;
  return [{ ...first, function: '' }, ...callers];
}

/** One list of frames for each address line. What a tool does not know it calls `??`. */
export function parseFrames(output: string): Frame[][] {
  const found: Frame[][] = [];
  let name: string | undefined;
  for (const line of output.split('\n')) {
    if (/^0x[0-9a-f]+$/i.test(line)) {
      found.push([]);
      name = undefined;
    } else if (name === undefined) {
      if (line !== '') name = line;
    } else {
      const place = /^(.*):(\d+)(?: \(discriminator \d+\))?$/.exec(line);
      if (place !== null && place[1] !== '??') found.at(-1)?.push({ function: shortFunction(name), file: shortPath(place[1] ?? ''), line: Number(place[2]) });
      name = undefined;
    }
  }
  return found;
}

/** `warpfs::(anonymous namespace)::line_unpin(warpfs::Fs&, unsigned int)` is line_unpin to people. */
export function shortFunction(name: string): string {
  const bare = name.replaceAll('(anonymous namespace)::', '').replace(/ \[clone .*\]$/, '');
  const called = bare.replace(/\(.*$/, '').replace(/<.*$/, '').trim();
  return called.split(/::|\s/).at(-1) || bare;
}

/** Shaders by their path below the folder of the shaders, anything else by its name alone. */
export function shortPath(path: string): string {
  const normal = path.replaceAll(/[^/]+\/\.\.\//g, '').replaceAll('/./', '/');
  const shader = /(?:^|\/)native\/shaders\/(.+)$/.exec(normal);
  return shader?.[1] ?? basename(normal);
}

/** The same for shaders that are named within a text: what is said on one machine is said on all. */
export function withoutFolders(text: string): string {
  return text.replaceAll(`${shadersRoot}/`, '').replaceAll(/(?:\/[^\s/;,()'"]+)*\/native\/shaders\//g, '');
}

/** A pc that no tool knows: the module's name and the offset. */
export function rawPlace(pc: string): string {
  return basename(pc);
}

function byFile(pcs: readonly string[]): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const pc of new Set(pcs)) {
    const match = /^(.+)\+(0x[0-9a-f]+)$/i.exec(pc);
    if (match === null) continue;
    const [, file = '', offset = ''] = match;
    files.set(file, [...(files.get(file) ?? []), offset]);
  }
  return files;
}

function runTool(tool: string, options: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(tool, options, { timeout: TOOL_MS_MAX, maxBuffer: OUTPUT_BYTES_MAX, env: { ...process.env, LC_ALL: 'C' } }, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}
