// Landlock by its bare system calls and numbers: the headers of the machine that builds may be older than the kernel that runs.
#include "sandbox_parts.h"

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace warpfs {

namespace {

constexpr long CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446;  // the same on all processors
constexpr uint32_t ASK_VERSION = 1;
constexpr int RULE_PATH_BENEATH = 1;

enum Access : uint64_t {
  WRITE_FILE = 1 << 1,
  READ_FILE = 1 << 2,
  READ_DIR = 1 << 3,
  REMOVE_DIR = 1 << 4,
  REMOVE_FILE = 1 << 5,
  MAKE_DIR = 1 << 7,
  MAKE_REG = 1 << 8,
  MAKE_SYM = 1 << 12,
  REFER = 1 << 13,      // since version 2
  TRUNCATE = 1 << 14,   // since version 3
  IOCTL_DEV = 1 << 15,  // since version 5
};
constexpr uint64_t FIRST_VERSION = (1 << 13) - 1;
constexpr uint64_t NET_BIND_AND_CONNECT = 3;     // since version 4
constexpr uint64_t SOCKETS_AND_SIGNALS = 3;      // since version 6

struct Ruleset {
  uint64_t files, net, scoped;
};
struct __attribute__((packed)) PathBeneath {
  uint64_t allowed;
  int32_t parent;
};

}  // namespace

int give_up_privileges() { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno; }

int landlock_version() {
  const long version = syscall(CREATE_RULESET, nullptr, size_t(0), ASK_VERSION);
  return version > 0 ? int(version) : version < 0 ? -errno : -ENOSYS;
}

int make_landlock_rules(int version, const std::string& root, bool writable) {
  // Everything that this kernel knows is forbidden, then a little of it is allowed beneath the root.
  Ruleset ruleset{FIRST_VERSION, 0, 0};
  if (version >= 2) ruleset.files |= REFER;
  if (version >= 3) ruleset.files |= TRUNCATE;
  if (version >= 4) ruleset.net = NET_BIND_AND_CONNECT;
  if (version >= 5) ruleset.files |= IOCTL_DEV;
  if (version >= 6) ruleset.scoped = SOCKETS_AND_SIGNALS;
  const size_t bytes = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const int rules = int(syscall(CREATE_RULESET, &ruleset, bytes, 0));
  if (rules < 0) return -errno;

  uint64_t allowed = READ_FILE;
  // A directory is opened to be synced. Links and directories are never made, but a rename moves them.
  if (writable) allowed |= WRITE_FILE | TRUNCATE | READ_DIR | MAKE_REG | REMOVE_FILE | REFER | MAKE_SYM | MAKE_DIR | REMOVE_DIR;
  PathBeneath beneath{allowed & ruleset.files, open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  int error = beneath.parent < 0 ? errno : 0;
  if (error == 0 && syscall(ADD_RULE, rules, RULE_PATH_BENEATH, &beneath, 0) != 0) error = errno;
  if (beneath.parent >= 0) close(beneath.parent);
  if (error == 0) return rules;
  close(rules);
  return -error;
}

int enter_landlock(int rules) { return syscall(RESTRICT_SELF, rules, 0) == 0 ? 0 : errno; }

}  // namespace warpfs
