// A library that is found at run time, and stays loaded.
#pragma once
#include <dlfcn.h>

#include <string>

namespace warpfs::cuda {

template <typename Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

/// Where the library lies that a function of it came from; `otherwise` where the loader does not know.
inline std::string path_of(const void* function, const std::string& otherwise) {
  Dl_info info = {};
  return dladdr(function, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : otherwise;
}

}  // namespace warpfs::cuda
