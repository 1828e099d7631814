// The host's side of the designs that WarpFS is compared with, as JavaScript sees it.
#pragma once
#include <napi.h>

namespace warpfs {

void add_peer_functions(Napi::Env env, Napi::Object exports);

}  // namespace warpfs
