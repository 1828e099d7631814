// A stand-in for NVIDIA's driver that runs the yardsticks on the host, one piece after the other: what is tested with it is all that lies around them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shadersRoot } from '../package_root.ts';
import { findCompiler } from '../system_compiler.ts';

const text = `
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <string>
#include "bench/yardstick_launch.h"
using namespace warpfs;
static bool asked_for(const char* what) { const char* said = getenv("STAND_IN"); return said != nullptr && strcmp(said, what) == 0; }
static uint32_t word_at(const YardstickLaunch& l, uint64_t i) { return uint32_t(i) * YARDSTICK_FACTOR + l.seed; }
static uint64_t count_live = 0;
static int run(const std::string& name, const YardstickLaunch& l) {
  YardstickTally& tally = *l.tally;
  if (name == "ring") {
    for (uint32_t i = 1; i <= l.count; i++) {
      __atomic_store_n(l.post, i, __ATOMIC_RELEASE);
      while (__atomic_load_n(l.answer, __ATOMIC_ACQUIRE) != i) {}
      l.ticks[i - 1] = i % 2 == 0 ? 200 : 400;
    }
    tally.nanoseconds = l.count * 1000;
    tally.ticks = l.count * 100;
    tally.pieces += l.count;
    return 0;
  }
  uint32_t bytes = 0;
  if (name == "random_4") bytes = 4;
  else sscanf(name.c_str() + name.find('_') + 1, "%u", &bytes);
  const uint32_t words = bytes / 4;
  for (uint64_t piece = 0; piece <= l.mask; piece++) {
    for (uint64_t word = piece * words; word < (piece + 1) * words; word++) {
      if (name == "write_4096") l.target[word] = word_at(l, word);
      else tally.wrong_words += l.source[word] != word_at(l, word);
    }
  }
  if (name == "read_4096_pinned" || name == "read_256_pinned") for (uint64_t piece = 0; piece <= l.mask; piece++) l.pins[piece] += 0;
  if (name == "copy_4096") memset(l.target, 1, 4096);
  if (asked_for("wrong")) { if (name == "write_4096") l.target[5]++; else tally.wrong_words++; }
  tally.pieces += asked_for("lazy") ? 1 : l.count;
  return 0;
}
extern "C" {
int cuDriverGetVersion(int* version) { return *version = 13000, 0; }
int cuGetErrorName(int error, const char** name) { return *name = error == 801 ? "CUDA_ERROR_NOT_SUPPORTED" : "CUDA_ERROR_UNKNOWN", 0; }
int cuGetErrorString(int, const char** said) { return *said = "as the test wants it", 0; }
int cuInit(unsigned) { return 0; }
int cuDeviceGetCount(int* count) { return *count = 1, 0; }
int cuDeviceGet(int* device, int) { return *device = 0, 0; }
int cuDeviceGetName(char* name, int, int) { return strcpy(name, "Stand-in"), 0; }
int cuDeviceTotalMem(unsigned long* bytes, int) { return *bytes = 5000000000, 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) { return *value = attribute == 75 ? 9 : attribute == 16 ? 132 : 1, 0; }
int cuCtxCreate(void** context, unsigned, int) { return *context = malloc(1), count_live++, 0; }
int cuCtxDestroy(void* context) { return free(context), count_live--, count_live == 0 ? 0 : (fprintf(stderr, "%lu things are left\\n", count_live), 0); }
int cuCtxSetCurrent(void*) { return 0; }
int cuCtxSynchronize() { return 0; }
int cuModuleLoadData(void** module, const void*) { return *module = malloc(1), count_live++, 0; }
int cuModuleUnload(void* module) { return free(module), count_live--, 0; }
int cuModuleGetFunction(void** function, void*, const char* name) { return strcmp(name, "no_such_kernel") == 0 ? 500 : (*function = new std::string(name), 0); }
int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int, size_t) { return *blocks = 4, 0; }
int cuLaunchKernel(void* function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void** parameters, void**) {
  return run(*(std::string*)function, *(YardstickLaunch*)parameters[0]);
}
int cuStreamCreate(void** stream, unsigned) { return *stream = malloc(1), count_live++, 0; }
int cuStreamDestroy(void* stream) { return free(stream), count_live--, 0; }
int cuStreamQuery(void*) { return 0; }
int cuStreamSynchronize(void*) { return 0; }
int cuEventCreate(void** event, unsigned) { return *event = malloc(1), count_live++, 0; }
int cuEventDestroy(void* event) { return free(event), count_live--, 0; }
int cuEventRecord(void*, void*) { return 0; }
int cuEventElapsedTime(float* milliseconds, void*, void*) { return *milliseconds = 2, 0; }
int cuMemAlloc(unsigned long long* place, size_t bytes) { return *place = (unsigned long long)calloc(bytes, 1), count_live++, 0; }
int cuMemFree(unsigned long long place) { return free((void*)place), count_live--, 0; }
int cuMemHostAlloc(void** place, size_t bytes, unsigned) { return *place = malloc(bytes), count_live++, 0; }
int cuMemFreeHost(void* place) { return free(place), count_live--, 0; }
int cuMemHostRegister(void*, size_t, unsigned flags) { return asked_for("refuse") ? 801 : (count_live++, 0); }
int cuMemHostUnregister(void*) { return count_live--, 0; }
int cuMemHostGetDevicePointer(unsigned long long* place, void* host, unsigned) { return *place = (unsigned long long)host, 0; }
int cuMemcpyHtoD(unsigned long long to, const void* from, size_t bytes) { return memcpy((void*)to, from, bytes), 0; }
int cuMemcpyDtoH(void* to, unsigned long long from, size_t bytes) { return memcpy(to, (void*)from, bytes), 0; }
int cuMemcpyHtoDAsync(unsigned long long to, const void* from, size_t bytes, void*) { return memcpy((void*)to, from, bytes), 0; }
int cuMemsetD8Async(unsigned long long place, unsigned char value, size_t bytes, void*) { return memset((void*)place, value, bytes), 0; }
int not_asked_for_here() { return 999; }
int cuGetProcAddress_v2(const char* name, void** place, int, unsigned long, int*) {
  Dl_info self;
  dladdr((void*)not_asked_for_here, &self);
  void* found = dlsym(dlopen(self.dli_fname, RTLD_NOW), name);
  *place = found != nullptr ? found : (void*)not_asked_for_here;
  return 0;
}
}
`;

/** Builds it in a folder, for LD_LIBRARY_PATH. */
export function buildYardstickDriver(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'driver.cpp'), text);
  const options = ['-std=c++17', '-shared', '-fPIC', '-I', shadersRoot, '-include', 'stdint.h', '-o', join(folder, 'libcuda.so.1'), join(folder, 'driver.cpp'), '-ldl'];
  execFileSync(findCompiler()?.path ?? 'c++', options);
}
