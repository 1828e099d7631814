import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { shadersRoot } from './package_root.ts';
import { checkCuda, checkMetal, cudaCheckMissing, metalCheckMissing, type CheckResult } from './shader_check.ts';
import { flatDialectText, flattenShaderText } from './shader_text.ts';

type Device = 'metal' | 'cuda';
const missing: Record<Device, string | undefined> = { metal: metalCheckMissing(), cuda: cudaCheckMissing() };
const check: Record<Device, (text: string) => CheckResult> = { metal: checkMetal, cuda: checkCuda };

// A check that cannot run stands in the report under a name that says so.
function deviceTest(device: Device, name: string, body: () => void): void {
  const reason = missing[device];
  if (reason === undefined) test(`${device}: ${name}`, { timeout: 120_000 }, body);
  else test.skip(`SKIP ${reason}: ${device}: ${name}`, body);
}
function expectAccepted(result: CheckResult): void {
  expect(result.output).not.toContain('error');
  expect(result).toMatchObject({ ok: true });
}

const dialectOnly = (device: Device): string => flattenShaderText(`#include "dialect/${device}.h"\n`, 'test', shadersRoot);

// Neutral code that uses everything a dialect has to provide.
const useEverything = `
namespace warpfs {
static_assert(sizeof(uchar) == 1 && sizeof(int32_t) == 4 && sizeof(uint32_t) == 4 && sizeof(uint64_t) == 8, "sizes");
struct Pair { uint first; uint second; };
static_assert(WARPFS_OFFSETOF(Pair, second) == 4, "offset");
WARPFS_CONSTANT uint answer = 42u;
WARPFS_FN uint use_words(WARPFS_DEVICE uint* words, const WARPFS_DEVICE uint* answers) {
  uint seen = atomic_load(words) + atomic_load(answers);
  atomic_store(words, seen);
  seen += atomic_add(words, 1u) + atomic_sub(words, 2u) + atomic_or(words, 4u) + atomic_and(words, ~8u) + atomic_exchange(words, answer);
  fence_acquire();
  while (!atomic_cas(words, seen, seen + 1u)) fence_seq();
  fence_release();
  host_fence_release();
  host_store(words + 1, seen);
  seen += host_load(answers);
  host_fence_acquire();
  return seen;
}
WARPFS_FN void use_lines(WARPFS_DEVICE Vec16* line, const WARPFS_DEVICE uchar* bytes) {
  const Vec16 moved = data_load16((const WARPFS_DEVICE Vec16*)bytes);
  data_store16(line, moved);
  data_store4((WARPFS_DEVICE uint*)line, data_load4((const WARPFS_DEVICE uint*)bytes));
  data_store1((WARPFS_DEVICE uchar*)line, data_load1(bytes));
}
WARPFS_FN uint use_collectives(WARPFS_THREAD const Lane& lane, uint value, ulong wide) {
  uint picked = 0;
  uint masks[4];
  ulong first = 0, other = 0;
  warp_votes(lane, value, masks);
  uint result = warp_ballot(lane, value > 1u) + warp_pick(lane, value > 2u, value, picked) + picked + masks[0] + masks[3];
  if (warp_any(lane, value == 3u) && warp_all(lane, value == 4u)) result += 1u;
  ulong ofLeader = wide;
  if (!warp_uniform(lane, wide, first, other, ofLeader)) result += (uint)first + (uint)(other >> 32) + (uint)ofLeader;
  host_doorbell(lane);
  for (PieceRange piece = lane_pieces(lane, 7u); piece.at < piece.end; piece.at += piece.step) result += piece.at;
  result += warp_broadcast(lane, value, 5u) + (uint)warp_broadcast64(lane, wide, 6u) + warp_shuffle(lane, value, lane.index ^ 1u);
  result += warp_sum(lane, value) + (uint)warp_sum_float(lane, (float)value);
  warp_sync(lane);
  WARPFS_GROUP uint* shared = (WARPFS_GROUP uint*)group_memory(lane);
  shared[lane.index] = result;
  group_barrier(lane);
  return shared[lane.count - 1u - lane.index] + lowest_bit(result | 1u) + bit_count(result);
}
WARPFS_FN uint use_methods(WARPFS_THREAD const Lane& lane, uint value, ulong wide) {
  uint result = lane.sum(value) + (uint)lane.sum((int)value) + (uint)lane.sum((float)value) + lane.ballot(value > 1u);
  if (lane.any(value > 2u) || lane.all(value > 3u)) result += 1u;
  result += lane.broadcast(value, 1u) + (uint)lane.broadcast((int)value, 2u) + (uint)lane.broadcast((float)value, 3u);
  result += (uint)lane.broadcast(wide, 4u);
  return result + lane.shuffle(value, 1u) + (uint)lane.shuffle((int)value, 2u) + (uint)lane.shuffle((float)value, 3u);
}
WARPFS_FN bool use_wait(WARPFS_THREAD const Lane& lane, const WARPFS_DEVICE uint* word) {
  const ulong begin = clock_ns();
  WaitBound bound;
  wait_begin(bound, 1000u, 1000000u);
  while (host_load(word) == 0u) {
    if (!wait_pause(lane, bound)) return clock_ns() != begin;
  }
  return true;
}
WARPFS_FN void use_everything(WARPFS_THREAD Lane& lane, WARPFS_DEVICE uint* words, WARPFS_DEVICE Vec16* line) {
  const uint value = use_words(words, words + 8);
  use_lines(line + lane.index, (const WARPFS_DEVICE uchar*)(line + 64));
  const uint result = use_collectives(lane, value, value) + use_methods(lane, value, value) + (use_wait(lane, words) ? 1u : 0u);
  atomic_add(words + 2, result);
}
}  // namespace warpfs
`;
const entries: Record<Device, string> = {
  metal: `
kernel void entry(device uint* words [[buffer(0)]], device warpfs::Vec16* line [[buffer(1)]], threadgroup uchar* group [[threadgroup(0)]],
                  uint index [[thread_index_in_simdgroup]], uint count [[threads_per_simdgroup]]) {
  warpfs::Lane lane = {index, count, group};
  warpfs::use_everything(lane, words, line);
}
`,
  cuda: `
extern "C" __global__ void entry(warpfs::uint* words, warpfs::Vec16* line) {
  warpfs::Lane lane;
  warpfs::use_everything(lane, words, line);
}
`,
};

