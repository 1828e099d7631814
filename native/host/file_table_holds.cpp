// Who uses a descriptor: requests that count themselves in its slot, and threads that say in a place of their own which file they hold. A thread
// that holds the same file again and again opens it for itself: the kernel, too, counts the users of a descriptor in one word.
#include "file_table.h"

#include "assert.h"
#include "file_word.h"

#include <fcntl.h>
#include <unistd.h>

namespace warpfs {

namespace {

constexpr uint32_t USES_BEFORE_OWN = 256;

// FileHold::own: | index of the slot + 1 | descriptor |
constexpr uint64_t NO_DESCRIPTOR = 0;
uint64_t own_word(uint32_t index, int fd) { return uint64_t(index + 1) << 32 | uint32_t(fd); }
uint32_t owner_of(uint64_t own) { return uint32_t(own >> 32) - 1; }
int fd_of(uint64_t own) { return int(uint32_t(own)); }

void close_own(uint64_t own) {
  if (own != NO_DESCRIPTOR) ::close(fd_of(own));
}

/// -1 where this system, or the sandbox, knows no way to.
int open_again([[maybe_unused]] HostCalls& calls, [[maybe_unused]] int fd) {
#if defined(__linux__)
  return calls.open_at(AT_FDCWD, ("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC);
#else
  return -1;
#endif
}

}  // namespace

FileHold::~FileHold() { close_own(own); }

FileHold& FileTable::new_hold() {
  const uint32_t number = hold_count_.fetch_add(1, std::memory_order_seq_cst);
  WARPFS_ASSERT(number < FILE_HOLDS_MAX);
  return holds_[number];
}

FileRef FileTable::acquire(uint32_t handle, FileHold* hold) {
  const uint32_t index = handle_index(handle);
  if (handle >> (HANDLE_BITS + 1) != 0 || index >= count_) return {};
  FileSlot& slot = slots_[index];
  const uint64_t wanted = live_word_of(handle);
  if ((slot.word.load(std::memory_order_relaxed) & ~USERS) != wanted) return {};
  const bool held = hold != nullptr && hold->slot.load(std::memory_order_relaxed) == nullptr;
  const FileRef file{&slot, -1, -1, held ? hold : nullptr};
  uint64_t word = 0;
  if (held) {
    // Either the word still says that the file is open, or who closed it sees the hold: both look behind what they wrote.
    hold->slot.store(&slot, std::memory_order_seq_cst);
    word = slot.word.load(std::memory_order_seq_cst);
  } else {
    word = slot.word.fetch_add(1, std::memory_order_acq_rel);
  }
  if ((word & ~USERS) != wanted) {
    release(file);
    return {};
  }
  const int fd = slot.fd.load(std::memory_order_relaxed);
  return {&slot, fd, held ? own_descriptor(*hold, index, fd) : fd, file.hold};
}

void FileTable::count_in(FileRef& file) {
  if (file.hold == nullptr) return;
  file.slot->word.fetch_add(1, std::memory_order_seq_cst);
  file.hold->slot.store(nullptr, std::memory_order_seq_cst);
  file.hold = nullptr;
  file.read_fd = file.fd;
}

void FileTable::release(const FileRef& file) {
  if (file.hold != nullptr) {
    file.hold->slot.store(nullptr, std::memory_order_seq_cst);
    if ((file.slot->word.load(std::memory_order_seq_cst) & LIVE) == 0) end_use(*file.slot);
    return;
  }
  const uint64_t before = file.slot->word.fetch_sub(1, std::memory_order_seq_cst);
  if ((before & USERS) == 1 && (before & LIVE) == 0) end_use(*file.slot);
}

/// The file was closed while the request ran: whoever is the last one closes its descriptor.
void FileTable::end_use(FileSlot& slot) {
  std::lock_guard lock(mutex_);
  if (slot.listed) settle(slot);
}

/// Of a closed slot, whose word keeps new users away. A request that goes from a hold to the count is seen as one or the other.
bool FileTable::is_used(const FileSlot& slot) const {
  const uint32_t holds = hold_count_.load(std::memory_order_seq_cst);
  for (uint32_t hold = 0; hold < holds; hold++) {
    if (holds_[hold].slot.load(std::memory_order_seq_cst) == &slot) return true;
  }
  return (slot.word.load(std::memory_order_seq_cst) & USERS) != 0;
}

/// The calling thread holds the file, so that nobody drops what it has of it.
int FileTable::own_descriptor(FileHold& hold, uint32_t index, int fd) {
  const uint64_t own = hold.own.load(std::memory_order_relaxed);
  if (owner_of(own) == index) return fd_of(own);
  if (hold.wanted != index) {
    hold.wanted = index;
    hold.uses = 0;
  }
  if (++hold.uses < USES_BEFORE_OWN || hold_count_.load(std::memory_order_relaxed) == 1) return fd;
  hold.uses = 0;  // where it fails, not again for a while
  const int made = open_again(calls(), fd);
  if (made < 0) return fd;
  close_own(hold.own.exchange(own_word(index, made), std::memory_order_acq_rel));
  return made;
}

/// With the mutex, of a slot that is not used.
void FileTable::drop_own_descriptors(const FileSlot& slot) {
  const uint32_t holds = hold_count_.load(std::memory_order_seq_cst);
  for (uint32_t hold = 0; hold < holds; hold++) {
    uint64_t own = holds_[hold].own.load(std::memory_order_acquire);
    // Its thread may be about to have one of another file instead: then it closes this one.
    if (owner_of(own) == index_of(slot) && holds_[hold].own.compare_exchange_strong(own, NO_DESCRIPTOR, std::memory_order_acq_rel)) close_own(own);
  }
}

}  // namespace warpfs
