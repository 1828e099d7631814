#include "kernel_module.h"

#include "../abi_host.h"
#include "../host_error.h"

#include <dlfcn.h>

namespace warpfs {

KernelModule::KernelModule(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw HostError(-Errno::eio, "cannot load the compiled kernel " + path + ": " + dlerror());
  using AbiHash = uint32_t (*)();
  const auto abi_hash = reinterpret_cast<AbiHash>(dlsym(handle_, "warpfs_kernel_abi_hash"));
  entry_ = reinterpret_cast<KernelEntry>(dlsym(handle_, "warpfs_kernel"));
  attach_ = reinterpret_cast<WarpAttach>(dlsym(handle_, "warpfs_attach"));
  const bool fits = abi_hash != nullptr && entry_ != nullptr && attach_ != nullptr && abi_hash() == ABI_HASH;
  if (!fits) {
    dlclose(handle_);
    throw HostError(-Errno::einval, "the compiled kernel " + path + " was built for another version of WarpFS: delete it, it is made again");
  }
}

KernelModule::~KernelModule() { dlclose(handle_); }

}  // namespace warpfs
