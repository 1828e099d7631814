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
#include <utility>

namespace warpfs {

/// When two of these are equal the bytes of the file are taken to be the same. (A change that another program makes between our last
/// own write and the moment the signature is taken cannot be told from our own.)
struct FileSignature {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t modified_seconds = 0, modified_nanoseconds = 0, changed_seconds = 0, changed_nanoseconds = 0;
  bool operator==(const FileSignature&) const = default;
};

struct FileSlot {
  // | LIVE 1 | generation 12 | users 32 |: one atomic word, so that a request that counts itself in learns with the same instruction
  // whether its handle still holds. While users > 0 the descriptor is neither closed nor given to another file.
  std::atomic<uint64_t> word{0};
  // | TRUNCATING 1 | writes under way 31 |: a truncation waits for the writes that have begun, and lets none begin.
  std::atomic<uint32_t> writes{0};
  std::atomic<uint32_t> file_id{0};      // which bytes these are; changes under the mutex of the table
  std::atomic<int> fd{-1};
  std::atomic<uint64_t> size{0};         // logical size: no write that was ever issued lies beyond it
  std::atomic<bool> unsynced{false};     // bytes were written that no successful fdatasync covers
  std::atomic<bool> changed{false};      // we wrote since the signature was taken
  std::atomic<bool> writable{false};     // the descriptor is
  std::atomic<uint8_t> io_hints{0};      // see below
  // Everything else is under the mutex of the table.
  uint32_t size_version = 0;             // under the size mutex
  uint32_t references = 0;
  uint32_t writers = 0;                  // of the references, those that may write
  bool listed = false;                   // is in the list of closed slots
  bool spare = false;                    // closed, but its descriptor stays open for sync_all
  bool kept = false;                     // closed, but the gpu still holds bytes to write back
  int parent = -1;                       // directory of a file that we created, until it was synced
  int32_t sync_error = 0;                // a sync that failed, to be told once more by sync_all
  FileSignature signature;
  std::list<uint32_t>::iterator closed_place;
};

enum FileIoHint : uint8_t { READS_BLOCK = 1, WRITES_BLOCK = 2, IN_MEMORY = 4 };  // the file system refuses RWF_NOWAIT; never blocks

/// Held by a request while it uses the descriptor.
struct FileRef {
  FileSlot* slot = nullptr;
  int fd = -1;
};

enum class WriteStart {
  NOW,    // until end_write the file is not truncated
  DEAD,   // the file has got another identity since: nobody wants these bytes
  LATER,  // a truncation is under way
};

enum class Hurry { NO, YES };  // YES: gives -EAGAIN instead of waiting for a disk or for the mutex

class FileTable {
 public:
  /// Entries that another table published before are closed. Their identities and handles are not given out again.
  FileTable(FileEntry* shared, uint32_t count, const PathResolver& resolver, bool read_only);
  ~FileTable();  // nothing may be in flight
  /// Ends the table as the end of the process would: closes the descriptors and leaves the files as they are.
  void abandon();

  /// Lock-free. slot is null unless the handle names an open (or kept) file of its generation.
  FileRef acquire(uint32_t handle);
  void release(const FileRef& file);

  int32_t open(const char* path, uint32_t mode, Hurry hurry);  // a handle
  int32_t close(uint32_t handle, bool keep, Hurry hurry);
  int32_t sync(const FileRef& file);
  int32_t sync_all();
  /// Raises the logical size and publishes it; the file itself follows with the write-backs. Returns the size.
  uint64_t extend(const FileRef& file, uint64_t end);
  /// Asked right before bytes of that identity go to the file, so that a truncation comes before the question or after the write.
  /// The size is never behind a write that was issued. Never waits for a disk.
  WriteStart begin_write(const FileRef& file, uint32_t file_id, uint64_t end);
  /// The bytes of that identity are dead, although the handle may be closed: this file, or the one in its place, has another.
  bool is_dead(uint32_t handle, uint32_t file_id) const;
  /// Each NOW ends with this: a later sync knows of the write.
  void end_write(const FileRef& file);
  /// LATER is over. Not for daemon threads: they may have to end a write that the truncation waits for.
  void wait_for_truncation(const FileRef& file);

  HostCalls& calls() const { return resolver_.calls(); }
  uint64_t host_opens() const { return host_opens_.load(std::memory_order_relaxed); }

 private:
  using Identity = std::pair<uint64_t, uint64_t>;

  uint32_t take_over();
  FileSignature signature_of(const struct stat& found) const;
  uint32_t index_of(const FileSlot& slot) const { return uint32_t(&slot - slots_.get()); }
  void publish_size(FileSlot& slot, uint64_t size);  // size mutex held
  int32_t write_out_size(FileSlot& slot);
  int32_t write_out_parent(FileSlot& slot);
  int32_t write_out_forgotten_names();
  int32_t sync_slot(FileSlot& slot, bool end_keeping);
  bool stop_writes(FileSlot& slot);  // without the mutex
  void let_writes(FileSlot& slot);
  void leave_write(FileSlot& slot);

  // All with the mutex held.
  FileSlot* find(const struct stat& found);
  FileSlot* vacant_slot();
  int32_t share(FileSlot& slot, uint32_t mode, bool truncate, std::unique_lock<std::mutex>& lock);
  int32_t refresh(FileSlot& slot, const struct stat& found);
  int32_t adopt(int fd, int parent, bool writable, const struct stat& found, FileSlot*& slot);
  int32_t truncate_to_zero(FileSlot& slot, std::unique_lock<std::mutex>& lock);  // gives the mutex up for a while
  int32_t make_empty(FileSlot& slot);
  int32_t renew(FileSlot& slot, const struct stat& found);  // and the size mutex
  void record(FileSlot& slot);
  int32_t end_writing(FileSlot& slot);
  int32_t retire(FileSlot& slot);
  void settle(FileSlot& slot);
  void drop_descriptor(FileSlot& slot);
  bool drop_spare_descriptors(size_t leave);

  FileEntry* const shared_;
  const uint32_t count_;
  const PathResolver& resolver_;
  const bool read_only_;
  std::unique_ptr<FileSlot[]> slots_;
  std::mutex mutex_;
  FinishedBell writes_bell_;             // the last write before a truncation has ended, or a truncation has
  std::mutex size_mutex_;                // inside mutex_; also held while a file is grown to its logical size
  std::map<Identity, uint32_t> by_identity_;
  std::list<uint32_t> closed_;           // closed slots that are still known, oldest first
  uint32_t used_ = 0;                    // slots that ever named a file
  uint32_t next_file_id_ = 1;            // 0 once every number was given away
  size_t spare_ = 0;                     // closed slots whose descriptor stays open for sync_all
  size_t spare_max_ = 0;
  int root_ = -1;                        // for syncfs
  uint64_t root_device_ = 0;
  bool file_system_unsynced_ = false;    // a descriptor with unsynced bytes was closed
  std::atomic<uint64_t> names_forgotten_{0};  // new files whose slot was given away before their directory was synced
  std::atomic<uint64_t> names_synced_{0};     // so many of them a sync of the file system covers
  int32_t lost_error_ = 0;               // a failed sync of a file that the table no longer knows
  std::atomic<uint64_t> host_opens_{0};
};

}  // namespace warpfs
