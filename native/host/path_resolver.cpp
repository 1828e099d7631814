#include "path_resolver.h"

#include "abi_host.h"
#include "host_error.h"

#include <cerrno>
#include <cstring>
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

/// What a path names through "." or ".." at its end can be neither moved nor replaced.
bool ends_in_dot(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = end == std::string::npos ? end : path.rfind('/', end);
  const std::string last = end == std::string::npos ? "" : path.substr(slash + 1, end - slash);
  return last == "." || last == "..";
}

/// The directory as something to sync. One that may not be read is none: then the whole file system is synced in its place.
int32_t open_to_sync(HostCalls& calls, int directory, int& parent) {
  parent = calls.open_at(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return parent >= 0 || errno == EACCES ? 0 : failure(errno);
}

void close_again(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

/// The error of the call before.
int32_t failure_without(int& parent) {
  const int32_t error = failure(errno);
  close_again(parent);
  return error;
}

}  // namespace

PathResolver::PathResolver(const std::string& root, Method method, HostCalls& calls) : method_(method), calls_(calls) {
  root_ = ::open(root.c_str(), STEP_FLAGS);
  if (root_ < 0) throw HostError(failure(errno), "cannot open the root '" + root + "' of the mount");
#if defined(__linux__)
  if (method_ != Method::WALK) {
    Descriptor probe(open_beneath(calls_, root_, ".", STEP_FLAGS, 0));
    walks_ = probe.get() < 0;  // an old kernel says ENOSYS, a sandbox says EPERM
  }
#endif
}

PathResolver::~PathResolver() {
  if (root_ >= 0) ::close(root_);
}

/// Walks to the last component and calls act(directory, name, must_be_directory). Where links are followed and it meets one after all
/// (ELOOP: somebody put it there meanwhile), the component is looked at again.
template <typename Act>
int32_t PathResolver::walk(const std::string& path, Last mode, Act&& act) const {
  if (path.empty()) return -Errno::enoent;
  if (path[0] == '/') return -Errno::exdev;
  std::vector<std::string> todo;
  std::vector<std::string> taken;  // names of the directories between the root and here, so that ".." never asks the kernel
  push_components(todo, path);
  const auto start = [this] { return fcntl(root_, F_DUPFD_CLOEXEC, 0); };
  Descriptor here(start());
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
      here.reset(start());
      for (const std::string& step : taken) {
        const int next = calls_.open_at(here.get(), step.c_str(), STEP_FLAGS | O_NOFOLLOW);
        if (next < 0) return failure(errno);
        here.reset(next);
      }
      continue;
    }

    bool last = true;
    for (const std::string& rest : todo) last = last && is_nothing(rest);
    if (last && mode == Last::KEEP) return act(here.get(), name.c_str(), !todo.empty());

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

int32_t PathResolver::identify(const char* path, FileLook& found) const {
#if defined(__linux__)
  if (!walks_) {
    Descriptor fd(open_beneath(calls_, root_, path, O_PATH | O_CLOEXEC, 0));
    return fd.get() < 0 ? fd.get() : calls_.look_at(fd.get(), found);
  }
#endif
  return walk(path, Last::FOLLOW, [&](int directory, const char* name, bool must_be_directory) -> int32_t {
    if (const int32_t error = calls_.look_beneath(directory, name, found)) return error;
    if (S_ISLNK(found.mode)) return -Errno::eloop;
    return must_be_directory && !S_ISDIR(found.mode) ? -Errno::enotdir : 0;
  });
}

int32_t PathResolver::identify_cached(const char* path, FileLook& found, bool is_open) const {
  if (is_repeatable()) return identify(path, found);  // as if no disk were ever in the way
#if defined(__linux__) && defined(RESOLVE_CACHED)
  if (!walks_) {
    // One name that is no link cannot leave the root: it is looked at with one call and not with three.
    const bool one_name = std::strchr(path, '/') == nullptr && std::strcmp(path, "..") != 0;
    if (is_open && one_name && calls_.look_beneath(root_, path, found) == 0 && !S_ISLNK(found.mode)) return 0;
    Descriptor fd(open_beneath(calls_, root_, path, O_PATH | O_CLOEXEC, RESOLVE_CACHED));
    if (fd.get() == -Errno::einval) return -Errno::eagain;  // a kernel older than RESOLVE_CACHED
    return fd.get() < 0 ? fd.get() : calls_.look_at(fd.get(), found);
  }
#endif
  (void)path;
  (void)found;
  (void)is_open;
  return -Errno::eagain;
}

int32_t PathResolver::open_cached(const char* path, bool writable) const {
#if defined(__linux__) && defined(RESOLVE_CACHED)
  const int flags = (writable ? O_RDWR : O_RDONLY) | OPEN_FLAGS;
  if (!walks_ && !is_repeatable()) return open_beneath(calls_, root_, path, uint64_t(flags), RESOLVE_CACHED);
#endif
  (void)path;
  (void)writable;
  return -Errno::eagain;
}

int32_t PathResolver::open(const char* path, bool writable) const {
  const int flags = (writable ? O_RDWR : O_RDONLY) | OPEN_FLAGS;
#if defined(__linux__)
  if (!walks_) return open_beneath(calls_, root_, path, uint64_t(flags), 0);
#endif
  return walk(path, Last::FOLLOW, [&](int directory, const char* name, bool must_be_directory) -> int32_t {
    const int fd = calls_.open_at(directory, name, flags | O_NOFOLLOW | (must_be_directory ? O_DIRECTORY : 0));
    return fd >= 0 ? fd : failure(errno);
  });
}

int32_t PathResolver::create(const char* path, bool exclusive, int& parent) const {
  // Always walked: only so is the directory known that the new name is written to, also behind a dangling link.
  return walk(path, exclusive ? Last::KEEP : Last::FOLLOW, [&](int directory, const char* name, bool must_be_directory) -> int32_t {
    if (must_be_directory) return -Errno::eisdir;
    if (const int32_t error = open_to_sync(calls_, directory, parent)) return error;  // first: no file is left where this fails
    const int fd = calls_.open_at(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | OPEN_FLAGS, 0644);
    return fd >= 0 ? fd : failure_without(parent);
  });
}

int32_t PathResolver::unlink(const char* path, FileLook& gone, int& parent) const {
  return walk(path, Last::KEEP, [&](int directory, const char* name, bool must_be_directory) -> int32_t {
    if (const int32_t error = calls_.look_beneath(directory, name, gone)) return error;
    if (S_ISDIR(gone.mode)) return -Errno::eisdir;  // which some systems call EPERM
    if (must_be_directory) return -Errno::enotdir;
    if (const int32_t error = open_to_sync(calls_, directory, parent)) return error;
    return calls_.unlink_at(directory, name) == 0 ? 0 : failure_without(parent);
  });
}

int32_t PathResolver::rename(const char* from, const char* to, Renamed& renamed) const {
  const auto move = [&](int old_directory, const char* old_name, int directory, const char* name, bool must_be_directory) -> int32_t {
    if (const int32_t error = calls_.look_beneath(old_directory, old_name, renamed.moved)) return error;
    if (must_be_directory && !S_ISDIR(renamed.moved.mode)) return -Errno::enotdir;
    // What has no name in the directory that was walked to: the root, and what "." and ".." stand for.
    if (ends_in_dot(from) || ends_in_dot(to) || is_nothing(old_name) || is_nothing(name)) return -Errno::ebusy;
    const int32_t looked = calls_.look_beneath(directory, name, renamed.gone);
    if (looked != 0 && looked != -Errno::enoent) return looked;
    renamed.replaced = looked == 0;
    if (const int32_t error = open_to_sync(calls_, old_directory, renamed.old_parent)) return error;
    int32_t error = open_to_sync(calls_, directory, renamed.parent);
    if (error == 0 && calls_.rename_at(old_directory, old_name, directory, name) != 0) {
      error = errno == EEXIST ? -Errno::enotempty : failure(errno);  // the standard allows either for a full directory
    }
    if (error != 0) close_again(renamed.old_parent), close_again(renamed.parent);
    return error;
  };
  return walk(from, Last::KEEP, [&](int old_directory, const char* old_name, bool old_must) -> int32_t {
    return walk(to, Last::KEEP, [&](int directory, const char* name, bool must) -> int32_t {
      return move(old_directory, old_name, directory, name, old_must || must);
    });
  });
}

int32_t PathResolver::open_root() const {
  const int fd = calls_.open_at(root_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd >= 0 ? fd : failure(errno);
}

}  // namespace warpfs
