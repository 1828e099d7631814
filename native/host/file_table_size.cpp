// The part of the file table that carries sizes and identities to the gpu, and cuts files off.
#include "file_table.h"
#include "host_error.h"
#include "assert.h"
#include "shared_words.h"

#include <cerrno>
#include <unistd.h>

namespace warpfs {

namespace {

constexpr uint32_t TRUNCATING = 0x80000000u;
constexpr auto TRUNCATION_WAIT = std::chrono::seconds(30);  // longer than any disk should take for the writes under way

int32_t set_size(HostCalls& calls, int fd, uint64_t size) {
  int result;
  do {
    result = calls.truncate(fd, size);
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : failure(errno);
}

}  // namespace

/// The gpu never sees the size of one identity with another.
void FileTable::publish(FileSlot& slot, uint32_t file_id, uint64_t size) {
  FileEntry& entry = shared_[index_of(slot)];
  slot.size.store(size, std::memory_order_release);
  if (file_id != slot.file_id.load(std::memory_order_relaxed)) slot.windows = FileWindows{};
  slot.file_id.store(file_id, std::memory_order_release);
  // Each store is a release, so that none of them is seen before the version turned odd, nor after it is even again.
  store_relaxed(&entry.version, slot.version + 1);
  store_release(&entry.file_id, file_id);
  store_release(&entry.size_low, uint32_t(size));
  store_release(&entry.size_high, uint32_t(size >> 32));
  if (link_ != nullptr) {
    store_release(&entry.window_base[0], uint32_t(slot.windows.base));
    WARPFS_ASSERT(slot.windows.base >> 48 == 0);
    store_release(&entry.window_base[1], uint32_t(slot.windows.base >> 32) | file_id << 16);
    store_release(&entry.windows, slot.windows.mask);
    store_release(&entry.window_reach, slot.windows.reach());
  }
  slot.version += 2;
  store_release(&entry.version, slot.version);
  tell_gpu(index_of(slot));
}

bool FileTable::grant(uint32_t index, uint32_t file_id, const FileWindows& windows) {
  FileSlot& slot = slots_[index];
  std::lock_guard lock(size_mutex(slot));
  if (slot.file_id.load() != file_id || slot.cutting.load() == file_id) return false;
  note_stores(slot);  // an error is found again: the file stays as it is
  slot.windows = windows;
  publish(slot, file_id, slot.size.load(std::memory_order_relaxed));
  return true;
}

/// Where the gpu may store into the file itself nobody says when it does: the file counts as written to, by its times too (where those may not be
/// set nothing is lost). What it stores into pages that somebody else has cut off, or has taken out, goes nowhere: then no sync is in order any more.
int32_t FileTable::note_stores(FileSlot& slot) {
  if (!slot.windows.writable) return 0;
  slot.unsynced = true;
  slot.changed = true;
  calls().touch(slot.fd);
  struct stat found{};
  if (calls().stat(slot.fd, found) != 0) return failure(errno);
  const bool whole = uint64_t(found.st_size) >= slot.windows.end && uint64_t(found.st_blocks) * 512 >= slot.windows.held_bytes;
  return whole ? 0 : -Errno::eio;
}

/// Before bytes change under an identity that stays: when this returns, no warp takes what it read through a window from here on for the file, or
/// what it stores through one for a write.
void FileTable::revoke(FileSlot& slot) {
  if (slot.windows.mask == 0) return;
  slot.windows = FileWindows{};
  publish(slot, slot.file_id.load(std::memory_order_relaxed), slot.size.load(std::memory_order_relaxed));
  link_->wait_until_told();
}

uint64_t FileTable::extend(const FileRef& file, uint64_t end) {
  FileSlot& slot = *file.slot;
  std::lock_guard lock(size_mutex(slot));
  const uint64_t size = slot.size.load(std::memory_order_relaxed);
  if (end <= size) return size;
  publish(slot, slot.file_id.load(std::memory_order_relaxed), end);
  return end;
}

int32_t FileTable::truncate(const FileRef& file, uint64_t size) {
  FileSlot& slot = *file.slot;
  if (!slot.writable) return -Errno::ebadf;  // a forged handle
  if (size >= slot.size.load(std::memory_order_acquire)) {
    // At once, so that who asks for more than can be is told so.
    if (size > slot.size.load(std::memory_order_acquire)) {
      if (const int32_t error = grow(slot, size)) return error;
    }
    extend(file, size);
    return 0;
  }
  uint32_t file_id = 0;
  {
    std::lock_guard lock(mutex_);
    file_id = take_file_id();
  }
  if (file_id == 0) return -Errno::enfile;  // without a new identity the old bytes would come back
  if (!stop_writes(slot)) return -Errno::etimedout;
  int32_t error = 0;
  {
    std::lock_guard lock(size_mutex(slot));  // nobody grows the file to its old size meanwhile
    const uint64_t now = slot.size.load(std::memory_order_relaxed);
    if (size < now) error = cut_off(slot, size, file_id);
    else if (size > now && (error = grow_to(slot, size)) == 0) publish(slot, slot.file_id.load(std::memory_order_relaxed), size);  // another came first
  }
  let_writes(slot);
  return error;
}

int32_t FileTable::cut_off(FileSlot& slot, uint64_t size, uint32_t next_file_id) {
  if (const int32_t lost = note_stores(slot)) return lost;
  slot.cutting.store(slot.file_id.load());
  revoke(slot);
  const int32_t error = set_size(calls(), slot.fd, size);
  if (error != 0) {
    slot.cutting.store(0);
    // Reads that were refused meanwhile look for a sign that it is over.
    publish(slot, slot.file_id.load(std::memory_order_relaxed), slot.size.load(std::memory_order_relaxed));
    return error;
  }
  slot.unsynced = true;
  slot.changed = true;
  publish(slot, next_file_id, size);
  slot.cutting.store(0);
  return 0;
}

WriteStart FileTable::begin_write(const FileRef& file, uint32_t file_id, uint64_t end) {
  FileSlot& slot = *file.slot;
  uint32_t writes = slot.writes.load();
  do {
    if ((writes & TRUNCATING) != 0) return WriteStart::LATER;
  } while (!slot.writes.compare_exchange_weak(writes, writes + 1));
  // Looked at once the write is counted: a truncation that was not seen above waits for it, one that has ended left its identity.
  if (slot.file_id.load(std::memory_order_acquire) != file_id) {
    leave_write(slot);
    return slot.left.load() == file_id ? WriteStart::LEFT : WriteStart::DEAD;
  }
  if (end > slot.size.load(std::memory_order_relaxed)) extend(file, end);
  return WriteStart::NOW;
}

bool FileTable::is_current(const FileRef& file, uint32_t file_id) const {
  return file.slot->cutting.load() != file_id && file.slot->file_id.load() == file_id;
}

bool FileTable::is_dead(uint32_t handle, uint32_t file_id) const {
  const uint32_t index = handle_index(handle);
  if (index >= count_) return false;
  const uint32_t current = slots_[index].file_id.load(std::memory_order_acquire);
  return current != 0 && current != file_id && slots_[index].left.load() != file_id;
}

void FileTable::end_write(const FileRef& file) {
  // After the write, so that a sync that clears the mark first has the bytes before it. Read first: the mark is mostly there.
  if (!file.slot->unsynced.load(std::memory_order_acquire)) file.slot->unsynced.store(true, std::memory_order_release);
  if (!file.slot->changed.load(std::memory_order_acquire)) file.slot->changed.store(true, std::memory_order_release);
  leave_write(*file.slot);
}

void FileTable::leave_write(FileSlot& slot) {
  if (slot.writes.fetch_sub(1) == (TRUNCATING | 1)) writes_bell_.ring();
}

void FileTable::wait_for_truncation(const FileRef& file) {
  writes_bell_.wait(TRUNCATION_WAIT, [&] { return (file.slot->writes.load() & TRUNCATING) == 0; });
}

/// One truncation of a file at a time, and none beside a write. False where what is under way does not end.
bool FileTable::stop_writes(FileSlot& slot) {
  bool ours = false;
  const bool stopped = writes_bell_.wait(TRUNCATION_WAIT, [&] {
    if (!ours) ours = (slot.writes.fetch_or(TRUNCATING) & TRUNCATING) == 0;
    return ours && slot.writes.load() == TRUNCATING;
  });
  if (!stopped && ours) let_writes(slot);
  return stopped;
}

void FileTable::let_writes(FileSlot& slot) {
  slot.writes.fetch_and(~TRUNCATING);
  writes_bell_.ring();
}

/// A file that ends in a hole is shorter on disk than its logical size: grows it. And what the gpu may have stored shows in its times.
int32_t FileTable::write_out_size(FileSlot& slot) {
  if (!slot.writable) return 0;
  std::lock_guard lock(size_mutex(slot));
  const int32_t error = note_stores(slot);
  const int32_t grown = grow_to(slot, slot.size.load(std::memory_order_relaxed));
  return grown != 0 ? grown : error;
}

int32_t FileTable::grow(FileSlot& slot, uint64_t size) {
  std::lock_guard lock(size_mutex(slot));
  return grow_to(slot, size);
}

/// Under the size mutex no write beyond the size can be issued, and the size is never behind a write that was: so this never cuts a byte off.
int32_t FileTable::grow_to(FileSlot& slot, uint64_t size) {
  struct stat found{};
  if (calls().stat(slot.fd, found) != 0) return failure(errno);
  if (uint64_t(found.st_size) >= size) return 0;
  if (const int32_t error = set_size(calls(), slot.fd, size)) return error;
  slot.unsynced = true;
  slot.changed = true;
  return 0;
}

}  // namespace warpfs
