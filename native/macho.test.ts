// What a build on a Mac compiles is compiled here for arm64 macOS (tools/compile_macho.sh). Nothing is linked: the tables of symbols of the objects say
// whether a linker would find all names of ours.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { packageRoot } from '../gpufs/package_root.ts';

const tool = join(packageRoot, 'tools', 'compile_macho.sh');
const BUILD = join(packageRoot, 'build-macho');
const missing = spawnSync(tool, ['--look'], { encoding: 'utf8' });
const skip = missing.status === 0 ? '' : `: ${missing.stderr.trim()}`;

const MAGIC = 0xfeedfacf;
const HEADER_BYTES = 32;
const LC_SYMTAB = 2;
const SYMBOL_BYTES = 16;
const N_STAB = 0xe0, N_TYPE = 0x0e, N_EXT = 0x01;

interface Symbols {
  defined: string[];
  undefined: string[];
}

/** The names in a 64-bit Mach-O that other objects see, or that it wants from them. */
function symbolsOf(object: Buffer): Symbols {
  expect(object.readUInt32LE(0)).toBe(MAGIC);
  const symbols: Symbols = { defined: [], undefined: [] };
  let command = HEADER_BYTES;
  for (let left = object.readUInt32LE(16); left > 0; left--) {
    if (object.readUInt32LE(command) === LC_SYMTAB) {
      const [table, count, names] = [8, 12, 16].map((field) => object.readUInt32LE(command + field)) as [number, number, number];
      for (let symbol = table; symbol < table + count * SYMBOL_BYTES; symbol += SYMBOL_BYTES) {
        const type = object.readUInt8(symbol + 4);
        if ((type & N_EXT) === 0 || (type & N_STAB) !== 0) continue;
        const name = names + object.readUInt32LE(symbol);
        // A value makes it a common variable, which is a definition.
        const wanted = (type & N_TYPE) === 0 && object.readBigUInt64LE(symbol + 8) === 0n;
        (wanted ? symbols.undefined : symbols.defined).push(object.toString('latin1', name, object.indexOf(0, name)));
      }
    }
    command += object.readUInt32LE(command + 4);
  }
  return symbols;
}

/** The objects of the addon, by the names of what CMake makes them for. */
function objectsOfAddon(): string[] {
  const made = readdirSync(join(BUILD, 'CMakeFiles'), { recursive: true, encoding: 'utf8' }).filter((file) => /^(warpfs(_core|_addon)?|builtin_\w+|checked_\w+)\.dir\/.*\.o$/.test(file));
  return made.map((file) => join(BUILD, 'CMakeFiles', file));
}

/** A project of these files, compiled as a Mac would. */
function compile(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-macho-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const names = Object.keys(files);
  writeFileSync(join(folder, 'CMakeLists.txt'), `cmake_minimum_required(VERSION 3.20)\nproject(sample LANGUAGES CXX OBJCXX)\nset(CMAKE_CXX_STANDARD 20)\nadd_library(sample OBJECT ${names.join(' ')})\n`);
  for (const name of names) writeFileSync(join(folder, name), files[name] as string);
  const run = spawnSync(tool, ['--source', folder, '--build', join(folder, 'build')], { encoding: 'utf8' });
  return { status: run.status, text: `${run.stdout}\n${run.stderr}` };
}

describe.skipIf(skip !== '')(`objects for a Mac${skip}`, () => {
  test('all that a Mac build compiles becomes a Mach-O for arm64, and wants no name of ours that none of them has', { timeout: 900_000 }, () => {
    const run = spawnSync(tool, [], { encoding: 'utf8' });
    expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
    expect(Number(/^ok (\d+) Mach-O objects for arm64$/m.exec(run.stdout)?.[1])).toBeGreaterThan(120);
    const objects = objectsOfAddon();
    const symbols = objects.map((object) => symbolsOf(readFileSync(object)));
    const defined = new Set(symbols.flatMap((of) => of.defined));
    const ours = symbols.flatMap((of) => of.undefined).filter((name) => /warpfs|tsan/.test(name));
    expect(ours.length).toBeGreaterThan(500);
    expect([...new Set(ours.filter((name) => !defined.has(name)))]).toEqual([]);
    // Whoever loads the addon looks for this one.
    expect([...defined].filter((name) => name.includes('napi_register_module'))).not.toEqual([]);
    expect(objects.some((object) => dirname(object).endsWith('host/node'))).toBe(true);
  });

  test('Objective-C++ is compiled against the frameworks that the fake Metal declares, and released by hand', { timeout: 120_000 }, () => {
    const device = (body: string) => `#import <Metal/Metal.h>\n#include <vector>\nunsigned long f(std::vector<id<MTLDevice>>& all) {\n  @autoreleasepool {\n    id<MTLDevice> device = MTLCreateSystemDefaultDevice();\n    all.push_back(device);\n    ${body}\n  }\n}\n`;
    const good = compile({ 'good.mm': device('const unsigned long bytes = device.maxBufferLength;\n    [device release];\n    return bytes;') });
    expect(good.status, good.text).toBe(0);
    expect(good.text).toContain('ok 1 Mach-O objects');
    const bad = compile({ 'bad.mm': device('return [device newBufferOfLength:1].length;') });
    expect(bad.status).not.toBe(0);
    expect(bad.text).toMatch(/bad\.mm:7:\d+: error:.*newBufferOfLength/);
  });

  test.each([
    ['fdatasync', '#include <unistd.h>\nint f(int fd) { return fdatasync(fd); }\n'],
    ['O_PATH', '#include <fcntl.h>\nint f() { return open("a", O_PATH); }\n'],
    ['st_mtim', '#include <sys/stat.h>\nlong f(const struct stat& found) { return found.st_mtim.tv_sec; }\n'],
    ['sys/vfs.h', '#include <sys/vfs.h>\n'],
    // A uint64_t is no size_t there.
    ['no matching function', '#include <algorithm>\n#include <cstdint>\n#include <cstddef>\nuint64_t f(uint64_t a, std::size_t b) { return std::min(a, b); }\n'],
  ])('%s is refused', { timeout: 120_000 }, (what, text) => {
    const { status, text: said } = compile({ 'linux.cpp': text });
    expect(status).not.toBe(0);
    expect(said).toMatch(new RegExp(`linux\\.cpp:\\d+:\\d+: (fatal )?error: .*${what}`));
  });
});
