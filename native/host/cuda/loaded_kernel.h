// A compiled kernel on the GPU: cubin files, linked with each other and loaded.
#pragma once
#include "../abi_host.h"
#include "../../shaders/entry/cuda_launch.h"
#include "context.h"

#include <string>
#include <vector>

namespace warpfs::cuda {

class LoadedKernel {
 public:
  /// Throws HostError where a file cannot be read, does not fit the GPU, or belongs to another version of WarpFS.
  LoadedKernel(Context& context, const std::vector<std::string>& paths, const KernelConstants& constants);
  ~LoadedKernel();
  LoadedKernel(const LoadedKernel&) = delete;
  LoadedKernel& operator=(const LoadedKernel&) = delete;

  CUfunction function(const char* name) const;
  uint32_t word(const char* name) const;

 private:
  Context& context_;
  const std::string name_;
  CUmodule module_ = nullptr;
};

}  // namespace warpfs::cuda
