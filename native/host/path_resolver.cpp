#include "path_resolver.h"

#include "abi_host.h"
#include "host_error.h"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

#if defined(__linux__)
#include <linux/openat2.h>
#endif

namespace warpfs {

namespace {

constexpr int LINKS_MAX = 40;  // as the kernel
constexpr int RACES_MAX = 64;  // tries to get past somebody who renames or replaces what we walk over
constexpr int OPEN_FLAGS = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
#if defined(O_PATH)
constexpr int STEP_FLAGS = O_PATH | O_DIRECTORY | O_CLOEXEC;
#else
constexpr int STEP_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

/// Owns a descriptor for the length of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(-1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void reset(int fd) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

#if defined(__linux__)
int32_t open_beneath(HostCalls& calls, int root, const char* path, uint64_t flags, uint64_t resolve) {
  for (int race = 0; race < RACES_MAX; race++) {
    const int fd = calls.open_beneath(root, path, flags, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | resolve);
    if (fd >= 0) return fd;
    const bool again = errno == EINTR || (errno == EAGAIN && resolve == 0);  // EAGAIN: a rename came between
    if (!again) return failure(errno);
  }
  return -Errno::eagain;
}
#endif

/// Puts the components of a path on a stack, the first on top.
void push_components(std::vector<std::string>& stack, const std::string& path) {
  size_t end = path.size();
  while (true) {
    const size_t slash = end == 0 ? std::string::npos : path.rfind('/', end - 1);
    const size_t start = slash == std::string::npos ? 0 : slash + 1;
    stack.push_back(path.substr(start, end - start));
    if (slash == std::string::npos) return;
    end = slash;
  }
}

bool is_nothing(const std::string& component) { return component.empty() || component == "."; }

}  // namespace

PathResolver::PathResolver(const std::string& root, Method method, HostCalls& calls)
    : calls_(calls), repeatable_(method == Method::REPEATABLE) {
  root_ = ::open(root.c_str(), STEP_FLAGS);
  if (root_ < 0) throw HostError(failure(errno), "cannot open the root '" + root + "' of the mount");
#if defined(__linux__)
  if (method != Method::WALK) {
    Descriptor probe(open_beneath(calls_, root_, ".", STEP_FLAGS, 0));
    walks_ = probe.get() < 0;  // an old kernel says ENOSYS, a sandbox says EPERM
  }
#else
  (void)method;
#endif
}

PathResolver::~PathResolver() {
  if (root_ >= 0) ::close(root_);
}

/// Walks to the last component and calls act(directory, name, must_be_directory). When that meets a symbolic link after all (ELOOP:
/// somebody put it there meanwhile), the component is looked at again.
template <typename Act>
int32_t PathResolver::walk(const std::string& path, Act&& act) const {
  if (path.empty()) return -Errno::enoent;
  if (path[0] == '/') return -Errno::exdev;
  std::vector<std::string> todo;
  std::vector<std::string> taken;  // names of the directories between the root and here, so that ".." never asks the kernel
  push_components(todo, path);
  Descriptor here(dup(root_));
  int links = 0;
  int races = 0;
  while (true) {
    if (here.get() < 0) return failure(errno);
    while (!todo.empty() && is_nothing(todo.back())) todo.pop_back();
    if (todo.empty()) return act(here.get(), ".", true);
    const std::string name = todo.back();
    todo.pop_back();

    if (name == "..") {
      if (taken.empty()) return -Errno::exdev;
      taken.pop_back();
      here.reset(dup(root_));
      for (const std::string& step : taken) {
        const int next = calls_.open_at(here.get(), step.c_str(), STEP_FLAGS | O_NOFOLLOW);
        if (next < 0) return failure(errno);
        here.reset(next);
      }
      continue;
    }

    char target[PATH_MAX];
    const ssize_t target_length = readlinkat(here.get(), name.c_str(), target, sizeof target);
    if (target_length >= 0) {
      if (++links > LINKS_MAX) return -Errno::eloop;
      if (target_length == 0) return -Errno::enoent;
      if (size_t(target_length) == sizeof target) return -Errno::enametoolong;
      if (target[0] == '/') return -Errno::exdev;
      push_components(todo, std::string(target, size_t(target_length)));
      continue;
    }
    if (errno != EINVAL && errno != ENOENT) return failure(errno);  // EINVAL: not a link; ENOENT may be a file to create

    bool last = true;
    for (const std::string& rest : todo) last = last && is_nothing(rest);
    if (last) {
      const int32_t result = act(here.get(), name.c_str(), !todo.empty());
      if (result != -Errno::eloop || ++races > RACES_MAX) return result;
      todo.push_back(name);
      continue;
    }
    const int next = calls_.open_at(here.get(), name.c_str(), STEP_FLAGS | O_NOFOLLOW);
    if (next < 0) return failure(errno);
    here.reset(next);
    taken.push_back(name);
  }
}

int32_t PathResolver::identify(const char* path, struct stat& found) const {
#if defined(__linux__)
  if (!walks_) {
    Descriptor fd(open_beneath(calls_, root_, path, O_PATH | O_CLOEXEC, 0));
    if (fd.get() < 0) return fd.get();
    return calls_.stat(fd.get(), found) == 0 ? 0 : failure(errno);
  }
#endif
  return walk(path, [&](int directory, const char* name, bool must_be_directory) -> int32_t {
    if (calls_.stat_at(directory, name, found, AT_SYMLINK_NOFOLLOW) != 0) return failure(errno);
    if (S_ISLNK(found.st_mode)) return -Errno::eloop;
    return must_be_directory && !S_ISDIR(found.st_mode) ? -Errno::enotdir : 0;
  });
}

int32_t PathResolver::identify_cached(const char* path, struct stat& found) const {
  if (repeatable_) return identify(path, found);  // as if no disk were ever in the way
#if defined(__linux__) && defined(RESOLVE_CACHED)
  if (!walks_) {
    Descriptor fd(open_beneath(calls_, root_, path, O_PATH | O_CLOEXEC, RESOLVE_CACHED));
    if (fd.get() == -Errno::einval) return -Errno::eagain;  // a kernel older than RESOLVE_CACHED
    if (fd.get() < 0) return fd.get();
    return calls_.stat(fd.get(), found) == 0 ? 0 : failure(errno);
  }
#endif
  (void)path;
  (void)found;
  return -Errno::eagain;
}

int32_t PathResolver::open(const char* path, bool writable) const {
  const int flags = (writable ? O_RDWR : O_RDONLY) | OPEN_FLAGS;
#if defined(__linux__)
  if (!walks_) return open_beneath(calls_, root_, path, uint64_t(flags), 0);
#endif
  return walk(path, [&](int directory, const char* name, bool must_be_directory) -> int32_t {
    const int fd = calls_.open_at(directory, name, flags | O_NOFOLLOW | (must_be_directory ? O_DIRECTORY : 0));
    return fd >= 0 ? fd : failure(errno);
  });
}

int32_t PathResolver::create(const char* path, int& parent) const {
  // Always walked: only so is the directory known that the new name is written to, also behind a dangling link.
  return walk(path, [&](int directory, const char* name, bool must_be_directory) -> int32_t {
    if (must_be_directory) return -Errno::eisdir;
    const int fd = calls_.open_at(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | OPEN_FLAGS, 0644);
    if (fd < 0) return failure(errno);
    parent = calls_.open_at(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd;
  });
}

int32_t PathResolver::open_root() const {
  const int fd = openat(root_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd >= 0 ? fd : failure(errno);
}

}  // namespace warpfs
