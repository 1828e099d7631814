// The house rules that no compiler holds: who imports whom, how long a file may be, and documents that name only what exists.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('.', import.meta.url));
const ignored = new Set(['node_modules', 'dist', 'build', 'results', 'coverage', '.git']);
const LINES_MAX = 400;

/** Folders of the sources, and those that each may import. Tests may import anything. The longest prefix of a path counts. */
const mayImport: Record<string, readonly string[]> = {
  'native/abi': [],
  'native/check': ['gpufs', 'native/abi'],
  cache: ['native/abi'],
  'model/reference': ['gpufs', 'native/abi'],
  'model/performance': ['cache', 'gpufs', 'native/abi'],
  gpufs: ['cache', 'gpufs/check', 'native/abi'],
  // The command line is the top of the house.
  'gpufs/cli': ['cache', 'experiments', 'gpufs', 'gpufs/bench', 'gpufs/check', 'gpufs/exercise', 'model/performance', 'native/abi', 'native/check'],
  'gpufs/bench': ['cache', 'experiments', 'gpufs', 'gpufs/check', 'native/abi', 'native/check'],
  'gpufs/check': ['cache', 'gpufs', 'model/reference', 'native/abi', 'native/check'],
  'gpufs/exercise': ['gpufs', 'native/abi'],
  'gpufs/conformance': ['cache', 'gpufs', 'model/reference', 'native/abi'],
  experiments: ['cache', 'gpufs', 'gpufs/bench', 'model/performance', 'native/abi'],
};

/** Of these folders only types may be taken. */
const typesOnly: Record<string, readonly string[]> = { 'model/reference': ['gpufs'], 'native/check': ['gpufs'] };

const generated = new Set(['native/abi/abi.h', 'native/abi/abi.ts', 'package-lock.json']);

function filesOf(folder: string): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: folder, encoding: 'utf8' });
    return listed.split('\n').filter((file) => file !== '' && existsSync(join(folder, file)));
  } catch {
    return walk(folder); // a package without its repository
  }
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (ignored.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [relative(root, path)];
  });
}

function folderOf(file: string): string | undefined {
  return Object.keys(mayImport)
    .filter((folder) => file.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length)[0];
}

interface Import {
  target: string;
  /** Nothing of it is left when the types are gone. */
  erased: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = /^\s*(import|export)\s(type\s)?([^;'"`]*?from\s*)?['"](\.{1,2}\/[^'"]+)['"]|import\(\s*['"](\.{1,2}\/[^'"]+)['"]/gm;
  return [...text.matchAll(statements)].map((match) => ({
    target: relative(root, join(root, dirname(file), match[4] ?? match[5] ?? '')),
    erased: match[2] !== undefined,
  }));
}

const files = filesOf(root);
const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && folderOf(file) !== undefined);

test('the rules look at something', () => {
  expect(sources.length).toBeGreaterThan(30);
  expect(sources.flatMap(importsOf).length).toBeGreaterThan(60);
});

describe('imports', () => {
  test.each(sources)('%s imports only what its folder may', (file) => {
    const from = folderOf(file) as string;
    const wrong = importsOf(file).filter(({ target, erased }) => {
      const to = folderOf(target);
      if (to === from) return false;
      if (to === undefined || !(mayImport[from] ?? []).includes(to)) return true;
      return !erased && (typesOnly[from] ?? []).includes(to);
    });
    expect(wrong.map(({ target }) => target)).toEqual([]);
  });

  test('every import names a file that exists', () => {
    const missing = sources.flatMap((file) => importsOf(file).map(({ target }) => [file, target] as const)).filter(([, target]) => !existsSync(join(root, target)));
    expect(missing).toEqual([]);
  });

  test('every source folder has a row in the table', () => {
    const unknown = files.filter((file) => /(?<!\.test)\.ts$/.test(file) && file.includes('/') && folderOf(file) === undefined);
    expect(unknown).toEqual([]);
  });
});

describe('files', () => {
  const texts = files.filter((file) => /\.(ts|js|h|c|cpp|cu|metal|md|json|txt|sh|yml|yaml)$/.test(file) && !generated.has(file));

  test(`none is longer than ${LINES_MAX} lines`, () => {
    const long = texts.map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1] as const).filter(([, lines]) => lines > LINES_MAX);
    expect(long).toEqual([]);
  });

  test('none has a note of work left undone', () => {
    // Spelled apart, or this file and the settings of the linter would be found as well.
    const notes = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`);
    expect(texts.filter((file) => notes.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });

  test('none has spaces at the end of a line, and each ends with one newline', () => {
    const untidy = texts.filter((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return text !== '' && (/[ \t]$/m.test(text) || !text.endsWith('\n') || text.endsWith('\n\n'));
    });
    expect(untidy).toEqual([]);
  });
});

describe('documents', () => {
  const documents = files.filter((file) => file.endsWith('.md'));
  const folders = [...new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0] as string))];

  /** What a document calls a file: the target of a link, or a name in code quotes that starts with a folder of the project. */
  function namesIn(document: string): string[] {
    const text = readFileSync(join(root, document), 'utf8');
    const links = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)].map((match) => match[1] as string).filter((link) => !/^[a-z]+:/.test(link));
    const quoted = [...text.matchAll(/`([\w./-]+)`/g)].map((match) => match[1] as string);
    const named = quoted.filter((name) => folders.includes(name.split('/')[0] ?? '') || /^[A-Z]+\.md$|\w\.(ts|h|cpp)$/.test(name));
    return [...links, ...named];
  }

  function exists(document: string, name: string): boolean {
    if (existsSync(join(root, dirname(document), name)) || existsSync(join(root, name))) return true;
    // The end of a path means the file of that name, wherever it lies.
    return files.some((file) => file.endsWith(`/${name}`));
  }

  test.each(documents)('%s names only files that exist', (document) => {
    expect(namesIn(document).filter((name) => !exists(document, name))).toEqual([]);
  });

  test('scripts that documents run exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const unknown = documents.flatMap((document) =>
      [...readFileSync(join(root, document), 'utf8').matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] as string).filter((name) => scripts[name] === undefined),
    );
    expect(unknown).toEqual([]);
  });

  test('what the package ships is there', () => {
    const shipped = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }).files;
    expect(shipped.filter((name) => name !== 'dist' && !existsSync(join(root, name)))).toEqual([]);
  });
});
