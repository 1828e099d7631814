#include "kernel_module.h"

#include "../../check/tsan_entry.h"
#include "../abi_host.h"
#include "../host_error.h"

#include <dlfcn.h>

namespace warpfs {

KernelModule::KernelModule(const std::string& path, bool checked) : path_(path), handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw HostError(-Errno::eio, "cannot load the compiled kernel " + path + ": " + dlerror());
  using AbiHash = uint32_t (*)();
  const auto abi_hash = reinterpret_cast<AbiHash>(dlsym(handle_, "warpfs_kernel_abi_hash"));
  entry_ = reinterpret_cast<KernelEntry>(dlsym(handle_, "warpfs_kernel"));
  attach_ = reinterpret_cast<WarpAttach>(dlsym(handle_, "warpfs_attach"));
  check_attach_ = reinterpret_cast<CheckAttach>(dlsym(handle_, "warpfs_check_attach"));
  const bool has_kernel = entry_ != nullptr || dlsym(handle_, "warpfs_builtins") != nullptr;
  std::string wrong;
  if (abi_hash == nullptr || !has_kernel || attach_ == nullptr || abi_hash() != ABI_HASH) {
    wrong = "was built for another version of WarpFS: delete it, it is made again";
  } else if (checked != (check_attach_ != nullptr)) {
    wrong = checked ? "is not instrumented, and check mode sees nothing of it" : "is instrumented for check mode, and runs nowhere else";
  }
  if (wrong.empty()) return;
  dlclose(handle_);
  throw HostError(-Errno::einval, "the compiled kernel " + path + " " + wrong);
}

KernelModule::~KernelModule() { dlclose(handle_); }

void KernelModule::check_attach(const CheckEntry& entry, const CpuRuntime* runtime) const {
  if (check_attach_(&entry) && attach_(runtime)) return;
  throw HostError(-Errno::einval, "the compiled kernel " + path_ + " was instrumented for another version of check mode: delete it, it is made again");
}

const BuiltinKernels* KernelModule::builtins(uint32_t policy, bool replay, bool cuda, uint32_t mutant) const {
  using Builtins = const BuiltinKernels* (*)(uint32_t, bool, bool, uint32_t);
  const auto builtins = reinterpret_cast<Builtins>(dlsym(handle_, "warpfs_builtins"));
  return builtins == nullptr ? nullptr : builtins(policy, replay, cuda, mutant);
}

KernelModules::~KernelModules() {
  while (!modules_.empty()) modules_.pop_back();
}

KernelModule& KernelModules::at(const std::string& path) {
  for (auto& module : modules_) {
    if (module->path() == path) return *module;
  }
  return *modules_.emplace_back(std::make_unique<KernelModule>(path, checked_));
}

}  // namespace warpfs
