// The Metal device as the rest of the host sees it: in plain C++, and there on every machine. Where there is no Metal (metal_none.cpp) it says so.
#pragma once
#include "../daemon.h"
#include "../device.h"
#include "../loads.h"

#include <chrono>
#include <memory>
#include <string>

namespace warpfs::metal {

class MetalMemory;

struct Sight {
  std::string obstacle;  // why no mount can be made here, and what to do; empty: one can
  std::string name;      // of the GPU, where there is one
  uint64_t memory_bytes = 0;  // that it may use at once
};
/// Never throws. Nothing is made.
Sight look();

struct MetalDeviceOptions {
  std::string builtin;  // path of the text of the built-in kernels
  bool replay = true;   // else kernels wait for the host, in a way that Metal does not document
  std::chrono::nanoseconds wait = std::chrono::seconds(30);  // without any progress, pending items are given up after this
  std::chrono::milliseconds kernel_time{};                   // one launch may take so long; 0: as long as it likes
};

/// The GPU, and that memory there: made before the daemon, and gone behind it.
class Gpu;
/// Throws HostError.
std::shared_ptr<Gpu> open_gpu(MetalMemory& memory);

/// For DaemonOptions::device_engine: the engine 'mtlio', whose reads Metal makes. Only where no kernel waits for what it reads (replay).
EngineMaker mtlio_maker(Gpu& gpu);

/// Throws HostError.
std::unique_ptr<Device> make_device(MetalMemory& memory, Gpu& gpu, Daemon& daemon, const MetalDeviceOptions& options);

/// By a concurrent queue, into a buffer of the GPU. `compression`: of the file, by the name of its method in lower case; empty: none. Throws HostError.
std::unique_ptr<Loads> make_mtlio_loads(const std::string& path, uint64_t bytes, const std::string& compression);
/// Makes the file `to`. Throws HostError.
void compress_file(const std::string& from, const std::string& to, const std::string& compression);

}  // namespace warpfs::metal
