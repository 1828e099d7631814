// The part of the file table that carries durability: what reaches the disk, who is told when it did not, and when descriptors go.
#include "assert.h"
#include "file_table.h"
#include "host_error.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace warpfs {

namespace {

template <typename Call>
int32_t until_done(Call&& call) {
  int result;
  do {
    result = call();
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : failure(errno);
}

}  // namespace

int32_t FileTable::sync_data(int fd) {
  return until_done([&] { return calls().sync_data(fd); });
}

/// `fd` is of the same file system, for one that cannot sync this directory by itself.
int32_t FileTable::sync_directory(const Directory& directory, [[maybe_unused]] int fd) {
  const int32_t error = directory.fd < 0 ? -Errno::eacces : until_done([&] { return calls().sync_directory(directory.fd); });
#if defined(__linux__)
  if (error == -Errno::eacces || error == -Errno::einval) return until_done([&] { return calls().sync_file_system(fd); });
#endif
  return error;
}

Directory::~Directory() {
  if (fd >= 0) ::close(fd);
}

/// Nobody writes any more: whoever opens from now on sees the whole size, and what differs from now on others have written. What they wrote
/// meanwhile cannot be told from what we wrote, so that from here on the file has another identity, and is read anew.
int32_t FileTable::end_writing(FileSlot& slot) {
  const int32_t error = write_out_size(slot);
  if (slot.changed) record(slot);
  if (!slot.written) return error;
  slot.written = false;
  const uint32_t file_id = take_file_id();
  if (file_id == 0) return error != 0 ? error : -Errno::enfile;
  std::lock_guard lock(size_mutex(slot));
  slot.left.store(slot.file_id.load());
  // Others may have made it longer. While the signature is the same nobody looks at the size again, so it is the one that was seen with it.
  publish(slot, file_id, slot.changed ? slot.size.load(std::memory_order_relaxed) : slot.signature.size);
  return error;
}

/// A new name is found again after a crash only if its directory reached the disk as well. Once is enough; who comes while another
/// is at it does the same, for it must not say that all is well before that is so.
int32_t FileTable::write_out_parent(FileSlot& slot) {
  DirectoryRef parent;
  {
    std::lock_guard lock(mutex_);
    parent = slot.parent;
  }
  if (parent == nullptr) return 0;
  const int32_t error = sync_directory(*parent, slot.fd);
  std::lock_guard lock(mutex_);
  if (error == 0 && slot.parent == parent) slot.parent.reset();
  return error;
}

/// A file that is open again may be one of those whose name no sync covers, and nobody knows its directory any more.
int32_t FileTable::write_out_forgotten_names() {
#if defined(__linux__)
  const uint64_t forgotten = names_forgotten_.load();
  uint64_t synced = names_synced_.load();
  if (synced >= forgotten) return 0;
  if (const int32_t error = until_done([this] { return calls().sync_file_system(root_); })) return error;
  while (synced < forgotten && !names_synced_.compare_exchange_weak(synced, forgotten)) {
  }
#endif
  return 0;
}

int32_t FileTable::sync_slot(FileSlot& slot) {
  slot.syncing.fetch_add(1);
  int32_t error = write_out_size(slot);
  int32_t parent_error = write_out_parent(slot);
  if (parent_error == 0) parent_error = write_out_forgotten_names();
  slot.unsynced.exchange(false);
  const int32_t data_error = sync_data(slot.fd);
  if (data_error != 0) slot.unsynced = true;
  slot.syncing.fetch_sub(1);
  if (error == 0) error = data_error != 0 ? data_error : parent_error;

  std::lock_guard lock(mutex_);
  // The system may have dropped the bytes of everybody, and says so only once. A size and a directory are tried again by each sync.
  if (data_error != 0) owe(slot, data_error);
  if (error == 0 && slot.changed) record(slot);
  return error;
}

int32_t FileTable::sync_file(const FileRef& file) { return sync_slot(*file.slot); }

int32_t FileTable::end_sync(const FileRef& file, Told told, int32_t error) {
  FileSlot& slot = *file.slot;
  std::lock_guard lock(mutex_);
  const int32_t owed = owed_sync(slot);
  if (told == Told::YES) return 0;
  if (error != 0) return error;
  int32_t retired = 0;
  if (slot.kept) {
    slot.kept = false;
    if (slot.references == 0) retired = retire(slot);
  }
  return retired != 0 ? retired : owed;
}

int32_t FileTable::sync_all() {
  int32_t first_error = 0;
  const auto note = [&](int32_t error) {
    if (first_error == 0) first_error = error;
  };
  uint32_t used = 0;
  {
    std::lock_guard lock(mutex_);
    used = used_;
  }
  for (uint32_t index = 0; index < used; index++) {
    FileSlot& slot = slots_[index];
    bool name_unsynced = false;
    {
      std::lock_guard lock(mutex_);
      if (slot.fd < 0) continue;
      name_unsynced = slot.parent != nullptr;
      slot.word.fetch_add(1, std::memory_order_acq_rel);
    }
    note(write_out_size(slot));
    if (name_unsynced || slot.unsynced || slot.syncing > 0) note(sync_slot(slot));
    {
      std::lock_guard lock(mutex_);
      if (slot.writers == 0) slot.owed_syncs = slot.owed_closes = 0;  // the mount is told below, and nobody else is left
    }
    release({&slot, slot.fd});
  }
  note(sync_names());
  std::lock_guard lock(mutex_);
  if (owed_mount_ != 0) first_error = owed_mount_;
  owed_mount_ = 0;
  return first_error;
}

/// What no descriptor of a file stands for: names that went or came, bytes whose descriptor was closed.
int32_t FileTable::sync_names() {
  std::map<const Directory*, DirectoryRef> directories;
  bool rest = false;
  {
    std::lock_guard lock(mutex_);
    directories.swap(unsynced_directories_);
    std::swap(rest, file_system_unsynced_);
  }
  int32_t first_error = 0;
  for (const auto& [address, directory] : directories) {
    const int32_t error = sync_directory(*directory, root_);
    if (error == 0) continue;
    if (first_error == 0) first_error = error;
    std::lock_guard lock(mutex_);
    unsynced_directories_[address] = directory;
  }
#if defined(__linux__)
  if (rest) {
    const int32_t error = until_done([this] { return calls().sync_file_system(root_); });
    if (error != 0) {
      if (first_error == 0) first_error = error;
      std::lock_guard lock(mutex_);
      file_system_unsynced_ = true;
    }
  }
#endif
  return first_error;
}

void FileTable::record(FileSlot& slot) {
  slot.written = true;
  slot.changed.store(false, std::memory_order_release);  // before the look: a write that lands meanwhile marks it again
  FileLook found;
  if (calls().look_at(slot.fd, found) == 0) slot.signature = signature_of(found, slot.fd);
  else slot.changed.store(true, std::memory_order_release);
}

void FileTable::write_failed(const FileRef& file, int32_t error) {
  std::lock_guard lock(mutex_);
  owe(*file.slot, error);
}

/// Bytes of anybody who has the file open to write may be lost: each of them is told, and the mount.
void FileTable::owe(FileSlot& slot, int32_t error) {
  if (error == -Errno::eagain) error = -Errno::eio;  // as an answer it would mean that nothing was done yet
  if (slot.owed_syncs == 0 && slot.owed_closes == 0) slot.error = error;
  slot.owed_syncs = slot.owed_closes = std::max(slot.writers, 1u);
  if (owed_mount_ == 0) owed_mount_ = error;
}

int32_t FileTable::owed_sync(FileSlot& slot) {
  if (slot.owed_syncs == 0) return 0;
  slot.owed_syncs--;
  if (slot.writers == 0) slot.owed_syncs = slot.owed_closes = 0;  // nobody else is left to be told
  return slot.error;
}

/// Of a writer that is no longer counted.
int32_t FileTable::owed_close(FileSlot& slot) {
  const bool owed = slot.owed_closes > 0;
  if (owed) slot.owed_closes--;
  slot.owed_syncs = std::min(slot.owed_syncs, slot.writers);  // who has closed does not sync
  return owed ? slot.error : 0;
}

/// Closes the descriptor of a closed slot. Bytes that no sync covers yet are left to one sync of the whole file system in sync_all,
/// where there is such a thing; otherwise they are synced now. Those of a file without a name are nobody's.
void FileTable::drop_descriptor(FileSlot& slot) {
  if (slot.fd < 0) return;
  WARPFS_ASSERT(slot.references == 0 && !slot.kept);
  struct stat now{};
  if (calls().stat(slot.fd, now) == 0 && now.st_nlink == 0) slot.nameless = true;  // somebody else took its name away
  if (!slot.nameless && (slot.unsynced || slot.parent != nullptr)) {
    if (syncfs_covers(slot.signature.device)) {
      file_system_unsynced_ = true;
      if (slot.parent != nullptr) names_forgotten_.fetch_add(1);
    } else {
      int32_t error = sync_data(slot.fd);
      if (error == 0 && slot.parent != nullptr) error = sync_directory(*slot.parent, slot.fd);
      if (owed_mount_ == 0) owed_mount_ = error;
    }
  }
  if (slot.nameless) forget(slot);
  ::close(slot.fd);
  drop_own_descriptors(slot);
  slot.parent.reset();
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
    if (slot.spare && !is_used(slot)) drop_descriptor(slot);
  }
  return spare_ < before;
}

}  // namespace warpfs
