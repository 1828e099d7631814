// A kernel that the system compiler made into a shared object.
#pragma once
#include "builtin.h"
#include "executor.h"

#include <memory>
#include <string>

namespace warpfs {

class KernelModule {
 public:
  /// Throws HostError where it cannot be loaded, or was built from another schema.
  explicit KernelModule(const std::string& path);
  ~KernelModule();
  KernelModule(const KernelModule&) = delete;
  KernelModule& operator=(const KernelModule&) = delete;

  KernelEntry entry() const { return entry_; }
  WarpAttach attach() const { return attach_; }

 private:
  void* handle_;
  KernelEntry entry_;
  WarpAttach attach_;
};

}  // namespace warpfs