deviceTest('metal', 'takes every function of the dialect', () => {
  expectAccepted(checkMetal(dialectOnly('metal') + useEverything + entries.metal));
});
deviceTest('metal', 'takes every function of the dialect with WARPFS_SPIN', () => {
  expectAccepted(checkMetal(`#define WARPFS_SPIN 1\n${dialectOnly('metal')}${useEverything}${entries.metal}`));
});
deviceTest('cuda', 'takes every function of the dialect', () => {
  expectAccepted(checkCuda(dialectOnly('cuda') + useEverything + entries.cuda));
});

// A kernel that calls all of the library, so that ptxas sees all of it and templates are instantiated.
const otherHeaders = readdirSync(shadersRoot).filter((name) => name.endsWith('.h') && name !== 'warpfs.h');
const allHeaders = otherHeaders.map((name) => `#include "${name}"\n`).join('');
const useLibrary = `
namespace warpfs {
WARPFS_FN int use_library(WARPFS_THREAD Fs& fs, WARPFS_THREAD const Program& program) {
  item_begin(fs);
  WARPFS_TRY(int file, gopen(fs, program.data, WARPFS_RDONLY));
  WARPFS_TRY(uint word, gload<uint>(fs, file, fs.lane.index));
  WARPFS_TRY(float number, gload<float>(fs, file, fs.lane.index));
  WARPFS_TRY(uchar byte, gload<uchar>(fs, file, fs.lane.index));
  program.data[fs.lane.index] = (uchar)(word + (uint)number + byte);
  WARPFS_TRY(int closed, gclose(fs, file));
  int status = closed + run_program(fs, program) + run_sweep(fs);
#if WARPFS_REPLAY
  run_abandon(fs);
#endif
  item_end(fs, status);
  return status;
}
}  // namespace warpfs
`;
const libraryEntries: Record<Device, string> = {
  metal: `
kernel void entry(device uint* out [[buffer(0)]], constant uint& count [[buffer(1)]], threadgroup uchar* group [[threadgroup(0)]],
                  uint index [[thread_index_in_simdgroup]], uint item [[threadgroup_position_in_grid]]) {
  warpfs::Fs fs = {};
  fs.lane.index = index;
  fs.lane.count = count;
  fs.lane.group = group;
  fs.item = item;
  warpfs::Program program = {};
  out[item] = (uint)warpfs::use_library(fs, program);
}
`,
  cuda: `
extern "C" __global__ void entry(warpfs::Fs from, warpfs::Program program, warpfs::uint* out) {
  warpfs::Fs fs = from;
  fs.item = blockIdx.x;
  out[blockIdx.x] = (warpfs::uint)warpfs::use_library(fs, program);
}
`,
};
for (const device of ['metal', 'cuda'] as const) {
  const library = flattenShaderText(`#include "dialect/${device}.h"\n#include "warpfs.h"\n${allHeaders}`, 'test', shadersRoot);
  for (const defines of ['REPLAY=0', 'REPLAY=1', 'POLICY=1', 'REPLAY=0 SPIN=1']) {
    if (device === 'cuda' && defines.includes('SPIN')) continue;
    const head = defines.split(' ').map((define) => `#define WARPFS_${define.replace('=', ' ')}\n`);
    deviceTest(device, `takes the whole library with ${defines}`, () => {
      expectAccepted(check[device](head.join('') + library + useLibrary + libraryEntries[device]));
    });
  }
  deviceTest(device, 'takes the flat text that is handed to others', () => {
    expectAccepted(check[device](flatDialectText(device, shadersRoot)));
  });
}

