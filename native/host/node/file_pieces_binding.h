// Files as a program of the host uses them, beside any mount: what the experiments compare a mount with.
#pragma once
#include <napi.h>

namespace warpfs {

void add_file_pieces_functions(Napi::Env env, Napi::Object exports);

}  // namespace warpfs
