// The part of the file table that carries sizes and durability: what is published to the gpu, and what reaches the disk.
#include "assert.h"
#include "file_table.h"
#include "host_error.h"
#include "shared_words.h"

#include <cerrno>
#include <unistd.h>
#include <utility>

namespace warpfs {

namespace {

constexpr uint32_t TRUNCATING = 0x80000000u;
constexpr auto TRUNCATION_WAIT = std::chrono::seconds(30);  // longer than any disk should take for the writes under way

}  // namespace

FileSignature FileTable::signature_of(const struct stat& found) const {
  if (resolver_.is_repeatable()) return {uint64_t(found.st_dev), uint64_t(found.st_ino), uint64_t(found.st_size), 0, 0, 0, 0};
#if defined(__APPLE__)
  const timespec& modified = found.st_mtimespec;
  const timespec& changed = found.st_ctimespec;
#else
  const timespec& modified = found.st_mtim;
  const timespec& changed = found.st_ctim;
#endif
  return {uint64_t(found.st_dev), uint64_t(found.st_ino), uint64_t(found.st_size), int64_t(modified.tv_sec),
          int64_t(modified.tv_nsec), int64_t(changed.tv_sec), int64_t(changed.tv_nsec)};
}

void FileTable::publish_size(FileSlot& slot, uint64_t size) {
  FileEntry& entry = shared_[index_of(slot)];
  slot.size.store(size, std::memory_order_release);
  // Each store is a release, so that none of them is seen before the version turned odd, nor after it is even again.
  store_relaxed(&entry.size_version, slot.size_version + 1);
  store_release(&entry.size_low, uint32_t(size));
  store_release(&entry.size_high, uint32_t(size >> 32));
  slot.size_version += 2;
  store_release(&entry.size_version, slot.size_version);
}

uint64_t FileTable::extend(const FileRef& file, uint64_t end) {
  std::lock_guard lock(size_mutex_);
  const uint64_t size = file.slot->size.load(std::memory_order_relaxed);
  if (end <= size) return size;
  publish_size(*file.slot, end);
  return end;
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
    return WriteStart::DEAD;
  }
  if (end > slot.size.load(std::memory_order_relaxed)) extend(file, end);
  return WriteStart::NOW;
}

