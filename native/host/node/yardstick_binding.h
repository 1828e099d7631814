// The yardsticks of the benchmarks on a GPU, as JavaScript sees them.
#pragma once
#include <napi.h>

namespace warpfs {

void add_yardstick_functions(Napi::Env env, Napi::Object exports);

}  // namespace warpfs
