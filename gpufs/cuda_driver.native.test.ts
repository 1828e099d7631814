// What the addon says of NVIDIA's driver: of none, and of stand-ins that behave as broken ones do. Each in a process of its own, since a
// driver is looked for once. No GPU is needed.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadNativeBinding } from './native_binding.ts';
import type { NativeCudaProbe } from './native_cuda.ts';
import { findCompiler } from './system_compiler.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'warpfs-driver-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function probe(environment: NodeJS.ProcessEnv): NativeCudaProbe {
  const script = `process.stdout.write(JSON.stringify(require(${JSON.stringify(loadNativeBinding().path)}).cudaProbe()))`;
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { env: environment, encoding: 'utf8' })) as NativeCudaProbe;
}

const standIn = `
#include <dlfcn.h>
#include <string.h>
extern "C" {
int cuDriverGetVersion(int* version) { return *version = 12040, 0; }
int cuGetErrorName(int, const char** name) { return *name = "CUDA_ERROR_NO_DEVICE", 0; }
int cuGetErrorString(int, const char** text) { return *text = "no CUDA-capable device is detected", 0; }
int cuInit(unsigned) { return INIT; }
int cuDeviceGetCount(int* count) { return *count = 2, 0; }
int cuDeviceGet(int* device, int index) { return *device = index + 40, 0; }
int cuDeviceGetName(char* name, int, int device) { return strcpy(name, device == 40 ? "One" : "Other"), 0; }
int cuDeviceTotalMem(unsigned long* bytes, int) { return *bytes = 5000000000, 0; }
int cuDeviceGetAttribute(int* value, int attribute, int) { return *value = attribute == 75 ? 9 : attribute == 16 ? 132 : 0, 0; }
int not_asked_for_here() { return 999; }
int cuGetProcAddress_v2(const char* name, void** place, int, unsigned long, int*) {
  Dl_info self;
  dladdr((void*)not_asked_for_here, &self);
  void* found = dlsym(dlopen(self.dli_fname, RTLD_NOW), name);
  *place = found != nullptr ? found : (void*)not_asked_for_here;
  return strcmp(name, LACKS) == 0 ? 500 : 0;
}
}
`;

function withStandIn(name: string, init: number, lacks: string): NodeJS.ProcessEnv {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(join(place, 'driver.cpp'), standIn);
  const options = ['-shared', '-fPIC', `-DINIT=${init}`, `-DLACKS="${lacks}"`, '-o', join(place, 'libcuda.so.1'), join(place, 'driver.cpp'), '-ldl'];
  execFileSync(findCompiler()?.path ?? 'c++', options);
  return { ...process.env, LD_LIBRARY_PATH: place };
}

/** Has every call that is looked for, and does nothing. */
function addNvrtc(place: string, major: number): void {
  const names = ['GetErrorString', 'CreateProgram', 'DestroyProgram', 'CompileProgram', 'GetProgramLogSize', 'GetProgramLog', 'GetCUBINSize', 'GetCUBIN'];
  const calls = [`int nvrtcVersion(int* major, int* minor) { return *major = ${major}, *minor = 4, 0; }`, ...names.map((name) => `int nvrtc${name}() { return 1; }`)];
  writeFileSync(join(place, 'nvrtc.cpp'), `extern "C" {\n${calls.join('\n')}\n}\n`);
  execFileSync(findCompiler()?.path ?? 'c++', ['-shared', '-fPIC', '-o', join(place, `libnvrtc.so.${major}`), join(place, 'nvrtc.cpp')]);
}

const missing = process.platform !== 'linux' ? 'not Linux' : findCompiler() === undefined ? 'no C++ compiler' : undefined;
const driverTest = (name: string, body: () => void): void => {
  if (missing === undefined) test(name, body);
  else test.skip(`SKIP ${missing}: ${name}`, body);
};

