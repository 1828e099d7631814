#include "windows.h"

#include "../host_error.h"
#include "../pages_in_memory.h"
#include "courier.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>

#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace warpfs::cuda {

namespace {

constexpr uint32_t SHIFT_MIN = 22;         // 4 MiB take 0.3 ms to register
constexpr double RESIDENT_SHARE = 0.9;
constexpr uint32_t GRANTS_MAX = Courier::CHANNEL_SLOTS / 2;  // each is a message, and without a kernel nobody takes messages

uint32_t shift_for(uint64_t bytes) {
  uint32_t shift = SHIFT_MIN;
  while ((bytes + (uint64_t(1) << shift) - 1) >> shift > WINDOWS_MAX) shift++;
  return shift;
}

/// For writing, for as long as anybody likes. On a file system with a disk behind it the kernel has to know when a page is written to.
bool pages_can_be_held(int fd) {
#if defined(__linux__)
  struct statfs system;
  return fstatfs(fd, &system) == 0 && system.f_type == TMPFS_MAGIC;
#else
  (void)fd;
  return false;
#endif
}

}  // namespace

Windows::Windows(Context& context, uint32_t file_count, const WindowOptions& options)
    : context_(context), options_(options), one_address_(context.attribute(DEVICE_CAN_USE_HOST_POINTER) != 0),
      read_only_(context.attribute(DEVICE_HOST_REGISTER_READ_ONLY) != 0), asked_(new Asked[file_count]) {
  thread_ = std::thread([this] { run(); });
}

Windows::~Windows() {
  stop();
  if (context_.kernel_runs()) return;
  const bool registered = context_.enter_to_free();
  for (Mapping& mapping : mappings_) drop(mapping, registered);
}

void Windows::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wished_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Windows::moves(FileTable& files, uint32_t handle, uint32_t file_id, uint64_t offset, bool writes) {
  Asked& asked = asked_[handle_index(handle)];
  if (asked.file_id.load(std::memory_order_acquire) == file_id) {
    if (writes && !asked.written.load(std::memory_order_relaxed)) asked.written.store(true, std::memory_order_relaxed);
    const uint32_t shift = asked.shift.load(std::memory_order_acquire);
    const uint64_t window = offset >> shift;
    if (shift == 0 || window >= WINDOWS_MAX) return;  // it cannot be mapped, or not yet, or has grown since
    const uint64_t bit = uint32_t(1) << window;
    if ((asked.windows.load(std::memory_order_relaxed) & bit) == 0) asked.windows.fetch_or(bit, std::memory_order_relaxed);
    return;
  }
  // Who is late still speaks of what the file was before.
  const FileRef file = files.acquire(handle);
  if (file.slot == nullptr) return;
  const bool current = files.is_current(file, file_id);
  files.release(file);
  if (!current || asked.file_id.exchange(file_id, std::memory_order_acq_rel) == file_id) return;  // or another thread has just asked
  asked.shift.store(0, std::memory_order_relaxed);
  asked.windows.store(0, std::memory_order_relaxed);
  asked.written.store(writes, std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    wishes_.push_back({&files, handle, file_id, offset});
  }
  wished_.notify_one();
}

void Windows::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wished_.wait(lock, [this] { return stopping_ || !wishes_.empty(); });
    if (stopping_) return;
    const Wish wish = wishes_.front();
    wishes_.pop_front();
    lock.unlock();
    map(wish);
    lock.lock();
  }
}

/// While the file is open: its handle may be gone by the time that no kernel runs.
void Windows::map(const Wish& wish) {
  if (!one_address_ || !read_only_) return refuse("the driver cannot register files that are only read, at the address of the host");
  Asked& asked = asked_[handle_index(wish.handle)];
  const FileRef file = wish.files->acquire(wish.handle);
  if (file.slot == nullptr) {  // closed before it was its turn: the next one may ask again
    uint32_t file_id = wish.file_id;
    asked.file_id.compare_exchange_strong(file_id, 0);
    return;
  }
  struct stat found{};
  Mapping mapping{};
  void* base = MAP_FAILED;
  if (fstat(file.fd, &found) == 0 && found.st_size > 0 && wish.files->is_current(file, wish.file_id)) {
    mapping.file_bytes = uint64_t(found.st_size);
    mapping.bytes = (mapping.file_bytes + page_bytes() - 1) & ~(page_bytes() - 1);
    mapping.writable = options_.writable && file.slot->writable && pages_can_be_held(file.fd);
    if (mapping.writable) base = mmap(nullptr, mapping.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd, 0);
    mapping.writable = base != MAP_FAILED;  // not where it is sealed
    if (!mapping.writable) base = mmap(nullptr, mapping.bytes, PROT_READ, MAP_SHARED, file.fd, 0);
  }
  wish.files->release(file);
  if (base == MAP_FAILED) return refuse("it cannot be mapped");
  mapping.files = wish.files;
  mapping.index = handle_index(wish.handle);
  mapping.file_id = wish.file_id;
  mapping.base = static_cast<uint8_t*>(base);
  mapping.windows.base = reinterpret_cast<uint64_t>(base);
  mapping.windows.shift = shift_for(mapping.bytes);
  if (wish.offset < mapping.bytes) asked.windows.fetch_or(uint32_t(1) << (wish.offset >> mapping.windows.shift), std::memory_order_relaxed);
  asked.shift.store(mapping.windows.shift, std::memory_order_release);
  std::lock_guard lock(mappings_mutex_);
  mappings_.push_back(mapping);
}

