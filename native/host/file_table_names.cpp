// The part of the file table that takes names away and gives new ones: what becomes of the files, and when the names are on the disk.
#include "file_table.h"

#include <sys/stat.h>

namespace warpfs {

namespace {

constexpr size_t UNSYNCED_DIRECTORIES_MAX = 64;  // beyond it descriptors would pile up until somebody syncs

}  // namespace

int32_t FileTable::unlink(const char* path) {
  FileLook gone;
  int parent = -1;
  const int32_t error = resolver_.unlink(path, gone, parent);
  if (error != 0) return error;
  {
    std::lock_guard lock(mutex_);
    names_changed(share_directory(parent));
    name_gone(gone);
    if (unsynced_directories_.size() <= UNSYNCED_DIRECTORIES_MAX) return 0;
  }
  sync_names();  // what fails is tried again and told by sync_all
  return 0;
}

int32_t FileTable::rename(const char* from, const char* to) {
  PathResolver::Renamed renamed;
  const int32_t error = resolver_.rename(from, to, renamed);
  if (error != 0) return error;
  {
    std::lock_guard lock(mutex_);
    const DirectoryRef directory = share_directory(renamed.parent);
    names_changed(share_directory(renamed.old_parent));
    names_changed(directory);
    const FileSignature &moved = renamed.moved.signature, &gone = renamed.gone.signature;
    const bool same_file = moved.device == gone.device && moved.inode == gone.inode;  // two names of one file: rename leaves both
    if (renamed.replaced && !same_file) name_gone(renamed.gone);
    // A sync of the file makes its new name durable, as it did with the one that it was made with.
    if (FileSlot* slot = find(moved)) slot->parent = directory;
    if (unsynced_directories_.size() <= UNSYNCED_DIRECTORIES_MAX) return 0;
  }
  sync_names();
  return 0;
}

/// Takes the descriptor over. Files of one directory share it, so that many new files do not need two descriptors each.
FileTable::DirectoryRef FileTable::share_directory(int fd) {
  struct stat found{};
  if (fd < 0 || fstat(fd, &found) != 0) return std::make_shared<const Directory>(fd, root_device_);
  std::weak_ptr<const Directory>& known = directories_[{uint64_t(found.st_dev), uint64_t(found.st_ino)}];
  DirectoryRef directory = known.lock();
  auto opened = std::make_shared<const Directory>(fd, uint64_t(found.st_dev));
  if (directory != nullptr) return directory;  // and what was opened is closed again
  known = opened;
  if (directories_.size() > directories_max_) {
    std::erase_if(directories_, [](const auto& entry) { return entry.second.expired(); });
    directories_max_ = directories_.size() * 2 + 16;
  }
  return opened;
}

bool FileTable::syncfs_covers([[maybe_unused]] uint64_t device) const {
#if defined(__linux__)
  return root_ >= 0 && device == root_device_;
#else
  return false;
#endif
}

void FileTable::names_changed(const DirectoryRef& directory) {
  if (syncfs_covers(directory->device)) file_system_unsynced_ = true;
  else unsynced_directories_[directory.get()] = directory;
}

/// A file that is still open works on without a name. Once it is closed its inode may come back as another file's.
void FileTable::name_gone(const FileLook& gone) {
  FileSlot* slot = find(gone.signature);
  if (slot == nullptr) return;
  struct stat now{};
  const uint64_t links = slot->fd < 0 ? gone.links - 1 : calls().stat(slot->fd, now) == 0 ? uint64_t(now.st_nlink) : 1;
  if (links != 0) return;
  slot->nameless = true;
  if (slot->fd < 0) forget(*slot);
  else if (slot->listed) settle(*slot);
}

}  // namespace warpfs
