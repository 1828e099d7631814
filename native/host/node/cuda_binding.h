// What this machine has for NVIDIA's GPUs, as JavaScript sees it: the driver, its devices and NVIDIA's compiler.
#pragma once
#include <napi.h>

namespace warpfs {

void add_cuda_functions(Napi::Env env, Napi::Object exports);

}  // namespace warpfs
