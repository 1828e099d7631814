// Where there is no Metal.
#include "../host_error.h"
#include "metal.h"
#include "self_test.h"

namespace warpfs::metal {

Sight look() {
#if defined(__APPLE__)
  return {"this build has no Metal device", "", 0};
#else
  return {"Metal needs macOS 15 or newer on Apple silicon", "", 0};
#endif
}

std::unique_ptr<Device> make_device(MetalMemory&, Daemon&, const MetalDeviceOptions&) { throw HostError("ERR_WARPFS_DEVICE", look().obstacle); }

SelfTestMachine self_test_machine() { return {}; }

void run_self_test(const SelfTestOptions&, const std::function<void(const ProbeResult&)>&) { throw HostError("ERR_WARPFS_DEVICE", look().obstacle); }

}  // namespace warpfs::metal
