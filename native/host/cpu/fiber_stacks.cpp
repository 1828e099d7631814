#include "fiber_stacks.h"

#include "../pages_in_memory.h"

#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <atomic>
#include <cerrno>
#include <system_error>

namespace warpfs {

namespace {

constexpr uint32_t STACKS_PER_SLAB = 32;
// Fibers of one warp run the same code at the same depth. If all stacks began at the same place of a page, their hot lines would
// compete for a few sets of the caches. 32 colours of one line each also keep a shallow stack within its first page.
constexpr uint32_t COLOURS = 32;
constexpr size_t COLOUR_BYTES = 64;
// A guard made by mprotect splits a mapping in two, and Linux allows a process 65530 of them, which the rest of the process needs too.
// Past this number a stack has no guard. Kernels from 6.13 on have guards that cost no mapping, and then the number does not matter.
constexpr int SPLITTING_GUARDS_MAX = 12288;

std::atomic<int> splitting_guards{0};

/// Gives the number of mappings that it split, 0 or 1.
int install_guard(unsigned char* page, size_t bytes) {
#if defined(__linux__)
  constexpr int ADVICE_GUARD_INSTALL = 102;  // MADV_GUARD_INSTALL, which older headers do not name
  if (madvise(page, bytes, ADVICE_GUARD_INSTALL) == 0) return 0;
#endif
  const bool room = splitting_guards.fetch_add(1, std::memory_order_relaxed) < SPLITTING_GUARDS_MAX;
  if (room && mprotect(page, bytes, PROT_NONE) == 0) return 1;
  splitting_guards.fetch_sub(1, std::memory_order_relaxed);
  return 0;
}

}  // namespace

FiberStacks::FiberStacks(size_t stack_bytes) : used_in_slab_(STACKS_PER_SLAB) {
  const size_t pages = (stack_bytes + page_bytes() - 1) / page_bytes();
  stride_ = (pages + 1) * page_bytes();
}

FiberStacks::~FiberStacks() {
  for (unsigned char* slab : slabs_) {
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(slab, stride_ * STACKS_PER_SLAB);  // of frames that were never left: something else will lie here
#endif
    munmap(slab, stride_ * STACKS_PER_SLAB);
  }
  splitting_guards.fetch_sub(splitting_guards_, std::memory_order_relaxed);
}

void FiberStacks::add_slab() {
  const size_t bytes = stride_ * STACKS_PER_SLAB;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "cannot reserve stacks for lanes of the cpu device");
  slabs_.push_back(static_cast<unsigned char*>(memory));
#if defined(__linux__)
  madvise(memory, bytes, MADV_NOHUGEPAGE);  // a huge page would make every stack of the slab resident at once
#endif
  for (uint32_t stack = 0; stack < STACKS_PER_SLAB; stack++) {
    splitting_guards_ += install_guard(slabs_.back() + stack * stride_, page_bytes());
  }
  used_in_slab_ = 0;
}

void FiberStacks::forget_frames(const void* top) const {
#if defined(__SANITIZE_ADDRESS__)
  const uintptr_t end = (reinterpret_cast<uintptr_t>(top) + page_bytes() - 1) / page_bytes() * page_bytes();  // a colour is less than a page
  ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(end - stride_ + page_bytes()), stride_ - page_bytes());
#else
  (void)top;
#endif
}

unsigned char* FiberStacks::reserve() {
  if (used_in_slab_ == STACKS_PER_SLAB) add_slab();
  unsigned char* end = slabs_.back() + ++used_in_slab_ * stride_;
  // Not only the lanes of one warp differ: so do the first lanes of several warps, which are what runs while warps wait for the host.
  const uint32_t colour = (reserved_ + reserved_ / COLOURS) % COLOURS;
  reserved_++;
  return end - colour * COLOUR_BYTES;
}

}  // namespace warpfs
