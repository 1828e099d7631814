// Where there is no Metal.
#include "../host_error.h"
#include "../io_engine.h"
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

std::shared_ptr<Gpu> open_gpu(MetalMemory&) { throw HostError("ERR_WARPFS_DEVICE", look().obstacle); }

EngineMaker mtlio_maker(Gpu&) {
  return [](WorkPool&, TransferEnd&, std::string& why) {
    why = "mtlio: " + look().obstacle;
    return std::unique_ptr<IoEngine>();
  };
}

std::unique_ptr<Loads> make_mtlio_loads(const std::string&, uint64_t, const std::string&) { throw HostError("ERR_WARPFS_DEVICE", look().obstacle); }

void compress_file(const std::string&, const std::string&, const std::string&) { throw HostError("ERR_WARPFS_DEVICE", look().obstacle); }

std::unique_ptr<Device> make_device(MetalMemory&, Gpu&, Daemon&, const MetalDeviceOptions&) { throw HostError("ERR_WARPFS_DEVICE", look().obstacle); }

SelfTestMachine self_test_machine() { return {}; }

void run_self_test(const SelfTestOptions&, const std::function<void(const ProbeResult&)>&) { throw HostError("ERR_WARPFS_DEVICE", look().obstacle); }

}  // namespace warpfs::metal
