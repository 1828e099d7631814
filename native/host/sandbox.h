// What the threads that serve the gpu may still do, should a bug of theirs be turned against them: open files beneath the root, and the
// few system calls that serving takes. A second wall behind path_resolver.h and request_validation.h, not a replacement of them.
#pragma once
#include <string>

namespace warpfs {

/// For one mount. Each thread enters by itself; what it starts is inside as well, and nobody gets out. Nothing is ever killed: what is
/// forbidden fails with EPERM or EACCES.
class Sandbox {
 public:
  /// "auto" takes what there is, "required" throws a HostError that says what is missing, "off" does nothing.
  Sandbox(const std::string& wish, const std::string& root, bool writable);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  /// The first thing that a thread does. Once is enough, and a thread started by one that is inside need not.
  void enter() const;
  /// For the lambda that starts a thread: whether the one that starts it is inside.
  bool is_around() const;
  /// Said by a thread that was started by one that is inside.
  void was_inherited() const;
  /// "landlock 7 + seccomp", "seccomp (landlock: ENOSYS)", "none: why".
  const std::string& description() const { return description_; }

 private:
  bool try_to_enter(bool with_landlock, bool with_seccomp) const;
  std::string works(bool with_landlock, bool with_seccomp) const;

  bool required_ = false;
  bool landlock_ = false, seccomp_ = false;
  int rules_ = -1;  // of Landlock
  std::string description_;
};

/// What a mount would get on this machine, in the words of description().
std::string sandbox_of_this_machine();

}  // namespace warpfs
