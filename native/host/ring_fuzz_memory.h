// The memory of the mount as the fuzzer sees it. The host is given addresses where nobody can reach anything; each access that it asks for
// is looked at and happens in other memory. Between two of them the gpu may change what it likes.
#pragma once
#include "mount_memory.h"
#include "ring_fuzz_oracle.h"
#include "shared_words.h"

#include <vector>

namespace warpfs::fuzz {

Geometry fuzz_geometry();

class Memory : public HostWatch {
 public:
  explicit Memory(Oracle& oracle);
  /// As after a mount whose rings have come to this position.
  void reset(uint32_t first_position);
  /// From here on the gpu behaves; what it has published stays.
  void end_scribbles() { scribbles_.clear(); }
  /// Nothing is published.
  void empty_rings();
  const HostView& of_host() const { return host_; }
  const HostView& of_gpu() const { return gpu_; }
  uint8_t* outbox(uint32_t slot) { return real_.at<uint8_t>(Binding::OUTBOXES) + uint64_t(slot) * OUTBOX_BYTES; }

  /// The gpu writes a word: anywhere in what the host reads or writes, and at once or behind so many accesses of the host.
  struct Scribble {
    uint32_t after, binding, word, value;
  };
  void scribble(const Scribble& scribble);

  /// The gpu says which bytes of a line are dirty.
  void write_mask(uint32_t mask, const std::vector<bool>& bits);

  /// It may have said that identities were given away, which a host that is started believes.
  bool gpu_wrote_files() const { return wrote_files_; }
  /// What the host has said of its files, whatever the gpu wrote over it.
  const FileEntry* published() const { return published_.data(); }

  /// Where bytes of lines are moved to or from by a system call. Aborts where no request asked for that.
  void* moved(const void* host_address, size_t count, bool into_line, uint64_t file_offset);

  uint64_t load(const void* word, uint32_t bytes, int order) override;
  void store(void* word, uint64_t value, uint32_t bytes, int order) override;
  void read_bytes(const void* from, void* to, size_t count) override;
  void write_bytes(void* to, const void* from, size_t count) override;

 private:
  struct Place {
    uint32_t binding;
    uint64_t offset;
  };
  Place place_of(const void* host_address, size_t count) const;
  uint8_t* real_of(const Place& place) { return static_cast<uint8_t*>(real_.binding(place.binding)) + place.offset; }
  void let_gpu_write();
  void write_word(const Scribble& scribble);
  void file_published(uint64_t offset, uint32_t value);

  Oracle& oracle_;
  const Geometry geometry_;
  MountMemory real_;
  uint8_t* hidden_;  // as large, and never mapped
  HostView host_, gpu_;
  std::vector<Scribble> scribbles_;
  bool wrote_files_ = false;
  std::vector<FileEntry> published_;
  std::vector<FileEntry> settled_;  // the same when the version was last even
  uint32_t last_file_id_ = 0;
  std::vector<uint32_t> ever_set_;  // bits of MASKS that were set since somebody began to read that mask
  const void* last_loaded_ = nullptr;
  uint32_t last_value_ = 0;
  int32_t last_result_ = 0;  // what the host stored; the gpu may have written over it
  uint64_t last_size_ = 0;
};

}  // namespace warpfs::fuzz
