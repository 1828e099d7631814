#include "sandbox.h"

#include "abi_host.h"
#include "assert.h"
#include "host_error.h"
#include "sandbox_parts.h"

#include <cerrno>
#include <thread>
#include <unistd.h>

namespace warpfs {

namespace {

thread_local const Sandbox* around = nullptr;

/// Of this machine: the vocabulary of the gpu has no word for most of what a kernel may say here.
std::string reason(int error) {
  switch (error) {
    case ENOSYS: return "this kernel does not have it";
    case EOPNOTSUPP: return "switched off when this kernel was started";
    case EPERM: return "forbidden to this process";
    default: return error_name(failure(error));
  }
}

}  // namespace

Sandbox::Sandbox(const std::string& wish, const std::string& root, bool writable) : required_(wish == "required") {
  if (wish != "auto" && wish != "required" && wish != "off") {
    throw HostError(-Errno::einval, "unknown sandbox '" + wish + "': auto, required or off");
  }
  if (wish == "off") {
    description_ = "none: switched off";
    return;
  }
  std::string no_landlock, no_seccomp;
  const int version = landlock_version();
  if (version < 0) no_landlock = reason(-version);
  if (version > 0) rules_ = make_landlock_rules(version, root, writable);
  if (version > 0 && rules_ < 0) no_landlock = reason(-rules_);
  // Tried for good on a thread that does nothing else: what a kernel promises and a container forbids looks the same from outside.
  if (no_landlock.empty()) no_landlock = works(true, false);
  no_seccomp = works(false, true);
  landlock_ = no_landlock.empty();
  seccomp_ = no_seccomp.empty();
  if (landlock_) description_ = "landlock " + std::to_string(version);
  if (seccomp_) description_ += description_.empty() ? "seccomp" : " + seccomp";
  std::string missing;
  if (!landlock_) missing = "landlock: " + no_landlock;
  if (!seccomp_) missing += (missing.empty() ? "" : ", ") + ("seccomp: " + no_seccomp);
  if (missing.empty()) return;
  if (required_) {
    if (rules_ >= 0) close(rules_);
    throw HostError(-Errno::enosys, "sandbox 'required' needs landlock and seccomp; missing: " + missing);
  }
  description_ = description_.empty() ? "none: " + missing : description_ + " (" + missing + ")";
}

Sandbox::~Sandbox() {
  if (rules_ >= 0) close(rules_);
}

bool Sandbox::is_around() const { return around == this; }
void Sandbox::was_inherited() const { around = this; }

void Sandbox::enter() const {
  if (is_around() || !(landlock_ || seccomp_)) return;
  const bool inside = try_to_enter(landlock_, seccomp_);
  WARPFS_ASSERT(inside || !required_);  // it worked a moment ago; a thread outside must not serve
  was_inherited();
}

bool Sandbox::try_to_enter(bool with_landlock, bool with_seccomp) const {
  errno = give_up_privileges();
  if (errno == 0 && with_landlock) errno = enter_landlock(rules_);
  if (errno == 0 && with_seccomp) errno = enter_seccomp();  // last: it forbids the other two
  return errno == 0;
}

std::string Sandbox::works(bool with_landlock, bool with_seccomp) const {
  int error = 0;
  std::thread([&] {
    if (!try_to_enter(with_landlock, with_seccomp)) error = errno;
  }).join();
  return error == 0 ? "" : reason(error);
}

std::string sandbox_of_this_machine() { return Sandbox("auto", "/", false).description(); }

}  // namespace warpfs