// ---- What Metal would refuse must be refused here, or the checks above say nothing.

const refused: [what: string, code: string, complaint: string | RegExp][] = [
  ['thread pointer given device data', 'uint f(thread uint* p) { return *p; } uint g(device uint* q) { return f(q); }', /no matching function/],
  ['device pointer given thread data', 'uint f(device uint* p) { return *p; } uint g() { uint x = 1; return f(&x); }', /no matching function/],
  ['a reference across address spaces', 'void f(thread uint& r) { r = 1u; } void g(device uint* q) { f(*q); }', /no matching function/],
  ['a parameter without address space', 'uint f(uint* p) { return *p; }', 'in f: p points to memory of no named address space'],
  ['a reference without address space', 'uint f(const uint& p) { return p; }', 'in f: p points to memory of no named address space'],
  ['a member without address space', 'struct S { uint* p; };', 'p points to memory of no named address space'],
  ['a cast without address space', 'uint f(device uint* p) { return *(const uint*)p; }', 'in f: a cast names no address space'],
  ['a return type without address space', 'uint* f(device uint* p);', 'f returns a pointer without an address space'],
  [
    'a method of a device object',
    'struct S { uint x; uint get() const { return x; } }; uint f(device S* s) { return s->get(); }',
    'in f: Metal calls a method only on an object in thread memory',
  ],
  ['expected in device memory', 'bool f(device uint* p) { return warpfs::atomic_cas(p, p[1], 2u); }', /changes address space/],
  [
    'an order that atomics do not have',
    'void f(device metal::atomic_uint* p) { metal::atomic_store_explicit(p, 1u, metal::memory_order_seq_cst); }',
    /no matching function/,
  ],
  ['acquire', 'void f() { metal::atomic_thread_fence(metal::mem_flags::mem_device, metal::memory_order_acquire); }', /memory_order_acquire/],
  ['a 64-bit shuffle', 'ulong f(ulong v) { return metal::simd_shuffle(v, (ushort)0); }', /ambiguous/],
  ['an atomic that is copied like a number', 'uint f(device metal::atomic_uint* p) { return *p; }', /no viable conversion/],
  ['double', 'double f() { return 1.0; }', /double/],
  ['a static local', 'uint f() { static uint n = 0; return ++n; }', /static|address space/],
  ['a function pointer', 'uint f(); uint g() { uint (*p)() = f; return p(); }', /pointers to functions are not allowed/],
  ['a virtual method', 'struct S { virtual void f(); };', /virtual/],
  ['structured bindings', 'struct P { uint a; uint b; }; uint f(P p) { auto [a, b] = p; return a + b; }', /C\+\+17|decomposition|structured/],
];
for (const [what, code, complaint] of refused) {
  deviceTest('metal', `refuses ${what}`, () => {
    const result = checkMetal(`${dialectOnly('metal')}${code}\n`);
    expect(result.ok).toBe(false);
    expect(result.output).toMatch(complaint);
  });
}
deviceTest('metal', 'takes structs that are copied between address spaces', () => {
  const code = 'struct S { uint x; }; S f(device S* s) { S a = *s; s[1] = a; S b = a; b = s[2]; return b; } void g(device S* s) { s[3] = f(s); }';
  expectAccepted(checkMetal(`${dialectOnly('metal')}${code}\n`));
});
deviceTest('cuda', 'refuses what is no CUDA', () => {
  const result = checkCuda('__global__ void f() { undefined(); }');
  expect(result.ok).toBe(false);
  expect(result.output).toMatch(/shader\.cu\(1\).*undefined/);
});
