#include "windows.h"

#include "../host_error.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <vector>

namespace warpfs::cuda {

namespace {

constexpr uint32_t SHIFT_MIN = 22;         // 4 MiB take 0.3 ms to register
constexpr uint32_t WINDOWS_PER_FILE = 64;  // bits of a mask
constexpr size_t WISHES_MAX = 4096;        // more than that are asked for again
constexpr double RESIDENT_SHARE = 0.9;

uint32_t shift_for(uint64_t bytes) {
  uint32_t shift = SHIFT_MIN;
  while ((bytes + (uint64_t(1) << shift) - 1) >> shift > WINDOWS_PER_FILE) shift++;
  return shift;
}

uint64_t page_bytes() {
  static const uint64_t bytes = uint64_t(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

Windows::Windows(Context& context, uint32_t file_count, const WindowOptions& options)
    : context_(context), options_(options), one_address_(context.attribute(DEVICE_CAN_USE_HOST_POINTER) != 0),
      read_only_(context.attribute(DEVICE_HOST_REGISTER_READ_ONLY) != 0), asked_(new Asked[file_count]), file_count_(file_count) {
  thread_ = std::thread([this] { run(); });
}

Windows::~Windows() {
  stop();
  for (Mapping& mapping : mappings_) drop(mapping);
}

void Windows::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wished_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Windows::fills(FileTable& files, uint32_t handle, uint32_t file_id, uint64_t offset) {
  Asked& asked = asked_[handle_index(handle)];
  const uint32_t shift = asked.shift.load(std::memory_order_relaxed);
  const bool known = asked.file_id.load(std::memory_order_relaxed) == file_id;
  if (known && shift == 0) return;  // it is being mapped, or cannot be
  if (known) {
    const uint64_t window = offset >> shift;
    if (window >= WINDOWS_PER_FILE) return;  // it has grown since
    const uint64_t bit = uint64_t(1) << window;
    if ((asked.windows.load(std::memory_order_relaxed) & bit) != 0) return;
    asked.windows.fetch_or(bit, std::memory_order_relaxed);
  } else {
    asked.file_id.store(file_id, std::memory_order_relaxed);
    asked.shift.store(0, std::memory_order_relaxed);
    asked.windows.store(0, std::memory_order_relaxed);
  }
  {
    std::lock_guard lock(mutex_);
    if (wishes_.size() < WISHES_MAX) wishes_.push_back({&files, handle, file_id, offset});
  }
  wished_.notify_one();
}

void Windows::run() {
  try {
    context_.enter();
  } catch (const HostError& error) {
    return refuse(error.what());
  }
  std::unique_lock lock(mutex_);
  while (true) {
    wished_.wait(lock, [this] { return stopping_ || !wishes_.empty(); });
    if (stopping_) return;
    const Wish wish = wishes_.front();
    wishes_.pop_front();
    lock.unlock();
    serve(wish);
    lock.lock();
  }
}

void Windows::serve(const Wish& wish) {
  const FileRef file = wish.files->acquire(wish.handle);
  if (file.slot == nullptr) return;
  {
    std::lock_guard lock(mappings_mutex_);
    Mapping* mapping = mapping_of(wish, file);
    if (mapping != nullptr) {
      const uint64_t window = wish.offset >> mapping->windows.shift;
      const uint64_t begin = window << mapping->windows.shift;
      const uint64_t end = std::min(begin + (uint64_t(1) << mapping->windows.shift), mapping->windows.end);
      const uint64_t bit = uint64_t(1) << window;
      if (begin >= mapping->windows.end || (mapping->windows.mask & bit) != 0) {
        // Grown since, or there already.
      } else if (options_.only_resident && !is_resident(*mapping, begin, end - begin)) {
        refuse("it is not in the memory of the host");
      } else if (registered_bytes_ + (end - begin) > options_.bytes_max) {
        refuse("as much as is allowed is registered already");
      } else {
        const unsigned flags = HOST_REGISTER_PORTABLE | HOST_REGISTER_MAPPED | HOST_REGISTER_READ_ONLY;
        const CUresult result = driver().cuMemHostRegister(mapping->base + begin, end - begin, flags);
        if (result == CUDA_SUCCESS) {
          registered_bytes_ += end - begin;
          mapping->windows.mask |= bit;
          wish.files->grant(file, wish.file_id, mapping->windows);
        } else {
          const char* name = "";
          driver().cuGetErrorName(result, &name);
          refuse(std::string("the driver refused to register it (") + (name == nullptr ? "" : name) + ")");
        }
      }
    }
  }
  wish.files->release(file);
}

/// Null where the file cannot be mapped.
Windows::Mapping* Windows::mapping_of(const Wish& wish, const FileRef& file) {
  const uint32_t index = handle_index(wish.handle);
  for (Mapping& mapping : mappings_) {
    if (mapping.index == index && mapping.file_id == wish.file_id) return &mapping;
  }
  struct stat found{};
  if (!one_address_ || !read_only_) return refuse("the driver cannot register files that are only read, at the address of the host"), nullptr;
  if (fstat(file.fd, &found) != 0 || found.st_size <= 0 || !wish.files->is_current(file, wish.file_id)) return nullptr;
  const uint64_t bytes = (uint64_t(found.st_size) + page_bytes() - 1) & ~(page_bytes() - 1);
  void* base = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.fd, 0);
  if (base == MAP_FAILED) return refuse("it cannot be mapped"), nullptr;
  Mapping mapping{};
  mapping.index = index;
  mapping.file_id = wish.file_id;
  mapping.base = static_cast<uint8_t*>(base);
  mapping.windows.end = bytes;
  mapping.windows.base = reinterpret_cast<uint64_t>(base);
  mapping.windows.shift = shift_for(bytes);
  mappings_.push_back(mapping);
  if (asked_[index].file_id.load(std::memory_order_relaxed) == wish.file_id) {
    asked_[index].shift.store(mapping.windows.shift, std::memory_order_relaxed);
    asked_[index].windows.fetch_or(uint64_t(1) << (wish.offset >> mapping.windows.shift), std::memory_order_relaxed);
  }
  return &mappings_.back();
}

bool Windows::is_resident(const Mapping& mapping, uint64_t begin, uint64_t bytes) const {
  std::vector<unsigned char> pages((bytes + page_bytes() - 1) / page_bytes());
#if defined(__linux__)
  if (mincore(mapping.base + begin, bytes, pages.data()) != 0) return false;
#else
  if (mincore(reinterpret_cast<char*>(mapping.base) + begin, bytes, reinterpret_cast<char*>(pages.data())) != 0) return false;
#endif
  const auto resident = std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
  return double(resident) >= RESIDENT_SHARE * double(pages.size());
}

void Windows::between_dispatches() {
  std::lock_guard lock(mappings_mutex_);
  for (auto mapping = mappings_.begin(); mapping != mappings_.end();) {
    const bool stale = asked_[mapping->index].file_id.load(std::memory_order_relaxed) != mapping->file_id;
    if (stale) drop(*mapping);
    mapping = stale ? mappings_.erase(mapping) : std::next(mapping);
  }
}

void Windows::drop(Mapping& mapping) {
  if (!context_.given_up()) {
    for (uint64_t left = mapping.windows.mask; left != 0; left &= left - 1) {
      const uint64_t begin = uint64_t(std::countr_zero(left)) << mapping.windows.shift;
      const uint64_t end = std::min(begin + (uint64_t(1) << mapping.windows.shift), mapping.windows.end);
      driver().cuMemHostUnregister(mapping.base + begin);
      registered_bytes_ -= end - begin;
    }
  }
  munmap(mapping.base, mapping.windows.end);
}

void Windows::refuse(const std::string& why) {
  std::lock_guard lock(mutex_);
  if (refusal_.empty()) refusal_ = why;
}

std::string Windows::refusal() const {
  std::lock_guard lock(mutex_);
  return refusal_;
}

}  // namespace warpfs::cuda
