// Opening: a file that is open already is shared, another one is opened on the host.
#include "file_table.h"

#include "host_error.h"

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace warpfs {

namespace {

constexpr int OPEN_ATTEMPTS = 16;  // somebody may create and remove the file while we look
constexpr int32_t RACED = INT32_MIN;  // somebody just did: to be looked at again

int32_t refused_kind(const FileLook& found) {
  if (S_ISDIR(found.mode)) return -Errno::eisdir;
  return S_ISREG(found.mode) ? 0 : -Errno::eopnotsupp;
}

int32_t remember(std::atomic<uint32_t>& led_to, int32_t handle) {
  if (handle >= 0) led_to.store(handle_index(uint32_t(handle)), std::memory_order_relaxed);
  return handle;
}

}  // namespace

int32_t FileTable::open(const char* path, uint32_t flags, Hurry hurry) {
  const bool write = (flags & OPEN_WRITE) != 0;
  const bool exclusive = (flags & OPEN_EXCLUSIVE) != 0;
  if (write && read_only_) return -Errno::erofs;
  const size_t hash = std::hash<std::string_view>()(path);
  std::atomic<uint32_t>& led_to = led_to_[hash % PATHS_REMEMBERED];
  std::unique_lock opening(opening_mutexes_[hash % OPENING_MUTEXES], std::defer_lock);
  bool dropped_spares = false;
  for (int attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
    FileLook found;
    int32_t known = -Errno::enoent;
    if (!exclusive && hurry == Hurry::NO) known = resolver_.identify(path, found);
    else if (!exclusive) known = resolver_.identify_cached(path, found, is_open(led_to.load(std::memory_order_relaxed)));
    if (known == 0) known = refused_kind(found);
    if (known != 0 && hurry == Hurry::YES) return -Errno::eagain;
    if (known != 0 && (known != -Errno::enoent || (flags & OPEN_CREATE) == 0)) return known;
    while (true) {
      if (known == 0) {
        if (const auto handle = share_open(found, write, hurry)) return remember(led_to, *handle);
      }
      if (opening.owns_lock()) break;
      // Opens of one path are one open on the host: whoever was at it has put the file into the table by then.
      if (!lock(opening, hurry)) return -Errno::eagain;
    }
    const int32_t handle = open_on_host(path, flags, known == 0, hurry);
    if (handle == RACED) continue;
    if (handle == -Errno::enfile && !dropped_spares) {
      std::lock_guard guard(mutex_);
      dropped_spares = true;
      if (drop_spare_descriptors(0)) continue;
    }
    return remember(led_to, handle);
  }
  return -Errno::eagain;
}

/// A handle of a file that is open on the host already, and for writing where that is asked for.
std::optional<int32_t> FileTable::share_open(const FileLook& found, bool write, Hurry hurry) {
  std::unique_lock table(mutex_, std::defer_lock);
  if (!lock(table, hurry)) return -Errno::eagain;
  FileSlot* slot = find(found.signature);
  if (slot != nullptr && slot->fd >= 0 && (!write || slot->writable)) {
    const int32_t error = refresh(*slot, found, slot->fd);
    return error != 0 ? error : share(*slot, write);
  }
  // A slot that has to be taken from another file may have bytes to sync.
  const bool at_once = opens_from_memory_ && found.signature.device == root_device_ && (slot != nullptr || used_ < count_);
  if (hurry == Hurry::YES && !at_once) return -Errno::eagain;
  return std::nullopt;
}

/// `there`: a moment ago the path led to a file; otherwise one is made. A handle, or -errno, or RACED.
int32_t FileTable::open_on_host(const char* path, uint32_t flags, bool there, Hurry hurry) {
  const bool write = (flags & OPEN_WRITE) != 0;
  const bool exclusive = (flags & OPEN_EXCLUSIVE) != 0;
  int parent = -1;
  int32_t fd;
  if (!there) fd = resolver_.create(path, exclusive, parent);
  else fd = hurry == Hurry::YES ? resolver_.open_cached(path, write) : resolver_.open(path, write);
  if (hurry == Hurry::YES && fd < 0) return -Errno::eagain;  // the same without hurry finds out why
  const bool raced = there ? fd == -Errno::enoent && (flags & OPEN_CREATE) != 0 : fd == -Errno::eexist && !exclusive;
  if (raced) return RACED;
  if (fd < 0) return fd;
  // What was opened counts, not what was there a moment ago.
  FileLook found;
  int32_t error = calls().look_at(fd, found);
  if (error == 0) error = refused_kind(found);
  std::unique_lock table(mutex_, std::defer_lock);
  if (!lock(table, hurry) || (hurry == Hurry::YES && find(found.signature) == nullptr && used_ == count_)) {
    ::close(fd);
    return -Errno::eagain;
  }
  host_opens_.fetch_add(1, std::memory_order_relaxed);
  const DirectoryRef directory = there ? nullptr : share_directory(parent);
  if (error != 0) {
    ::close(fd);
    return error;
  }
  FileSlot* slot = nullptr;
  error = adopt(fd, directory, write, found, slot);
  return error != 0 ? error : share(*slot, write);
}

}  // namespace warpfs
