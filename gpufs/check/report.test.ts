import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { NativeFinding } from '../native_check.ts';
import { shadersRoot } from '../package_root.ts';
import { findCompiler } from '../system_compiler.ts';
import { checkError } from './check_error.ts';
import { makeReport } from './report.ts';
import { makeSymbolizer, parseFrames, shortFunction, shortPath, withoutFolders } from './symbolize.ts';

const output = `0x10f9
warpfs::atomic_sub(unsigned int*, unsigned int)
/home/somebody/warpfs/native/shaders/dialect/cpu.h:134
warpfs::(anonymous namespace)::line_unpin(warpfs::Fs&, unsigned int)
/home/somebody/warpfs/native/shaders/cache_line.h:53 (discriminator 2)
page_release
/home/somebody/warpfs/native/shaders/../shaders/cache.h:128
0x2000
??
??:0
`;

const finding: NativeFinding = {
  kind: 'race',
  message: 'two accesses to LineAux[3].dirty, one of them a write',
  schedule: 812,
  actors: [
    { actor: 1, warp: 0, lane: 1, step: 17, pcs: ['/opt/x/warpfs.node+0x10f9', '/opt/x/warpfs.node+0x2000'] },
    { actor: 8, warp: -1, lane: 0, step: 5, pcs: [] },
  ],
  decisions: Uint32Array.of(0, 4, 0, 8, 8, 2, 3, 1, 1, 9, 0, 0),
  traceHash: '0123456789abcdef',
};

test('a finding as people read it', async () => {
  const asked: string[][] = [];
  const symbolizer = makeSymbolizer(async (tool, options) => {
    asked.push([tool, ...options]);
    return tool === 'addr2line' ? output : undefined;
  });
  expect(await makeReport(finding, { seed: 7, again: 'warpfs check --replay a.json', symbolizer })).toBe(
    [
      'race: two accesses to LineAux[3].dirty, one of them a write',
      '  warp 0 lane 1, step 17: line_unpin cache_line.h:53 <- page_release cache.h:128 <- warpfs.node+0x2000',
      '  host, step 5: place unknown',
      '  seed 7, schedule 812: 2 switches, trace 0123456789abcdef',
      '  again: warpfs check --replay a.json',
    ].join('\n'),
  );
  expect(asked.map((words) => words[0])).toEqual(['llvm-symbolizer', 'addr2line']);
  expect(asked[1]?.slice(-4)).toEqual(['-e', '/opt/x/warpfs.node', '0x10f9', '0x2000']);
});

test('without any tool the raw place is better than nothing', async () => {
  const report = await makeReport(finding, { seed: 7, again: 'x', symbolizer: makeSymbolizer(async () => undefined) });
  expect(report).toContain('warp 0 lane 1, step 17: warpfs.node+0x10f9 <- warpfs.node+0x2000');
  expect(report).not.toContain('/opt');
});

test('a finding of a mount is an error that says how to see it again', async () => {
  const options = {
    seed: 7, scheduler: 'pct', depth: 2, preemptions: 0xffffffff, memory: 'relaxed', progress: 'fair', laneCount: 4, cuda: false, stepLimit: 9,
    faults: { eio: 5, enospc: 0, eintr: 0, shortIo: 0, delay: 0, die: 0, revive: 0, truncate: 0, replace: 0 },
  } as const;
  const error = await checkError('run', finding, options, async () => new Map());
  expect(error).toMatchObject({ code: 'ERR_WARPFS_CHECK', finding });
  expect(error.message).toMatch(/^\[warpfs\] run: race: two accesses/);
  expect(error.message).toContain("check: { seed: 7, scheduler: 'pct', depth: 2, preemptions: 4294967295, memory: 'relaxed', progress: 'fair', laneCount: 4, cuda: false, stepLimit: 9, faults: { eio: 5 } }");
});

test('what the tools print', () => {
  expect(parseFrames(output).map((frames) => frames.length)).toEqual([3, 0]);
  expect(shortFunction('int warpfs::inner<unsigned int>(unsigned int*) [clone .isra.0]')).toBe('inner');
  expect(shortFunction('operator()')).toBe('operator');
  expect(shortPath('/a/b/native/shaders/dialect/cpu.h')).toBe('dialect/cpu.h');
  expect(shortPath('/a/b/kernels/sum_pages')).toBe('sum_pages');
  expect(withoutFolders(`lane 1 waits at ${join(shadersRoot, 'wait.h')}:44; lane 2 at /tmp/x-1/native/shaders/dialect/cpu.h:3`)).toBe(
    'lane 1 waits at wait.h:44; lane 2 at dialect/cpu.h:3',
  );
});

test.skipIf(findCompiler() === undefined)('inlined calls of a real shared object', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'warpfs-symbolize-'));
  try {
    const text = [
      '__attribute__((always_inline)) static inline int deep(volatile int* p) { return *p; }',
      '__attribute__((always_inline)) static inline int middle(volatile int* p) { return deep(p) * 5; }',
      'extern "C" int outer(volatile int* p) { return middle(p) + 1; }',
    ];
    writeFileSync(join(folder, 'text.cpp'), text.join('\n'));
    const compiler = findCompiler()!;
    execFileSync(compiler.path, [...compiler.leading, '-O1', '-g1', '-shared', '-fPIC', '-o', 'module.so', 'text.cpp'], { cwd: folder });
    const symbols = execFileSync('nm', ['module.so'], { cwd: folder, encoding: 'utf8' });
    const start = Number.parseInt(/^([0-9a-f]+) T outer$/m.exec(symbols)?.[1] ?? '0', 16);
    const pcs = Array.from({ length: 16 }, (_, offset) => `${join(folder, 'module.so')}+0x${(start + offset).toString(16)}`);
    const frames = [...(await makeSymbolizer()(pcs)).values()].find((found) => found.length === 3);
    if (frames === undefined) return; // neither tool is here
    expect(frames.map((frame) => frame.line)).toEqual([1, 2, 3]);
    expect(['deep', '']).toContain(frames[0]?.function);
    expect(frames.slice(1).map((frame) => frame.function)).toEqual(['middle', 'outer']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
