// The files that the mount knows: which are open, which host descriptor serves them, and which bytes their cached lines stand for.
// Requests about lines find a descriptor without a lock; opening, closing and syncing take the mutex.
#pragma once
#include "abi_host.h"
#include "answers.h"
#include "path_resolver.h"

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace warpfs {

/// A directory in which names have changed. The files that wait for it to reach the disk share it, and with it one descriptor.
struct Directory {
  Directory(int fd_, uint64_t device_) : fd(fd_), device(device_) {}
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  const int fd;  // -1: it may be written, but not opened
  const uint64_t device;
};

struct FileSlot {
  // | LIVE 1 | generation 12 | users 32 |: one atomic word, so that a request that counts itself in learns with the same instruction
  // whether its handle still holds. While users > 0, or a thread holds it, the descriptor is neither closed nor given to another file.
  std::atomic<uint64_t> word{0};
  // | TRUNCATING 1 | writes under way 31 |: a truncation waits for the writes that have begun, and lets none begin.
  std::atomic<uint32_t> writes{0};
  std::atomic<uint32_t> file_id{0};      // which bytes these are
  std::atomic<int> fd{-1};
  std::atomic<uint64_t> size{0};         // logical size: no write that was ever issued lies beyond it
  std::atomic<bool> unsynced{false};     // bytes were written that no fdatasync covers that has begun since
  std::atomic<uint32_t> syncing{0};      // syncs under way: until they end, what they cover is not on the disk either
  std::atomic<bool> changed{false};      // we wrote since the signature was taken
  std::atomic<uint32_t> left{0};         // the file_id until the last writer closed: nobody has cut its bytes off, so none of them is dropped
  std::atomic<uint32_t> cutting{0};      // the file_id of bytes that are being cut off
  std::atomic<bool> writable{false};     // the descriptor is
  std::atomic<uint8_t> io_hints{0};      // see below
  // What the gpu sees of it, under the size mutex of the slot.
  uint32_t version = 0;
  FileWindows windows;
  // Everything else is under the mutex of the table.
  uint32_t references = 0;
  uint32_t writers = 0;                  // of the references, those that may write
  bool written = false;                  // by us, since the last writer came
  bool listed = false;                   // is in the list of closed slots
  bool spare = false;                    // closed, but its descriptor stays open for sync_all
  bool kept = false;                     // closed, but the gpu still holds bytes to write back
  bool nameless = false;                 // its last name is gone: when it is closed nobody wants its bytes any more
  std::shared_ptr<const Directory> parent;  // where it was made or renamed, until that was synced
  // A write or a sync has failed: told once at a sync and once at the close of each handle that could have written.
  int32_t error = 0;
  uint32_t owed_syncs = 0;
  uint32_t owed_closes = 0;
  FileSignature signature;
  std::list<uint32_t>::iterator closed_place;
};

constexpr uint32_t FILE_HOLDS_MAX = 64;  // daemon threads

enum FileIoHint : uint8_t { READS_BLOCK = 1, WRITES_BLOCK = 2, IN_MEMORY = 4 };  // the file system refuses RWF_NOWAIT; never blocks

/// Where one daemon thread says which file it uses right now. Counting themselves in and out of one word, threads that serve the same file
/// would wait for each other more than they work.
struct alignas(128) FileHold {
  ~FileHold();
  std::atomic<FileSlot*> slot{nullptr};
  std::atomic<uint64_t> own{0};  // a descriptor for this thread alone, and of which slot; to read
  // The thread alone looks here.
  uint32_t wanted = 0, uses = 0;
};

/// Held by a request while it uses the descriptor: counted in its slot, or by the thread's own hold.
struct FileRef {
  FileSlot* slot = nullptr;
  int fd = -1;
  int read_fd = -1;  // the same file, to read
  FileHold* hold = nullptr;
};

enum class WriteStart {
  NOW,    // until end_write the file is not truncated
  DEAD,   // the file has got another identity since: nobody wants these bytes
  LEFT,   // its writers have closed it: whoever writes all the same is told so
  LATER,  // a truncation is under way
};

enum class Hurry { NO, YES };  // YES: gives -EAGAIN instead of waiting for a disk or for the mutex

inline bool lock(std::unique_lock<std::mutex>& mutex, Hurry hurry) {
  if (hurry == Hurry::YES) return mutex.try_lock();
  mutex.lock();
  return true;
}

/// What the gpu asks for behind a write-back of its own that failed: that error was told with the line.
enum class Told { NO, YES };

class FileTable {
 public:
  /// Entries that another table published before are closed. Their identities and handles are not given out again.
  FileTable(const HostView& view, uint32_t count, const PathResolver& resolver, bool read_only);
  ~FileTable();  // nothing may be in flight
  /// Ends the table as the end of the process would: closes the descriptors and leaves the files as they are.
  void abandon();

  /// For one thread, as long as the table lives.
  FileHold& new_hold();
  /// Lock-free. slot is null unless the handle names an open (or kept) file of its generation. `hold`: of the calling thread, or null.
  FileRef acquire(uint32_t handle, FileHold* hold = nullptr);
  void release(const FileRef& file);
  /// For a request that goes on elsewhere: from here on it is counted.
  void count_in(FileRef& file);

  /// flags: OPEN_WRITE and what follows it. The file is not emptied here, whatever they say. A handle.
  int32_t open(const char* path, uint32_t flags, Hurry hurry);
  /// The handle is closed, whatever it answers. keep: the gpu still holds bytes whose write-back failed, and has told so.
  int32_t close(uint32_t handle, bool keep, Hurry hurry);
  int32_t sync_file(const FileRef& file);
  /// For each who has asked for a sync: what to answer, where the sync that it was served by came to `error`.
  int32_t end_sync(const FileRef& file, Told told, int32_t error);
  int32_t sync_all();
  int32_t unlink(const char* path);
  int32_t rename(const char* from, const char* to);

  /// Raises the logical size and publishes it; the file itself follows with the write-backs. Returns the size.
  uint64_t extend(const FileRef& file, uint64_t end);
  /// To a smaller size: no write of before lands behind it, and the bytes get another identity. To a larger one: as extend. May wait.
  int32_t truncate(const FileRef& file, uint64_t size);
  /// Asked right before bytes of that identity go to the file, so that a truncation comes before the question or after the write.
  /// The size is never behind a write that was issued. Never waits for a disk.
  WriteStart begin_write(const FileRef& file, uint32_t file_id, uint64_t end);
  /// Each NOW ends with this: a later sync knows of the write.
  void end_write(const FileRef& file);
  /// Bytes of the gpu did not reach the file. Before anybody is told of it.
  void write_failed(const FileRef& file, int32_t error);
  /// The bytes of that identity are dead, although the handle may be closed: this file, or the one in its place, has another.
  bool is_dead(uint32_t handle, uint32_t file_id) const;
  /// What is in the file now are the bytes of that identity.
  bool is_current(const FileRef& file, uint32_t file_id) const;
  /// LATER is over. Not for daemon threads: they may have to end a write that the truncation waits for.
  void wait_for_truncation(const FileRef& file);

  /// The gpu may read the file in that slot there, open or closed, as long as it has that identity: false where it has not.
  /// Who grants less than before waits until that is told (GpuLink::wait_until_told), and only then does what it was for.
  bool grant(uint32_t index, uint32_t file_id, const FileWindows& windows);

  HostCalls& calls() const { return resolver_.calls(); }
  uint64_t host_opens() const { return host_opens_.load(std::memory_order_relaxed); }

 private:
  using Identity = std::pair<uint64_t, uint64_t>;
  using DirectoryRef = std::shared_ptr<const Directory>;
  static constexpr size_t OPENING_MUTEXES = 64;
  static constexpr size_t PATHS_REMEMBERED = 256;
  static constexpr size_t SIZE_MUTEXES = 64;  // a file that takes long to be cut off holds up few others

  uint32_t take_over();
  bool is_open(uint32_t index) const;
  bool is_used(const FileSlot& slot) const;
  void end_use(FileSlot& slot);
  int own_descriptor(FileHold& hold, uint32_t index, int fd);
  void drop_own_descriptors(const FileSlot& slot);
  std::optional<int32_t> share_open(const FileLook& found, bool write, Hurry hurry);
  int32_t open_on_host(const char* path, uint32_t flags, bool there, Hurry hurry);
  uint32_t index_of(const FileSlot& slot) const { return uint32_t(&slot - slots_.get()); }
  std::mutex& size_mutex(const FileSlot& slot) { return size_mutexes_[index_of(slot) % SIZE_MUTEXES]; }
  FileSignature seen(const FileLook& look) const;              // what counts of it
  FileSignature signature_of(const FileLook& look, int fd) const;  // to be compared with later looks

  void publish_handle(uint32_t index, uint32_t handle);
  void tell_gpu(uint32_t index) {
    if (link_ != nullptr) link_->file_changed(index);
  }

  // All with the size mutex of the slot held.
  void publish(FileSlot& slot, uint32_t file_id, uint64_t size);
  void revoke(FileSlot& slot);
  int32_t note_stores(FileSlot& slot);
  int32_t cut_off(FileSlot& slot, uint64_t size, uint32_t next_file_id);

  bool stop_writes(FileSlot& slot);  // without the mutex
  void let_writes(FileSlot& slot);
  void leave_write(FileSlot& slot);
  int32_t write_out_size(FileSlot& slot);
  int32_t grow(FileSlot& slot, uint64_t size);
  int32_t grow_to(FileSlot& slot, uint64_t size);  // size mutex held
  int32_t write_out_parent(FileSlot& slot);
  int32_t sync_slot(FileSlot& slot);
  int32_t sync_names();

  // All with the mutex held.
  FileSlot* find(const FileSignature& found);
  FileSlot* vacant_slot();
  uint32_t take_file_id();
  int32_t share(FileSlot& slot, bool write);
  int32_t refresh(FileSlot& slot, const FileLook& found, int fd);
  int32_t adopt(int fd, const DirectoryRef& made_in, bool writable, const FileLook& found, FileSlot*& slot);
  int32_t renew(FileSlot& slot, const FileLook& found, int fd);
  void record(FileSlot& slot);
  int32_t end_writing(FileSlot& slot);
  int32_t retire(FileSlot& slot);
  void settle(FileSlot& slot);
  void forget(const FileSlot& slot);
  void drop_descriptor(FileSlot& slot);
  bool drop_spare_descriptors(size_t leave);
  DirectoryRef share_directory(int fd);
  int32_t sync_data(int fd);
  int32_t sync_directory(const Directory& directory, int fd);
  int32_t write_out_forgotten_names();
  bool syncfs_covers(uint64_t device) const;
  void names_changed(const DirectoryRef& directory);
  void name_gone(const FileLook& gone);
  void owe(FileSlot& slot, int32_t error);
  int32_t owed_sync(FileSlot& slot);
  int32_t owed_close(FileSlot& slot);

  FileEntry* const shared_;
  GpuLink* const link_;
  const uint32_t count_;
  const PathResolver& resolver_;
  const bool read_only_;
  std::unique_ptr<FileSlot[]> slots_;
  FileHold holds_[FILE_HOLDS_MAX];
  std::atomic<uint32_t> hold_count_{0};
  std::atomic<uint32_t> led_to_[PATHS_REMEMBERED] = {};  // by path: the slot of the file that was opened last. A hint, no more
  std::mutex opening_mutexes_[OPENING_MUTEXES];  // by path, outside mutex_: held while it is opened on the host
  std::mutex mutex_;
  FinishedBell writes_bell_;             // the last write before a truncation has ended, or a truncation has
  std::mutex size_mutexes_[SIZE_MUTEXES];  // inside mutex_; also held while a file is grown to its logical size
  std::map<Identity, uint32_t> by_identity_;
  std::list<uint32_t> closed_;           // closed slots that are still known, oldest first
  uint32_t used_ = 0;                    // slots that ever named a file
  uint32_t next_file_id_ = 1;            // 0 once every number was given away
  size_t spare_ = 0;                     // closed slots whose descriptor stays open for sync_all
  size_t spare_max_ = 0;
  std::atomic<uint64_t> names_forgotten_{0};  // new names whose slot was given away before their directory was synced
  std::atomic<uint64_t> names_synced_{0};     // so many of them a sync of the file system covers
  int root_ = -1;                        // for syncfs
  uint64_t root_device_ = 0;
  bool opens_from_memory_ = false;       // so do files on the device of the root
  std::map<Identity, std::weak_ptr<const Directory>> directories_;  // those that something waits for, and some that nothing does
  size_t directories_max_ = 16;          // then the latter are looked for
  std::map<const Directory*, DirectoryRef> unsynced_directories_;   // names have changed there, and syncfs does not reach them
  bool file_system_unsynced_ = false;    // names have changed, or a descriptor with unsynced bytes was closed
  int32_t owed_mount_ = 0;               // the first failure that sync_all has not told yet
  std::atomic<uint64_t> host_opens_{0};
};

}  // namespace warpfs
