// A kernel that the system compiler made into a shared object.
#pragma once
#include "builtin.h"
#include "executor.h"

#include <memory>
#include <string>
#include <vector>

namespace warpfs {

struct CheckEntry;

class KernelModule {
 public:
  /// Throws HostError where it cannot be loaded, was built from another schema, or is not instrumented although check mode needs that.
  explicit KernelModule(const std::string& path, bool checked = false);
  ~KernelModule();
  KernelModule(const KernelModule&) = delete;
  KernelModule& operator=(const KernelModule&) = delete;

  const std::string& path() const { return path_; }
  KernelEntry entry() const { return entry_; }
  WarpAttach attach() const { return attach_; }
  /// Before code of the module runs on a thread under check mode.
  void check_attach(const CheckEntry& entry, const CpuRuntime* runtime) const;
  /// A module may bring built-in kernels of its own, in mutants of which one is chosen. Null for a policy that it does not have.
  const BuiltinKernels* builtins(uint32_t policy, bool replay, bool cuda, uint32_t mutant) const;

 private:
  using CheckAttach = bool (*)(const CheckEntry*);
  const std::string path_;
  void* handle_;
  KernelEntry entry_;
  WarpAttach attach_;
  CheckAttach check_attach_;
};

/// Those of one mount. They are unloaded the last first: a C library takes their thread-local memory back in that order alone, and has little of it.
class KernelModules {
 public:
  explicit KernelModules(bool checked = false) : checked_(checked) {}
  ~KernelModules();
  KernelModules(const KernelModules&) = delete;
  KernelModules& operator=(const KernelModules&) = delete;

  /// Loads it where it is not yet there.
  KernelModule& at(const std::string& path);
  const std::vector<std::unique_ptr<KernelModule>>& all() const { return modules_; }

 private:
  const bool checked_;
  std::vector<std::unique_ptr<KernelModule>> modules_;
};

}  // namespace warpfs
