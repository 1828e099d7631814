#include "file_table.h"

#include "assert.h"
#include "file_word.h"
#include "host_error.h"
#include "shared_words.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

namespace warpfs {

namespace {

constexpr uint32_t NO_HANDLE = 0xffffffffu;

uint8_t first_hints(int fd) {
#if defined(__linux__)
  struct statfs system;
  if (fstatfs(fd, &system) == 0 && (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC)) return IN_MEMORY;
#else
  (void)fd;
#endif
  return 0;
}

/// On these file systems the open of a regular file whose path the kernel knows asks no server and no disk.
bool opens_from_memory(int fd) {
#if defined(__linux__)
  constexpr uint32_t EXT4 = 0xef53, XFS = 0x58465342, BTRFS = 0x9123683e;
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return false;
  const uint32_t type = uint32_t(system.f_type);
  return type == EXT4 || type == XFS || type == BTRFS || type == TMPFS_MAGIC;
#else
  (void)fd;
  return false;
#endif
}

/// Puts the new descriptor behind the old number. Requests that use the number meanwhile go on with the one or the other.
bool replace_descriptor(int with, int number) {
#if defined(__linux__)
  return dup3(with, number, O_CLOEXEC) >= 0;
#else
  return dup2(with, number) >= 0 && fcntl(number, F_SETFD, FD_CLOEXEC) == 0;
#endif
}

}  // namespace

FileTable::FileTable(const HostView& view, uint32_t count, const PathResolver& resolver, bool read_only)
    : shared_(view.files), link_(view.link), count_(count), resolver_(resolver), read_only_(read_only), slots_(new FileSlot[count]) {
  WARPFS_ASSERT(count <= 1u << HANDLE_INDEX_BITS);
  const uint32_t last_file_id = take_over();
  next_file_id_ = last_file_id + 1;
  // Each new generation of a slot came with a new identity, so no handle of before has a generation that is as high.
  const uint64_t generation = (uint64_t(last_file_id) << GENERATION_SHIFT) & GENERATION_MASK;
  for (uint32_t index = 0; generation != 0 && index < count; index++) slots_[index].word.store(generation, std::memory_order_relaxed);
  rlimit limit{};
  const uint64_t descriptors = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 256;
  spare_max_ = descriptors / 4 < 16 ? 16 : descriptors / 4 > 4096 ? 4096 : size_t(descriptors / 4);
  root_ = resolver_.open_root();
  struct stat root{};
  if (root_ >= 0 && fstat(root_, &root) == 0) root_device_ = uint64_t(root.st_dev);
  opens_from_memory_ = root_ >= 0 && opens_from_memory(root_);
}

/// Lines of files that another table knew may still be in the cache: the highest of their identities, 0 without such a table. Whoever
/// reads an entry meanwhile sees its version go on.
uint32_t FileTable::take_over() {
  uint32_t last_file_id = 0;
  for (uint32_t index = 0; index < count_; index++) {
    FileEntry& entry = shared_[index];
    const uint32_t file_id = load_relaxed(&entry.file_id);
    if (file_id > last_file_id) last_file_id = file_id;
    slots_[index].version = (load_relaxed(&entry.version) + 1) & ~1u;
    store_relaxed(&entry.handle, NO_HANDLE);
  }
  return last_file_id;
}

void FileTable::abandon() {
  for (uint32_t index = 0; index < used_; index++) {
    FileSlot& slot = slots_[index];
    if (slot.fd >= 0) ::close(slot.fd);
    slot.fd = -1;
    slot.parent.reset();
  }
}

FileTable::~FileTable() {
  for (uint32_t index = 0; index < used_; index++) {
    FileSlot& slot = slots_[index];
    if (slot.fd < 0) continue;
    write_out_size(slot);
    ::close(slot.fd);
  }
  if (root_ >= 0) ::close(root_);
}

bool FileTable::is_open(uint32_t index) const { return (slots_[index].word.load(std::memory_order_relaxed) & LIVE) != 0; }

int32_t FileTable::close(uint32_t handle, bool keep, Hurry hurry) {
  const uint32_t index = handle_index(handle);
  if (handle >> (HANDLE_BITS + 1) != 0 || index >= count_) return -Errno::ebadf;
  std::unique_lock table(mutex_, std::defer_lock);
  if (!lock(table, hurry)) return -Errno::eagain;
  FileSlot& slot = slots_[index];
  if ((slot.word.load(std::memory_order_relaxed) & ~USERS) != live_word_of(handle) || slot.references == 0) return -Errno::ebadf;
  slot.kept = slot.kept || keep;
  slot.references--;
  const bool writer = (handle & HANDLE_WRITABLE) != 0 && slot.writers > 0;
  const bool last_writer = writer && slot.writers == 1;
  if (writer) slot.writers--;
  const int32_t owed = writer ? owed_close(slot) : 0;
  if (slot.writers > slot.references) slot.writers = slot.references;  // only if the gpu lied about which handle it closes
  int32_t error = 0;
  if (!slot.kept) error = slot.references == 0 ? retire(slot) : last_writer ? end_writing(slot) : 0;
  if (error == 0 && !keep) error = owed;
  return error == -Errno::eagain ? -Errno::eio : error;  // it is closed: nobody is to try again
}

FileSlot* FileTable::find(const FileSignature& found) {
  const auto place = by_identity_.find({found.device, found.inode});
  return place == by_identity_.end() ? nullptr : &slots_[place->second];
}

/// A slot that names no file: one that never did, or else the one closed longest ago.
FileSlot* FileTable::vacant_slot() {
  if (used_ < count_) return &slots_[used_++];
  for (const uint32_t index : closed_) {
    FileSlot& slot = slots_[index];
    if (is_used(slot)) continue;
    const uint64_t word = slot.word.load(std::memory_order_acquire);
    drop_descriptor(slot);
    closed_.erase(slot.closed_place);
    slot.listed = false;
    forget(slot);
    slot.nameless = false;
    slot.parent.reset();
    slot.error = 0;
    slot.owed_syncs = slot.owed_closes = 0;
    // Only the generation moves; a request with an old handle may count itself in and out of the same word meanwhile.
    const uint64_t wraps = (word & GENERATION_MASK) == GENERATION_MASK ? GENERATION_MASK : 0;
    if (wraps != 0) slot.word.fetch_sub(wraps, std::memory_order_acq_rel);
    else slot.word.fetch_add(GENERATION_ONE, std::memory_order_acq_rel);
    return &slot;
  }
  return nullptr;
}

/// The next file with this inode is another one.
void FileTable::forget(const FileSlot& slot) {
  const auto place = by_identity_.find({slot.signature.device, slot.signature.inode});
  if (place != by_identity_.end() && place->second == index_of(slot)) by_identity_.erase(place);
}

FileSignature FileTable::seen(const FileLook& look) const {
  FileSignature signature = look.signature;
  if (resolver_.is_repeatable()) signature.modified = signature.changed = signature.born = {};
  return signature;
}

FileSignature FileTable::signature_of(const FileLook& look, int fd) const {
  FileSignature signature = seen(look);
  if (!resolver_.is_repeatable()) signature.young = is_young(signature, fd, resolver_.times());
  return signature;
}

/// Close-to-open: what others changed while we had no writer is seen by whoever opens now, and the old lines are dead.
int32_t FileTable::refresh(FileSlot& slot, const FileLook& found, int fd) {
  const bool may_hold_our_bytes = slot.kept || slot.writers > 0;
  if (may_hold_our_bytes || seen(found) == slot.signature) return 0;
  // A writer of ours may have written and closed since that look, and its size is not to be taken back.
  FileLook now;
  if (const int32_t error = look_at(fd, now)) return error;
  return seen(now) == slot.signature ? 0 : renew(slot, now, fd);
}

int32_t FileTable::adopt(int fd, const DirectoryRef& made_in, bool writable, const FileLook& found, FileSlot*& slot) {
  slot = find(found.signature);
  const bool known = slot != nullptr;
  if (!known) slot = vacant_slot();
  int32_t error = -Errno::enfile;
  if (known) {
    error = refresh(*slot, found, fd);
  } else if (slot != nullptr) {
    error = renew(*slot, found, fd);
    if (error == 0) by_identity_[{slot->signature.device, slot->signature.inode}] = index_of(*slot);
  }
  if (error == 0 && made_in != nullptr) {
    slot->parent = made_in;
    slot->unsynced = true;
  }
  if (error == 0 && slot->fd < 0) {
    slot->io_hints = first_hints(fd);
    slot->writable = writable;
    slot->fd.store(fd, std::memory_order_relaxed);
    return 0;
  }
  if (error == 0 && writable && !slot->writable) {
    if (replace_descriptor(fd, slot->fd)) slot->writable = true;
    else error = failure(errno);
  }
  ::close(fd);
  return error;
}

/// Gives the bytes of the file a new identity: no line cached so far belongs to it any more.
int32_t FileTable::renew(FileSlot& slot, const FileLook& found, int fd) {
  const uint32_t file_id = take_file_id();
  if (file_id == 0) return -Errno::enfile;
  slot.signature = signature_of(found, fd);
  slot.changed = false;
  std::lock_guard lock(size_mutex(slot));
  publish(slot, file_id, found.signature.size);
  return 0;
}

/// 0 where every number was given away.
uint32_t FileTable::take_file_id() { return next_file_id_ == 0 ? 0 : next_file_id_++; }

int32_t FileTable::share(FileSlot& slot, bool write) {
  const uint32_t index = index_of(slot);
  slot.references++;
  if (write) {
    // Closes and syncs do not say whose they are: with one report more the newcomer takes nobody's.
    if (slot.writers > 0 && slot.owed_closes > 0) slot.owed_closes++;
    if (slot.writers > 0 && slot.owed_syncs > 0) slot.owed_syncs++;
    slot.writers++;
  }
  if (slot.listed) closed_.erase(slot.closed_place);
  slot.listed = false;
  if (slot.spare) spare_--;
  slot.spare = false;
  // From here on requests find the descriptor; it was stored before.
  const uint64_t word = slot.word.fetch_or(LIVE, std::memory_order_acq_rel);
  const uint32_t handle = index | uint32_t((word & GENERATION_MASK) >> GENERATION_SHIFT) << HANDLE_INDEX_BITS;
  publish_handle(index, handle);
  return int32_t(handle | (write ? uint32_t(HANDLE_WRITABLE) : 0u));
}

void FileTable::publish_handle(uint32_t index, uint32_t handle) {
  if (load_relaxed(&shared_[index].handle) == handle) return;
  store_release(&shared_[index].handle, handle);
  tell_gpu(index);
}

/// The last reference is gone. The slot still knows the file, so that its lines are valid again if it is opened unchanged.
int32_t FileTable::retire(FileSlot& slot) {
  const int32_t error = end_writing(slot);
  publish_handle(index_of(slot), NO_HANDLE);
  slot.word.fetch_and(~LIVE, std::memory_order_seq_cst);
  slot.closed_place = closed_.insert(closed_.end(), index_of(slot));
  slot.listed = true;
  settle(slot);
  return error;
}

/// Decides about the descriptor of a closed slot: closed, kept for sync_all, or left to the last request that still uses it.
void FileTable::settle(FileSlot& slot) {
  if (is_open(index_of(slot)) || is_used(slot) || slot.fd < 0) return;
  if (slot.nameless || (!slot.unsynced && slot.parent == nullptr)) {
    drop_descriptor(slot);
  } else if (!slot.spare) {
    slot.spare = true;
    if (++spare_ > spare_max_) drop_spare_descriptors(spare_max_ / 2);
  }
}

}  // namespace warpfs
