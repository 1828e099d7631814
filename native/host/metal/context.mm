#include "context.h"

#include "../host_error.h"
#include "metal.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace warpfs::metal {

namespace {

constexpr NSInteger MACOS_MIN = 15;  // Metal Shading Language 3.2, residency sets
constexpr const char* PARAVIRTUAL_WANTED = "WARPFS_METAL_PARAVIRTUAL";

bool is_wanted(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && std::strcmp(value, "1") == 0;
}

/// Why no mount is made on it; empty: one is.
std::string obstacle_of(id<MTLDevice> device) {
  const NSOperatingSystemVersion system = [[NSProcessInfo processInfo] operatingSystemVersion];
  if (system.majorVersion < MACOS_MIN) {
    return "Metal Shading Language 3.2 needs macOS " + std::to_string(MACOS_MIN) + ", and this is macOS " + std::to_string(system.majorVersion) + "." +
           std::to_string(system.minorVersion);
  }
  if (device == nil) return "macOS finds no Metal device: it has none, or this session may not use it";
  const std::string name = device.name.UTF8String;
  if (!device.hasUnifiedMemory) return "GPU '" + name + "' has memory of its own, as in Macs with a processor of Intel: this device needs Apple silicon";
  if (name.find("Paravirtual") != std::string::npos && !is_wanted(PARAVIRTUAL_WANTED)) {
    return "GPU '" + name + "' is that of a virtual machine, which does not do all that Metal says, and at no speed that says anything: for tests, set " +
           PARAVIRTUAL_WANTED + "=1";
  }
  if (![device supportsFamily:MTLGPUFamilyMetal3]) return "GPU '" + name + "' is not of the family Metal 3, whose kernels find memory by its address";
  return "";
}

}  // namespace

std::string text_of(NSError* error) { return error == nil ? "Metal does not say why" : error.localizedDescription.UTF8String; }

Sight look() {
  const Pool pool;
  const Held<id<MTLDevice>> device(MTLCreateSystemDefaultDevice());
  if (!device) return {obstacle_of(nil), "", 0};
  return {obstacle_of(device.get()), device.get().name.UTF8String, device.get().recommendedMaxWorkingSetSize};
}

Context::Context() {
  const Pool pool;
  device_ = Held<id<MTLDevice>>(MTLCreateSystemDefaultDevice());
  const std::string obstacle = obstacle_of(device_.get());
  if (!obstacle.empty()) throw HostError("ERR_WARPFS_DEVICE", obstacle);
  queue_ = Held<id<MTLCommandQueue>>([device_.get() newCommandQueue]);
  if (!queue_) throw HostError("ERR_WARPFS_DEVICE", "GPU '" + std::string(device_.get().name.UTF8String) + "' gives no command queue");
  const Held<MTLResidencySetDescriptor*> descriptor([MTLResidencySetDescriptor new]);
  NSError* error = nil;
  residency_ = Held<id<MTLResidencySet>>([device_.get() newResidencySetWithDescriptor:descriptor.get() error:&error]);
  if (!residency_) throw HostError("ERR_WARPFS_DEVICE", "no residency set: " + text_of(error));
  [queue_.get() addResidencySet:residency_.get()];
}

Held<id<MTLBuffer>> Context::buffer(uint64_t bytes, const char* what) {
  check_size(bytes, what);
  return resident([device_.get() newBufferWithLength:bytes options:SHARED], bytes, what);
}

Held<id<MTLBuffer>> Context::buffer_at(void* memory, uint64_t bytes, const char* what) {
  check_size(bytes, what);
  return resident([device_.get() newBufferWithBytesNoCopy:memory length:bytes options:SHARED deallocator:nil], bytes, what);
}

void Context::check_size(uint64_t bytes, const char* what) const {
  // All of it is resident as long as it is there: what is more than fits would be moved in and out under every kernel, or stop the machine.
  const uint64_t most = std::min<uint64_t>([device_.get() maxBufferLength], [device_.get() recommendedMaxWorkingSetSize]);
  if (bytes <= most) return;
  throw HostError(-Errno::enomem, std::string(what) + ": " + std::to_string(bytes >> 20) + " MiB are more than one buffer of this GPU should have, which is " +
                                      std::to_string(most >> 20) + " MiB");
}

Held<id<MTLBuffer>> Context::resident(id<MTLBuffer> buffer, uint64_t bytes, const char* what) {
  if (buffer == nil) throw HostError(-Errno::enomem, std::string(what) + ": Metal has no room for " + std::to_string(bytes) + " bytes");
  Held<id<MTLBuffer>> held(buffer);
  [residency_.get() addAllocation:buffer];
  [residency_.get() commit];
  [residency_.get() requestResidency];
  return held;
}

Held<id<MTLIOCommandQueue>> Context::new_io_queue(uint32_t command_buffers, NSError** error) const {
  const Held<MTLIOCommandQueueDescriptor*> descriptor([MTLIOCommandQueueDescriptor new]);
  descriptor.get().type = MTLIOCommandQueueTypeConcurrent;
  descriptor.get().maxCommandBufferCount = command_buffers;
  return Held<id<MTLIOCommandQueue>>([device_.get() newIOCommandQueueWithDescriptor:descriptor.get() error:error]);
}

void Context::forget(id<MTLBuffer> buffer) {
  [residency_.get() removeAllocation:buffer];
  [residency_.get() commit];
}

}  // namespace warpfs::metal
