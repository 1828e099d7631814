// Loads of files without a mount: native/host/loads.h.
#pragma once
#include <napi.h>

namespace warpfs {

void add_loads_functions(Napi::Env env, Napi::Object exports);

}  // namespace warpfs
