// Weaves mutants into the text of a header, so that one build carries them all and a word chooses among them at run time.
// Line numbers stay as they are: what a finding names is where it is in the repository.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.ts';
import { mutantNumber, mutants as allMutants } from './mutants.ts';

const SELECTOR = '::warpfs_mutant';
/** The first header of all that neutral code includes: what it declares, the others see. */
const DECLARES_SELECTOR = 'fs.h';
const DECLARED_AT = 'namespace warpfs {';

/** What the built-in kernels are compiled from, below native/. */
const TREE = ['abi/abi.h', 'host/cpu/builtin.h', 'shaders'] as const;

type IndexOf = (name: string) => number;

/**
 * The text of a header with every mutant of that file as a choice beside the original. Without mutants it is the text itself.
 * `indexOf` gives the value of the selector that switches a mutant on.
 */
export function mutatedHeader(file: string, text: string, mutants: readonly Mutant[], indexOf: IndexOf): string {
  const places = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    if (mutant.file === file) places.set(mutant.original, [...(places.get(mutant.original) ?? []), mutant]);
  }
  let woven = text;
  // From the back, so that what is found in the text of before is where it was.
  const found = [...places].map(([original, here]) => ({ at: placeOf(file, text, original), original, here })).toSorted((a, b) => b.at - a.at);
  found.forEach(({ at, original, here }, index) => {
    const end = at + original.length;
    const next = found[index - 1];
    if (next !== undefined && end > next.at) throw new Error(`[mutants] ${file}: ${next.here[0]?.name} and ${here[0]?.name} overlap without being the same place`);
    woven = woven.slice(0, at) + choice(original, here, indexOf) + woven.slice(end);
  });
  if (file !== DECLARES_SELECTOR || mutants.length === 0) return woven;
  const at = placeOf(file, woven, DECLARED_AT);
  return `${woven.slice(0, at)}extern "C" unsigned warpfs_mutant; ${woven.slice(at)}`;
}

/** Writes native/shaders and what it includes below `folder`, with all mutants woven in: `folder`/shaders/builtin_cpu.cpp compiles there. */
export function writeMutatedShaders(folder: string): void {
  const native = nativeFolder();
  for (const name of TREE) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(native, name), join(folder, name), { recursive: true });
  }
  const shaders = join(folder, 'shaders');
  const headers = readdirSync(shaders).filter((name) => name.endsWith('.h'));
  const unknown = allMutants.filter(({ file }) => !headers.includes(file));
  if (unknown.length > 0) throw new Error(`[mutants] no such header: ${unknown.map(({ name, file }) => `${file} of ${name}`).join(', ')}`);
  for (const file of headers) {
    const path = join(shaders, file);
    writeFileSync(path, mutatedHeader(file, readFileSync(path, 'utf8'), allMutants, mutantNumber));
  }
}

function placeOf(file: string, text: string, original: string): number {
  const at = text.indexOf(original);
  if (at < 0) throw new Error(`[mutants] ${file} does not have ${JSON.stringify(original)}`);
  if (text.includes(original, at + 1)) throw new Error(`[mutants] ${file} has ${JSON.stringify(original)} more than once`);
  return at;
}

function choice(original: string, mutants: readonly Mutant[], indexOf: IndexOf): string {
  const forms = new Set(mutants.map(({ form }) => form));
  if (forms.size !== 1) throw new Error(`[mutants] ${mutants.map(({ name }) => name).join(', ')}: one place, but not one form`);
  const woven = mutants.map((mutant) => ({ text: oneLine(mutant.mutated), number: indexOf(mutant.name) }));
  if (forms.has('expression')) return `(${woven.map(({ text, number }) => `${SELECTOR} == ${number}u ? (${text}) : `).join('')}(${original}))`;
  // Braces around it all: the place may be the only statement behind an if or a for.
  return `{ ${woven.map(({ text, number }) => `if (${SELECTOR} == ${number}u) { ${text} } else `).join('')}{ ${original} } }`;
}

/** Comments end with their line, so they have to go. */
function oneLine(text: string): string {
  return text.replaceAll(/\/\/.*$/gm, '').replaceAll(/\s*\n\s*/g, ' ').trim();
}

/** This file runs from native/check/, built from dist/native/check/: the headers are where a folder above has them. */
function nativeFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const native = join(folder, 'native');
    if (readdirSync(folder).includes('native') && readdirSync(native).includes('shaders')) return native;
    if (folder === dirname(folder)) throw new Error(`[mutants] no native/shaders above ${start}`);
  }
}
