// Stands in for sandbox.cpp on systems that have neither Landlock nor seccomp.
#include "sandbox.h"

#include "abi_host.h"
#include "host_error.h"

namespace warpfs {

Sandbox::Sandbox(const std::string& wish, const std::string&, bool) {
  if (wish != "auto" && wish != "required" && wish != "off") {
    throw HostError(-Errno::einval, "unknown sandbox '" + wish + "': auto, required or off");
  }
  if (wish == "required") throw HostError(-Errno::enosys, "sandbox 'required' needs landlock and seccomp; missing: this system has neither");
  description_ = wish == "off" ? "none: switched off" : sandbox_of_this_machine();
}

Sandbox::~Sandbox() = default;
void Sandbox::enter() const {}
bool Sandbox::is_around() const { return false; }
void Sandbox::was_inherited() const {}

std::string sandbox_of_this_machine() { return "none: this system has neither landlock nor seccomp"; }

}  // namespace warpfs
