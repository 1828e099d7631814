// How a process ends in which a kernel never does: with a stand-in for the driver, whose handler at exit waits for ever as the real one
// would. No GPU is needed.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ABI_HASH, Binding, Geometry } from '../native/abi/abi.ts';
import { loadNativeBinding } from './native_binding.ts';
import { nativeConfig } from './native_config.ts';
import { resolveOptions } from './options.ts';
import { findCompiler } from './system_compiler.ts';

const standIn = `
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char constants[65536];
static unsigned abi_hash = ABI, sweep_lines = 2048;
static bool endless;
static int wait() { while (endless) pause(); return 0; }
extern "C" {
int cuInit(unsigned) { return atexit([] { wait(); }); }
int cuDriverGetVersion(int* version) { return *version = 12040, 0; }
int cuDeviceGetCount(int* count) { return *count = 1, 0; }
int cuDeviceGetAttribute(int* value, int, int) { return *value = 64, 0; }
int cuLinkComplete(void*, void** cubin, size_t*) { return *cubin = constants, 0; }
int cuModuleGetFunction(const char** function, void*, const char* name) { return *function = name, 0; }
int cuModuleGetGlobal(void** place, size_t* bytes, void*, const char* name) {
  *place = strcmp(name, "warpfs_constants") == 0 ? (void*)constants : strcmp(name, "warpfs_abi_hash") == 0 ? &abi_hash : &sweep_lines;
  return *bytes = CONSTANTS, 0;
}
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int, size_t) { return *blocks = 4, 0; }
int cuLaunchKernel(const char* function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**) {
  static int programs; // the first one only sees what the kernel needs
  if (strcmp(function, "warpfs_program") == 0 && ++programs == 2) endless = true;
  return 0;
}
int cuStreamQuery(void*) { return endless ? 600 : 0; }
int cuMemAlloc(void** place, size_t bytes) { return *place = calloc(1, bytes), wait(); }
int cuMemHostAlloc(void** place, size_t bytes, unsigned) { return *place = aligned_alloc(4096, (bytes + 4095) & ~4095ul), wait(); }
int cuMemcpyHtoD(void* to, const void* from, size_t bytes) { return memcpy(to, from, bytes), wait(); }
int cuMemcpyDtoH(void* to, const void* from, size_t bytes) { return memcpy(to, from, bytes), wait(); }
int any_other() { return wait(); }
int cuGetProcAddress_v2(const char* name, void** place, int, unsigned long, int*) {
  Dl_info self;
  dladdr((void*)any_other, &self);
  void* found = dlsym(dlopen(self.dli_fname, RTLD_NOW), name);
  return *place = found != nullptr ? found : (void*)any_other, 0;
}
}
`;

const missing = process.platform !== 'linux' ? 'not Linux' : findCompiler() === undefined ? 'no C++ compiler' : undefined;
const ends: [string, string, { status: number; stdout: string }][] = [
  ['by itself', 'process.exitCode = 7;', { status: 7, stdout: 'ETIMEDOUT' }],
  ['when it is told to', 'process.exit(8);', { status: 8, stdout: 'ETIMEDOUT' }],
  ['with an error that nobody catches', "throw new Error('oops');", { status: 1, stdout: 'ETIMEDOUT' }],
  ['behind an unmount', "mount.unmount(true).then((lost) => { process.stdout.write(' ' + lost); process.exitCode = 9; });", { status: 9, stdout: 'ETIMEDOUT -5' }],
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-exit-test-'));
  if (missing !== undefined) return;
  writeFileSync(join(folder, 'driver.cpp'), standIn);
  writeFileSync(join(folder, 'builtin.cubin'), 'nothing');
  const constantsBytes = Binding.OWN * 8 + Geometry.bytes + 16; // KernelConstants: tables, geometry, four numbers
  const defines = [`-DABI=${ABI_HASH}u`, `-DCONSTANTS=${constantsBytes}`];
  execFileSync(findCompiler()?.path ?? 'c++', ['-std=c++17', '-shared', '-fPIC', ...defines, '-o', join(folder, 'libcuda.so.1'), join(folder, 'driver.cpp'), '-ldl']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a mount, loses it to a kernel that never ends, and says so; then `end` comes. */
function loseAMount(end: string): string {
  const options = resolveOptions({ root: folder, device: 'cuda', wait: 'replay', cache: { lines: 64 }, residentWarps: 4, fill: 'pull', kernelTimeMs: 50 });
  const config = nativeConfig(options, 1, { builtin: join(folder, 'builtin.cubin'), serial: true });
  const dispatch = { module: '', items: 1, groupWarps: 1, groupMemoryBytes: 0, allResident: false, inputs: 0 };
  return `
    const mount = require(${JSON.stringify(loadNativeBinding().path)}).mount(${JSON.stringify(config)});
    mount.dispatch({ ...${JSON.stringify(dispatch)}, buffers: [] }).then(undefined, (error) => {
      process.stdout.write(error.code);
      ${end}
    });`;
}

function run(script: string): { status: number | null; stdout: string } {
  const environment = { ...process.env, LD_LIBRARY_PATH: folder };
  const { status, stdout } = spawnSync(process.execPath, ['-e', script], { env: environment, encoding: 'utf8', timeout: 20_000 });
  return { status, stdout };
}

const name = missing === undefined ? 'a process with a kernel that never ends ends' : `SKIP ${missing}: a process ends`;
test.skipIf(missing !== undefined).each(ends)(`${name} %s`, (_how, end, expected) => {
  expect(run(loseAMount(end))).toEqual(expected);
});

test.skipIf(missing !== undefined)(`${name}, when the thread that had the mount is long gone`, () => {
  const script = `
    const worker = new (require('node:worker_threads').Worker)(${JSON.stringify(loseAMount(''))}, { eval: true });
    worker.on('exit', () => setTimeout(() => process.exit(6), 100));`;
  expect(run(script)).toEqual({ status: 6, stdout: 'ETIMEDOUT' });
});
