// The stacks of one worker's fibers: reserved in slabs, touched only when used, kept until the worker ends.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace warpfs {

class FiberStacks {
 public:
  /// stack_bytes is rounded up to whole pages; each stack has a guard page below it besides.
  explicit FiberStacks(size_t stack_bytes);
  ~FiberStacks();
  FiberStacks(const FiberStacks&) = delete;
  FiberStacks& operator=(const FiberStacks&) = delete;

  /// The top (the end) of a stack that nobody had before.
  unsigned char* reserve();
  /// The stack that ends here begins anew, and what was on it is never returned to. Only the address sanitizer has to be told.
  void forget_frames(const void* top) const;

 private:
  void add_slab();

  size_t stride_;  // of one stack and its guard
  std::vector<unsigned char*> slabs_;
  uint32_t used_in_slab_;
  uint32_t reserved_ = 0;
  int splitting_guards_ = 0;  // of those that count against the limit of the process
};

}  // namespace warpfs
