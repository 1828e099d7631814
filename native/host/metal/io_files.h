// The files of a mount as Metal knows them. It opens by path where the daemon has a descriptor, and what a path leads to may change at any time: a handle is
// used only if it belongs to the very file of the descriptor. One engine has them, on its thread.
#pragma once
#include "../io_engine.h"  // before Foundation, which makes macros of YES and NO
#include "context.h"

#include <mutex>
#include <vector>

namespace warpfs::metal {

class IoFiles {
 public:
  IoFiles(Context& context, HostCalls& calls) : context_(context), calls_(calls) {}

  /// Of the file of a read; nil where Metal cannot read these bytes of it: it was not opened there, or it ends before.
  id<MTLIOFileHandle> find(const Transfer& read);
  /// After bytes of it have moved: the file did not end before them meanwhile.
  bool reaches(const Transfer& read, uint64_t bytes) const;
  /// Lets go of files that the mount has closed, and of identities that are no more: a handle keeps the space of a file that has no name any more.
  void drop_closed();
  /// Which files could not be opened, in words; empty: none. From any thread.
  std::string note() const;

 private:
  struct File {
    const FileSlot* slot;
    int fd;
    uint32_t file_id;
    Held<id<MTLIOFileHandle>> handle;  // none: it cannot be had
    uint64_t size;                     // that it had at least, when it was looked at last
    bool is_of(const FileSlot* slot, int fd, uint32_t file_id) const;
  };
  static constexpr size_t FILES_MAX = 64;  // each takes a descriptor of the process

  File& file_of(const Transfer& read);
  Held<id<MTLIOFileHandle>> open(int fd, std::string& why);
  bool leads_to(const std::string& path, int fd);

  Context& context_;
  HostCalls& calls_;
  std::vector<File> files_;  // the one that was opened last comes last
  mutable std::mutex note_mutex_;
  uint32_t not_opened_ = 0;
  std::string last_reason_;
};

}  // namespace warpfs::metal
