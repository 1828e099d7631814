// Entry points of the instrumentation that do nothing, as a library where the one of the addon would lie.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireCompiler } from './system_compiler.ts';

const sizes = [1, 2, 4, 8, 16];
const plain = ['read', 'write', 'unaligned_read', 'unaligned_write'].flatMap((name) => sizes.map((bytes) => `${name}${bytes}`));
const others = ['init', 'func_entry', 'func_exit', 'read_range', 'write_range', 'vptr_update', 'vptr_read', 'atomic_thread_fence', 'atomic_signal_fence', 'memcpy', 'memset', 'memmove'];
const atomics = ['load', 'store', 'exchange', 'fetch_add', 'fetch_sub', 'fetch_or', 'fetch_and', 'compare_exchange_weak', 'compare_exchange_strong', 'compare_exchange_val'];
/** Called by name (dialect/cpu_as_cuda.h). */
const named = ['load_words', 'store_words', 'guess', 'fill', 'bus_load', 'bus_store', 'bus_fence'];
const sized = atomics.flatMap((name) => [8, 16, 32, 64].map((bits) => `atomic${bits}_${name}`));

/** Gives the path of an addon that is not there, for WARPFS_NATIVE. */
export function buildHooksForTests(folder: string): string {
  const compiler = requireCompiler();
  const functions = [...[...plain, ...others, ...sized].map((name) => `__tsan_${name}`), ...named.map((name) => `warpfs_check_${name}`)].map((name) => `void ${name}() {}`);
  const attach = '__attribute__((visibility("default"))) bool warpfs_check_attach(const void*) { return true; }';
  writeFileSync(join(folder, 'hooks.cpp'), `extern "C" {\n${functions.join('\n')}\n${attach}\n}\n`);
  execFileSync(compiler.path, [...compiler.leading, '-fPIC', '-fvisibility=hidden', '-c', '-o', 'hooks.o', 'hooks.cpp'], { cwd: folder });
  mkdirSync(join(folder, 'addon'));
  execFileSync('ar', ['rcs', join('addon', 'libwarpfs_check_hooks.a'), 'hooks.o'], { cwd: folder });
  return join(folder, 'addon', 'warpfs.node');
}
