// What this machine has of Metal, as JavaScript sees it, and the self-test of `warpfs doctor`.
#pragma once
#include <napi.h>

namespace warpfs {

void add_metal_functions(Napi::Env env, Napi::Object exports);

}  // namespace warpfs
