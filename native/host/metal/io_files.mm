#include "io_files.h"

#include "../file_path.h"
#include "../host_error.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>

namespace warpfs::metal {

bool IoFiles::File::is_of(const FileSlot* slot_, int fd_, uint32_t file_id_) const { return slot == slot_ && fd == fd_ && file_id == file_id_; }

id<MTLIOFileHandle> IoFiles::find(const Transfer& read) {
  File& file = file_of(read);
  const uint64_t end = read.offset + read.remaining;
  if (file.handle && file.size < end) {
    struct stat now{};
    if (calls_.stat(read.file.fd, now) == 0) file.size = uint64_t(now.st_size);
  }
  return file.size < end ? nil : file.handle.get();
}

bool IoFiles::reaches(const Transfer& read, uint64_t bytes) const {
  struct stat now{};
  return calls_.stat(read.file.fd, now) == 0 && uint64_t(now.st_size) >= read.offset + bytes;
}

IoFiles::File& IoFiles::file_of(const Transfer& read) {
  for (File& file : files_) {
    if (file.is_of(read.file.slot, read.file.fd, read.file_id)) return file;
  }
  if (files_.size() == FILES_MAX) files_.erase(files_.begin());
  std::string why;
  Held<id<MTLIOFileHandle>> handle = open(read.file.fd, why);
  if (!handle) {
    const std::lock_guard lock(note_mutex_);
    not_opened_++;
    last_reason_ = why;
  }
  return files_.emplace_back(File{read.file.slot, read.file.fd, read.file_id, std::move(handle), 0});
}

/// It may have to wait for a disk; that is once for each file.
Held<id<MTLIOFileHandle>> IoFiles::open(int fd, std::string& why) {
  const Pool pool;
  const std::string path = path_of_descriptor(fd);
  if (path.empty()) {
    why = std::string("nobody knows its path: ") + error_name(failure(errno));
    return {};
  }
  why = "what is at " + path + " is another file than the one that is open";
  if (!leads_to(path, fd)) return {};
  NSError* error = nil;
  Held<id<MTLIOFileHandle>> handle([context_.device() newIOFileHandleWithURL:[NSURL fileURLWithPath:string_of(path.c_str())] error:&error]);
  if (!handle) {
    why = "Metal does not open " + path + ": " + text_of(error);
  } else if (!leads_to(path, fd)) {  // it may not have done so a moment ago
    handle = {};
  }
  return handle;
}

bool IoFiles::leads_to(const std::string& path, int fd) {
  FileLook there, open;
  if (calls_.look_beneath(AT_FDCWD, path.c_str(), there) != 0 || calls_.look_at(fd, open) != 0) return false;
  return there.signature.device == open.signature.device && there.signature.inode == open.signature.inode;
}

void IoFiles::drop_closed() {
  std::erase_if(files_, [](const File& file) {
    return file.slot->fd.load(std::memory_order_relaxed) != file.fd || file.slot->file_id.load(std::memory_order_relaxed) != file.file_id;
  });
}

std::string IoFiles::note() const {
  const std::lock_guard lock(note_mutex_);
  return not_opened_ == 0 ? "" : std::to_string(not_opened_) + " times pread reads a file: the last because " + last_reason_;
}

}  // namespace warpfs::metal
