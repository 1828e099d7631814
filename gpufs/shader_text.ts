// One self-contained text out of the shader headers: NVRTC and newLibraryWithSource are given a string and no folder to look in.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';

export type Dialect = 'cpu' | 'cuda' | 'metal';

const INCLUDE = /^\s*#\s*include\s+"([^"]+)"/;
const PRAGMA_ONCE = /^\s*#\s*pragma\s+once\b/;
const OPENS = /^\s*#\s*if/; // #if, #ifdef, #ifndef
const CLOSES = /^\s*#\s*endif\b/;

// A name that tells the reader where a text comes from and says nothing of the machine it was flattened on.
export function displayName(file: string, root: string): string {
  const name = relative(root, file).split(sep).join('/').replace(/^(\.\.\/)+/, '');
  return name.startsWith('/') ? basename(file) : name;
}

function find(name: string, from: string, root: string): string | undefined {
  const file = [join(from, name), join(root, name)].find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true);
  return file === undefined ? undefined : realpathSync(file);
}

/** A line of a flat text, and where it was written; a line that flattening added stands where it was needed. */
export interface FlatLine {
  text: string;
  file: string;
  line: number;
}

/** An include that cannot be followed. */
export class IncludeError extends Error {
  readonly file: string;
  readonly line: number;
  readonly what: string;

  constructor(file: string, line: number, what: string) {
    super(`[warpfs] ${file}:${line}: ${what}`);
    this.file = file;
    this.line = line;
    this.what = what;
  }
}

type NameOf = (file: string) => string;

class Flattener {
  // Files with #pragma once that stand in the text outside of every #if: they are never needed again.
  readonly #done = new Set<string>();
  // Files with #pragma once that stand in the text inside of an #if, so perhaps not in what is compiled: they carry a guard.
  readonly #guarded = new Set<string>();
  readonly #open: string[] = [];
  readonly #root: string;
  readonly #nameOf: NameOf;

  constructor(shadersRoot: string, nameOf?: NameOf) {
    const root = realpathSync(shadersRoot);
    this.#root = root;
    this.#nameOf = nameOf ?? ((file) => displayName(file, root));
  }

  file(file: string, depth: number): FlatLine[] {
    if (this.#done.has(file)) return [];
    const name = this.#nameOf(file);
    const text = readFileSync(file, 'utf8');
    const once = text.split('\n').some((line) => PRAGMA_ONCE.test(line));
    if (once && depth === 0) this.#done.add(file);
    const guard = once && (depth > 0 || this.#guarded.has(file));
    if (guard) this.#guarded.add(file);
    this.#open.push(file);
    // What a guarded file includes stands inside of its guard.
    const lines = this.text(text, name, dirname(file), guard ? depth + 1 : depth);
    this.#open.pop();
    const added = (text: string): FlatLine => ({ text, file: name, line: 1 });
    const marked = [added(`// ---- from: ${name}`), ...lines];
    if (!guard) return marked;
    const macro = `WARPFS_FLAT_${name.replace(/\W/g, '_').toUpperCase()}`;
    return [added(`#ifndef ${macro}`), added(`#define ${macro}`), ...marked, added('#endif')];
  }

  text(text: string, name: string, folder: string, outerDepth: number): FlatLine[] {
    const lines: FlatLine[] = [];
    let depth = outerDepth;
    let resume = false; // an included file ended just now: say whose lines follow
    for (const [index, line] of text.trimEnd().split('\n').entries()) {
      const here = { file: name, line: index + 1 };
      if (OPENS.test(line)) depth++;
      if (CLOSES.test(line)) depth--;
      const included = INCLUDE.exec(line)?.[1];
      if (included !== undefined) {
        const file = find(included, folder, this.#root);
        if (file === undefined) throw new IncludeError(here.file, here.line, `cannot find "${included}"`);
        if (this.#open.includes(file)) throw new IncludeError(here.file, here.line, `${this.#nameOf(file)} includes itself`);
        const inlined = this.file(file, depth);
        lines.push(...inlined);
        resume ||= inlined.length > 0;
      } else if (!PRAGMA_ONCE.test(line)) {
        if (resume && line.trim() !== '') {
          lines.push({ text: `// ---- from: ${name}`, ...here });
          resume = false;
        }
        lines.push({ text: line, ...here });
      }
    }
    return lines;
  }
}

function joined(lines: readonly FlatLine[]): string {
  return `${lines.map(({ text }) => text).join('\n')}\n`;
}

/** The text of `entryFile` with every `#include "..."` replaced by the file, once; `#include <...>` stays. */
export function flattenShader(entryFile: string, shadersRoot: string): string {
  return joined(new Flattener(shadersRoot).file(realpathSync(entryFile), 0));
}

/** The same, line by line with where each comes from. `nameOf` says what a file is called. */
export function flattenShaderLines(entryFile: string, shadersRoot: string, nameOf: NameOf): FlatLine[] {
  return new Flattener(shadersRoot, nameOf).file(realpathSync(entryFile), 0);
}

/** A text of one's own, as if it were a file in the root of the shaders. */
export function flattenShaderText(text: string, name: string, shadersRoot: string): string {
  const root = realpathSync(shadersRoot);
  return joined(new Flattener(root).text(text, name, root, 0));
}

const flattened = new Map<string, string>();

/** The same for lines that only include headers: these do not change while a process runs, so they are read once. */
export function flatHeaders(includes: string, shadersRoot: string): string {
  const key = `${shadersRoot}\0${includes}`;
  const text = flattened.get(key) ?? flattenShaderText(includes, 'warpfs', shadersRoot);
  flattened.set(key, text);
  return text;
}

/** Everything that a kernel needs, in one dialect: the dialect header, the layout and the neutral headers. */
export function flatDialectText(dialect: Dialect, shadersRoot: string): string {
  return flattenShaderText(`#include "dialect/${dialect}.h"\n#include "warpfs.h"\n`, 'warpfs', shadersRoot);
}