bool FileTable::is_dead(uint32_t handle, uint32_t file_id) const {
  const uint32_t index = handle & ((1u << HANDLE_INDEX_BITS) - 1);
  if (index >= count_) return false;
  const uint32_t current = slots_[index].file_id.load(std::memory_order_acquire);
  return current != 0 && current != file_id;
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

/// A file that ends in a hole is shorter on disk than its logical size: grows it. Under the size mutex no write beyond the size can
/// be issued, and the size is never behind a write that was: so this never cuts a byte off.
int32_t FileTable::write_out_size(FileSlot& slot) {
  if (!slot.writable) return 0;
  std::lock_guard lock(size_mutex_);
  struct stat found{};
  if (calls().stat(slot.fd, found) != 0) return failure(errno);
  const uint64_t size = slot.size.load(std::memory_order_relaxed);
  if (uint64_t(found.st_size) >= size) return 0;
  if (calls().truncate(slot.fd, size) != 0) return failure(errno);
  slot.unsynced = true;
  slot.changed = true;
  return 0;
}

/// Nobody writes any more: whoever opens from now on sees the whole size, and what differs from now on others have written.
int32_t FileTable::end_writing(FileSlot& slot) {
  const int32_t error = write_out_size(slot);
  if (slot.changed) record(slot);
  return error;
}

/// A new file is found again after a crash only if its directory reached the disk as well. Once is enough.
int32_t FileTable::write_out_parent(FileSlot& slot) {
  int parent = -1;
  {
    std::lock_guard lock(mutex_);
    std::swap(parent, slot.parent);
  }
  if (parent < 0) return 0;
  const int32_t error = calls().sync_directory(parent) == 0 ? 0 : failure(errno);
  if (error != 0) {
    std::lock_guard lock(mutex_);
    if (slot.parent < 0) std::swap(parent, slot.parent);
  }
  if (parent >= 0) ::close(parent);
  return error;
}

/// A file that is open again may be one of those whose name no sync covers, and nobody knows its directory any more.
int32_t FileTable::write_out_forgotten_names() {
#if defined(__linux__)
  const uint64_t forgotten = names_forgotten_.load();
  uint64_t synced = names_synced_.load();
  if (synced >= forgotten) return 0;
  if (calls().sync_file_system(root_) != 0) return failure(errno);
  while (synced < forgotten && !names_synced_.compare_exchange_weak(synced, forgotten)) {
  }
#endif
  return 0;
}

int32_t FileTable::sync_slot(FileSlot& slot, bool end_keeping) {
  int32_t error = write_out_size(slot);
  int32_t parent_error = write_out_parent(slot);
  if (parent_error == 0) parent_error = write_out_forgotten_names();
  slot.unsynced.store(false, std::memory_order_release);
  if (calls().sync_data(slot.fd) != 0) {
    slot.unsynced = true;
    error = failure(errno);
  }
  if (error == 0) error = parent_error;

  std::lock_guard lock(mutex_);
  if (error != 0) {
    slot.sync_error = error;
    return error;
  }
  if (slot.changed) record(slot);
  if (end_keeping && slot.kept) {
    slot.kept = false;
    if (slot.references == 0) return retire(slot);
  }
  return 0;
}

int32_t FileTable::sync(const FileRef& file) { return sync_slot(*file.slot, true); }

int32_t FileTable::sync_all() {
  int32_t first_error = 0;
  const auto note = [&](int32_t error) {
    if (first_error == 0) first_error = error;
  };
  uint32_t used = 0;
  {
    std::lock_guard lock(mutex_);
    used = used_;
    std::swap(first_error, lost_error_);
  }
  for (uint32_t index = 0; index < used; index++) {
    FileSlot& slot = slots_[index];
    {
      std::lock_guard lock(mutex_);
      if (slot.fd < 0) continue;
      note(slot.sync_error);  // told once more, to whoever ends the mount, even if the sync succeeds now
      slot.sync_error = 0;
      slot.word.fetch_add(1, std::memory_order_acq_rel);
    }
    const int32_t error = write_out_size(slot);
    note(error);
    if (slot.unsynced) {
      note(sync_slot(slot, false));
      std::lock_guard lock(mutex_);
      slot.sync_error = 0;
    }
    release({&slot, slot.fd});
  }
#if defined(__linux__)
  bool rest = false;
  {
    std::lock_guard lock(mutex_);
    std::swap(rest, file_system_unsynced_);
  }
  if (rest && calls().sync_file_system(root_) != 0) {
    note(failure(errno));
    std::lock_guard lock(mutex_);
    file_system_unsynced_ = true;
  }
#endif
  return first_error;
}

void FileTable::record(FileSlot& slot) {
  slot.changed.store(false, std::memory_order_release);  // before the look: a write that lands meanwhile marks it again
  struct stat found{};
  if (calls().stat(slot.fd, found) == 0) slot.signature = signature_of(found);
}

/// Closes the descriptor of a closed slot. Bytes that no sync covers yet are left to one sync of the whole file system in sync_all,
/// where there is such a thing; otherwise they are synced now.
void FileTable::drop_descriptor(FileSlot& slot) {
  if (slot.fd < 0) return;
  WARPFS_ASSERT(slot.references == 0 && !slot.kept);
  if (slot.unsynced || slot.parent >= 0) {
#if defined(__linux__)
    const bool covered = root_ >= 0 && slot.signature.device == root_device_;
#else
    const bool covered = false;
#endif
    if (covered) {
      file_system_unsynced_ = true;
      if (slot.parent >= 0) names_forgotten_.fetch_add(1);
    } else {
      const bool failed = calls().sync_data(slot.fd) != 0 || (slot.parent >= 0 && calls().sync_directory(slot.parent) != 0);
      if (failed && lost_error_ == 0) lost_error_ = failure(errno);
    }
  }
  if (slot.sync_error != 0 && lost_error_ == 0) lost_error_ = slot.sync_error;
  slot.sync_error = 0;
  ::close(slot.fd);
  if (slot.parent >= 0) ::close(slot.parent);
  slot.parent = -1;
  slot.fd = -1;
  slot.writable = false;
  slot.unsynced = false;
  if (slot.spare) spare_--;
  slot.spare = false;
}

bool FileTable::drop_spare_descriptors(size_t leave) {
  const size_t before = spare_;
  for (const uint32_t index : closed_) {
    if (spare_ <= leave) break;
    FileSlot& slot = slots_[index];
    if (slot.spare && (slot.word.load(std::memory_order_acquire) & 0xffffffffu) == 0) drop_descriptor(slot);
  }
  return spare_ < before;
}

}  // namespace warpfs