bool Windows::is_resident(const Mapping& mapping, uint32_t window) const {
  const std::optional<double> share = share_in_memory(mapping.base + (uint64_t(window) << mapping.windows.shift), mapping.bytes_of(window));
  return share.has_value() && *share >= RESIDENT_SHARE;
}

void Windows::between_dispatches(std::chrono::nanoseconds time) {
  const auto begin = std::chrono::steady_clock::now();
  std::lock_guard lock(mappings_mutex_);
  uint32_t grants = 0;
  for (auto mapping = mappings_.begin(); mapping != mappings_.end();) {
    const bool stale = asked_[mapping->index].file_id.load(std::memory_order_relaxed) != mapping->file_id && grants < GRANTS_MAX;
    // Nearly always it is not the file's any more. Where it is, the gpu is told before a kernel runs.
    if (stale && mapping->windows.mask != 0 && mapping->files->grant(mapping->index, mapping->file_id, FileWindows{})) grants++;
    if (stale) drop(*mapping, true);
    mapping = stale ? mappings_.erase(mapping) : std::next(mapping);
  }
  for (Mapping& mapping : mappings_) {
    if (grants == GRANTS_MAX) break;  // the next dispatch goes on here
    const FileWindows before = mapping.windows;
    Asked& asked = asked_[mapping.index];
    uint32_t wanted = asked.windows.load(std::memory_order_relaxed) & ~before.mask;
    for (; wanted != 0 && std::chrono::steady_clock::now() - begin < time; wanted &= wanted - 1) {
      const uint32_t window = uint32_t(std::countr_zero(wanted));
      const uint32_t bit = uint32_t(1) << window;
      const Opened opened = open(mapping, window);
      // From now on the driver holds its pages, those of holes too: a store cannot find the file system full.
      if (opened == Opened::YES) mapping.windows.mask |= bit;
      // Another miss asks again; by then it may be in memory, or there may be room.
      if (opened == Opened::NOT_NOW) asked.windows.fetch_and(~bit, std::memory_order_relaxed);
    }
    mapping.windows.writable = mapping.writable && asked.written.load(std::memory_order_relaxed);
    // What is stored behind the end of the file would come to light when it grows.
    mapping.windows.end = mapping.windows.writable ? mapping.file_bytes : mapping.bytes;
    mapping.windows.held_bytes = mapping.windows.writable ? mapping.registered_bytes() : 0;
    if (mapping.windows.mask == before.mask && (mapping.windows.mask == 0 || mapping.windows.writable == before.writable)) continue;
    mapping.files->grant(mapping.index, mapping.file_id, mapping.windows);
    grants++;
  }
  uint64_t writable = 0;
  for (const Mapping& mapping : mappings_) writable += mapping.windows.held_bytes;
  writable_bytes_ = writable;
}

Windows::Opened Windows::open(Mapping& mapping, uint32_t window) {
  const uint64_t bytes = mapping.bytes_of(window);
  if (options_.only_resident && !is_resident(mapping, window)) return refuse("it is not in the memory of the host"), Opened::NOT_NOW;
  if (registered_bytes_ + bytes > options_.bytes_max) return refuse("as much as may be is registered already"), Opened::NOT_NOW;
  CUresult result = register_window(mapping, window, bytes);
  if (result != CUDA_SUCCESS && mapping.writable && mapping.windows.mask == 0) {
    mapping.writable = false;  // the driver holds no pages for writing here
    result = register_window(mapping, window, bytes);
  }
  if (result == CUDA_SUCCESS) {
    registered_bytes_ += bytes;
    return Opened::YES;
  }
  const char* name = nullptr;
  driver().cuGetErrorName(result, &name);
  return refuse(std::string("the driver refused to register it (") + (name == nullptr ? "no reason given" : name) + ")"), Opened::NEVER;
}

CUresult Windows::register_window(const Mapping& mapping, uint32_t window, uint64_t bytes) const {
  const unsigned flags = HOST_REGISTER_MAPPED | (mapping.writable ? 0u : HOST_REGISTER_READ_ONLY);
  return driver().cuMemHostRegister(mapping.base + (uint64_t(window) << mapping.windows.shift), bytes, flags);
}

void Windows::drop(Mapping& mapping, bool registered) {
  for (uint32_t left = mapping.windows.mask; registered && left != 0; left &= left - 1) {
    driver().cuMemHostUnregister(mapping.base + (uint64_t(std::countr_zero(left)) << mapping.windows.shift));
  }
  if (registered) registered_bytes_ -= mapping.registered_bytes();
  munmap(mapping.base, mapping.bytes);
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
