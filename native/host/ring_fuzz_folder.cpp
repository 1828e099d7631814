#include "ring_fuzz_folder.h"

#include "ring_fuzz_report.h"

#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace warpfs::fuzz {

namespace {

struct File {
  const char* name;
  uint32_t bytes;
};
constexpr File FILES[] = {{"a.bin", 1800}, {"b.bin", 512}, {"empty", 0}, {"sub/c.bin", 700}};
constexpr char SECRET[] = "SECRET! Nothing of this is for the gpu. SECRET!";

void write_file(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  FUZZ_CHECK(fd >= 0 && write(fd, bytes.data(), bytes.size()) == ssize_t(bytes.size()));
  close(fd);
}

std::string contents(const File& file) {
  std::string bytes(file.bytes, 0);
  for (uint32_t i = 0; i < file.bytes; i++) bytes[i] = char('a' + (i * 7 + i / 512 + file.bytes) % 26);
  return bytes;
}

}  // namespace

const std::vector<const char*> PATHS = {
    "a.bin", "b.bin", "empty", "sub/c.bin", "new", "sub/new2", "sub/../a.bin", "./b.bin", "in", "dangling", "sub", ".", "fifo", "out",
    "absolute", "up/secret", "../secret", "/etc/passwd", "loop", "a.bin/x", "missing/x", "sub//c.bin", "a.bin/", "", "..", "sub/up2/a.bin", "up/beside/x", "../beside",
    "sub/x"};

ScratchFolder::ScratchFolder() {
  const bool in_memory = access("/dev/shm", W_OK) == 0;
  char name[] = "/dev/shm/warpfs-fuzz-XXXXXX";
  char elsewhere[] = "/tmp/warpfs-fuzz-XXXXXX";
  const char* made = mkdtemp(in_memory ? name : elsewhere);
  FUZZ_CHECK(made != nullptr);
  outer_ = made;
  root_ = outer_ + "/root";
  write_file(outer_ + "/secret", SECRET);
  FUZZ_CHECK(mkdir((outer_ + "/beside").c_str(), 0755) == 0 && mkdir(root_.c_str(), 0755) == 0);
  make_root();
  outside_ = listing(outer_);
  beside_ = listing(outer_ + "/beside");
}

ScratchFolder::~ScratchFolder() { std::filesystem::remove_all(outer_); }

void ScratchFolder::make_root() {
  for (const auto& entry : std::filesystem::directory_iterator(root_)) std::filesystem::remove_all(entry.path());
  const std::string at = root_ + "/";
  FUZZ_CHECK(mkdir((at + "sub").c_str(), 0755) == 0 && mkfifo((at + "fifo").c_str(), 0644) == 0);
  const std::pair<const char*, const char*> links[] = {{"../secret", "out"}, {"/etc/passwd", "absolute"}, {"..", "up"}, {"sub/c.bin", "in"},
                                                       {"sub/new3", "dangling"}, {"loop", "loop"}, {"..", "sub/up2"}};
  for (const auto& [target, name] : links) FUZZ_CHECK(symlink(target, (at + name).c_str()) == 0);
  write_contents();
  inside_ = listing(root_);
  below_ = listing(root_ + "/sub");
}

void ScratchFolder::write_contents() const {
  for (const File& file : FILES) write_file(root_ + "/" + file.name, contents(file));
}

ScratchFolder::Listing ScratchFolder::listing(const std::string& folder) {
  Listing found;
  DIR* open = opendir(folder.c_str());
  FUZZ_CHECK(open != nullptr);
  while (const dirent* entry = readdir(open)) {
    if (std::strcmp(entry->d_name, "..") != 0) found[entry->d_name] = entry->d_ino;
  }
  closedir(open);
  return found;
}

void ScratchFolder::restore(bool contents_changed) {
  const Listing inside = listing(root_);
  if (inside != inside_ || listing(root_ + "/sub") != below_) make_root();
  else if (contents_changed) write_contents();
}

void ScratchFolder::check_outside() const {
  FUZZ_CHECK(listing(outer_) == outside_ && listing(outer_ + "/beside") == beside_);
  char bytes[sizeof SECRET + 1];
  const int fd = open((outer_ + "/secret").c_str(), O_RDONLY);
  FUZZ_CHECK(fd >= 0 && read(fd, bytes, sizeof bytes) == ssize_t(sizeof SECRET - 1) && std::memcmp(bytes, SECRET, sizeof SECRET - 1) == 0);
  close(fd);
}

void ScratchFolder::disturb(uint32_t kind, uint32_t which) {
  const char* name = FILES[which % std::size(FILES)].name;
  const std::string path = root_ + "/" + name;
  struct stat found{};
  if (std::strchr(name, '/') != nullptr && (lstat((root_ + "/sub").c_str(), &found) != 0 || !S_ISDIR(found.st_mode))) return;
  // What has come to this name by a rename may be a way out of the root, or something that blocks.
  if (kind % 5 < 3 && !is_regular(name)) return;
  switch (kind % 5) {
    case 0: (void)!truncate(path.c_str(), 100); break;
    case 1: (void)!truncate(path.c_str(), 5000); break;
    case 2: write_file(path, "somebody else"); break;
    case 3:
      write_file(path + "~", "another file");
      (void)!rename((path + "~").c_str(), path.c_str());
      break;
    case 4: unlink(path.c_str()); break;
  }
}

bool ScratchFolder::is_regular(const char* name) const {
  struct stat found{};
  return lstat((root_ + "/" + name).c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

bool ScratchFolder::is_missing(const char* name) const {
  struct stat found{};
  return lstat((root_ + "/" + name).c_str(), &found) != 0;
}

std::string ScratchFolder::bytes(const char* name, uint64_t offset, size_t count) const {
  std::string found(count, 0);
  const int fd = open((root_ + "/" + name).c_str(), O_RDONLY);
  if (fd < 0) return "";
  (void)!pread(fd, found.data(), count, off_t(offset));
  close(fd);
  return found;
}

/// All of it: an input that spelled out a few bytes would be a false alarm.
bool ScratchFolder::holds_secret(const uint8_t* bytes, size_t count) {
  return memmem(bytes, count, SECRET, sizeof SECRET - 1) != nullptr;
}

}  // namespace warpfs::fuzz
