// The folder that the fuzzed host serves, and what lies around it: made once, put back after each input, and looked at for what nobody may
// have done.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace warpfs::fuzz {

extern const std::vector<const char*> PATHS;  // that inputs can name with one byte

class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& root() const { return root_; }
  /// As the host found it at first. Files are only written where `contents_changed`, or where names or inodes differ.
  void restore(bool contents_changed);
  /// Aborts where anything beside the root is not as it was.
  void check_outside() const;
  /// Somebody else changes a file of the root: cuts it, lets it grow, writes, replaces or removes it.
  void disturb(uint32_t kind, uint32_t which);
  /// The bytes of a file of the root from an offset on, as any program would read them.
  std::string bytes(const char* name, uint64_t offset, size_t count) const;
  /// At this very place: names may have been moved.
  bool is_regular(const char* name) const;
  bool is_missing(const char* name) const;
  /// Of nothing inside the root.
  static bool holds_secret(const uint8_t* bytes, size_t count);

 private:
  using Listing = std::map<std::string, uint64_t>;  // names and inodes
  void make_root();
  void write_contents() const;
  static Listing listing(const std::string& folder);

  std::string outer_, root_;
  Listing outside_, beside_, inside_, below_;
};

}  // namespace warpfs::fuzz
