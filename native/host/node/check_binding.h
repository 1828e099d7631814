// Check mode as JavaScript sees it: mounts whose dispatches are scheduled by a seed, and explorations of many schedules.
#pragma once
#include <napi.h>

namespace warpfs {

Napi::Function define_checked_mount(Napi::Env env);
void add_check_functions(Napi::Env env, Napi::Object exports);

}  // namespace warpfs