test('the probe of this machine says what there is, or why not', () => {
  const { driver, devices, nvrtc } = loadNativeBinding().binding.cudaProbe();
  expect(driver.reason === '').toBe(devices.length > 0);
  expect(nvrtc.reason === '').toBe(nvrtc.found);
  if (!driver.found) expect(driver.reason).toMatch(/^no driver of NVIDIA \(.*libcuda\.so\.1.*\): install the driver/);
  if (!nvrtc.found) expect(nvrtc.reason).toMatch(/^not found \(.*\)\. Install it with pip \(nvidia-cuda-nvrtc,/);
});

test('NVRTC is asked beside the event loop, and says why it did not compile', async () => {
  const { binding } = loadNativeBinding();
  const wrong = await binding.nvrtcCompile({ text: 'oops', name: 'k', options: ['--gpu-architecture=sm_90'] });
  expect(wrong).toMatchObject({ ok: false });
  expect(wrong.log).toContain(binding.cudaProbe().nvrtc.found ? 'k(1): error' : 'NVRTC: not found');
  expect(() => binding.nvrtcCompile({ text: '' } as never)).toThrow('missing field name');
});

driverTest('a library that WARPFS_NVRTC names and that cannot be used is named', () => {
  writeFileSync(join(folder, 'libnvrtc.so.13'), 'no library');
  const { nvrtc } = probe({ ...process.env, WARPFS_NVRTC: join(folder, 'libnvrtc.so.13') });
  expect(nvrtc.found).toBe(false);
  expect(nvrtc.reason).toMatch(/^not found \(WARPFS_NVRTC=.*libnvrtc\.so\.13\); .*file too short/);
});

driverTest('the packages of python3 on PATH are found', () => {
  const packages = join(folder, 'python', 'lib', 'python3.11', 'site-packages', 'nvidia', 'cuda_nvrtc', 'lib');
  mkdirSync(packages, { recursive: true });
  mkdirSync(join(folder, 'python', 'bin'));
  writeFileSync(join(folder, 'python', 'bin', 'python3'), '');
  writeFileSync(join(packages, 'libnvrtc.so.12'), 'no library');
  const { nvrtc } = probe({ PATH: join(folder, 'python', 'bin') });
  // One that can be used may lie where the loader looks; else this one was tried.
  if (!nvrtc.found) expect(nvrtc.reason).toContain(join(packages, 'libnvrtc.so.12'));
});

driverTest('devices are listed as the driver describes them', () => {
  const { driver, devices } = probe(withStandIn('works', 0, 'nothing'));
  expect(driver).toEqual({ found: true, path: join(folder, 'works', 'libcuda.so.1'), version: '12.4', reason: '' });
  const one = { index: 0, name: 'One', computeMajor: 9, computeMinor: 0, multiprocessors: 132, memoryBytes: 5_000_000_000 };
  expect(devices).toEqual([one, { ...one, index: 1, name: 'Other' }]);
  // It need not have what only newer ones have.
  expect(probe(withStandIn('not_new', 0, 'cuMemcpyBatchAsync')).driver.reason).toBe('');
});

driverTest('a driver that lacks a call is too old, and the call is named', () => {
  const { driver, devices } = probe(withStandIn('old', 0, 'cuLinkCreate'));
  expect(driver).toMatchObject({ found: true, version: '12.4' });
  expect(driver.reason).toMatch(/^the driver .*libcuda\.so\.1 \(CUDA 12\.4\) is too old: it lacks cuLinkCreate, which came with CUDA 6\.5; install a newer one$/);
  expect(devices).toEqual([]);
});

driverTest('a driver without a GPU says so in its own words', () => {
  const { driver, devices } = probe(withStandIn('empty', 100, 'nothing'));
  expect(driver.reason).toMatch(/cannot be used: CUDA_ERROR_NO_DEVICE no CUDA-capable device is detected; look at what nvidia-smi lists/);
  expect(devices).toEqual([]);
});

driverTest('an NVRTC that is not newer than the driver is taken before one that is', () => {
  const environment = { ...withStandIn('older', 0, 'nothing'), WARPFS_NVRTC: '' };
  addNvrtc(join(folder, 'older'), 13);
  addNvrtc(join(folder, 'older'), 12);
  expect(probe(environment).nvrtc).toEqual({ found: true, path: join(folder, 'older', 'libnvrtc.so.12'), version: '12.4', reason: '' });
  rmSync(join(folder, 'older', 'libcuda.so.1'));
  // Unless a driver lies where the loader looks.
  if (!loadNativeBinding().binding.cudaProbe().driver.found) expect(probe(environment).nvrtc.version).toBe('13.4');
});
