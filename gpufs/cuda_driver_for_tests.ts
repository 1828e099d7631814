// A stand-in for NVIDIA's driver, so that whole processes can be tried that lose a GPU: no GPU is needed. Its kernels do nothing, and all their
// items are done. The second launch of the programs never ends, as long as WARPFS_TEST_KERNEL says 'endless': then most calls wait for ever, and
// so does its handler at exit, as the real one. With 'stray' it is an illegal address, and from then on every call in that process fails.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ABI_HASH, Binding, Geometry, ItemRecord, ItemStatus } from '../native/abi/abi.ts';
import type { NativeDispatch, NativeMountConfig } from './native_binding.ts';
import { nativeConfig } from './native_config.ts';
import { resolveOptions } from './options.ts';
import { findCompiler } from './system_compiler.ts';

const SLOTS = 4;

const standIn = `
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char constants[65536];
static unsigned abi_hash = ABI, sweep_lines = 2048;
static bool endless;
static int refusal;
static int wait() { while (endless) pause(); return refusal; }
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
  const char* kernel = getenv("WARPFS_TEST_KERNEL");
  if (strcmp(function, "warpfs_program") != 0 || ++programs < 2 || kernel == nullptr) return refusal;
  if (strcmp(kernel, "endless") == 0) endless = true;
  if (strcmp(kernel, "stray") == 0) refusal = 700;
  return 0;
}
int cuStreamQuery(void*) { return endless ? 600 : refusal; }
int cuCtxDestroy(void*) { return wait(), 0; }
int cuGetErrorName(int error, const char** name) { return *name = error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "?", 0; }
int cuGetErrorString(int, const char** text) { return *text = "as told", 0; }
int cuMemAlloc(void** place, size_t bytes) { return *place = calloc(1, bytes), wait(); }
int cuMemHostAlloc(void** place, size_t bytes, unsigned) { return *place = aligned_alloc(4096, (bytes + 4095) & ~4095ul), wait(); }
int cuMemcpyHtoD(void* to, const void* from, size_t bytes) { return memcpy(to, from, bytes), wait(); }
int cuMemcpyDtoH(void* to, const void* from, size_t bytes) {
  memcpy(to, from, bytes);
  for (size_t at = 0; bytes == SLOTS * RECORD && at < bytes; at += RECORD) *(unsigned*)((char*)to + at + STATUS) = DONE;
  return wait();
}
int any_other() { return wait(); }
int cuGetProcAddress_v2(const char* name, void** place, int, unsigned long, int*) {
  Dl_info self;
  dladdr((void*)any_other, &self);
  void* found = dlsym(dlopen(self.dli_fname, RTLD_NOW), name);
  return *place = found != nullptr ? found : (void*)any_other, 0;
}
}
`;

/** Why it cannot be built here. */
export function driverForTestsMissing(): string | undefined {
  return process.platform !== 'linux' ? 'not Linux' : findCompiler() === undefined ? 'no C++ compiler' : undefined;
}

export function buildDriverForTests(folder: string): void {
  writeFileSync(join(folder, 'driver.cpp'), standIn);
  writeFileSync(join(folder, 'builtin.cubin'), 'nothing');
  const constantsBytes = Binding.OWN * 8 + Geometry.bytes + 16; // KernelConstants: tables, geometry, four numbers
  const records = [`-DSLOTS=${SLOTS}`, `-DRECORD=${ItemRecord.bytes}`, `-DSTATUS=${ItemRecord.status}`, `-DDONE=${ItemStatus.DONE}`];
  const defines = [`-DABI=${ABI_HASH}u`, `-DCONSTANTS=${constantsBytes}`, ...records];
  execFileSync(findCompiler()?.path ?? 'c++', ['-std=c++17', '-shared', '-fPIC', ...defines, '-o', join(folder, 'libcuda.so.1'), join(folder, 'driver.cpp'), '-ldl']);
}

export function withDriverForTests(folder: string, kernel?: 'endless' | 'stray'): NodeJS.ProcessEnv {
  return { ...process.env, LD_LIBRARY_PATH: folder, ...(kernel === undefined ? {} : { WARPFS_TEST_KERNEL: kernel }) };
}

/** A mount of that folder on it, one kernel at a time: its courier does nothing either. */
export function configForTests(folder: string): NativeMountConfig {
  const options = resolveOptions({ root: folder, device: 'cuda', wait: 'replay', cache: { lines: 64 }, residentWarps: SLOTS, fill: 'pull', kernelTimeMs: 50, timeoutMs: 100 });
  return nativeConfig(options, 1, { cuda: { builtin: join(folder, 'builtin.cubin'), serial: true } });
}

export const dispatchForTests: NativeDispatch = { module: '', items: 1, groupWarps: 1, groupMemoryBytes: 0, allResident: false, inputs: 0, buffers: [] };
