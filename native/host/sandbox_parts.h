// The two walls of the sandbox, each with why it may be missing. Linux only.
#pragma once
#include <string>

namespace warpfs {

/// The version of Landlock, or a negated errno.
int landlock_version();
/// A descriptor of the rules: beneath the root only, and there only what serving takes. Or a negated errno.
int make_landlock_rules(int version, const std::string& root, bool writable);
/// 0 or an errno. For the calling thread, for ever.
int enter_landlock(int rules);

/// Null where nobody has written down the system calls of this processor.
const char* seccomp_architecture();
/// 0 or an errno. For the calling thread, for ever.
int enter_seccomp();

/// 0 or an errno: without privileges a thread may lock itself in only after it has given up getting any.
int give_up_privileges();

}  // namespace warpfs
