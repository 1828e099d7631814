// The self-test as a whole: one probe after another, each of which may fail alone.
#include "../host_error.h"
#include "metal.h"
#include "probes.h"

namespace warpfs::metal {

namespace {

constexpr uint32_t APPLE_FAMILIES = 20, APPLE_FAMILY_FIRST = 1000;  // MTLGPUFamilyApple1 is 1001

uint32_t apple_family(id<MTLDevice> device) {
  for (uint32_t family = APPLE_FAMILIES; family > 0; family--) {
    if ([device supportsFamily:MTLGPUFamily(APPLE_FAMILY_FIRST + family)]) return family;
  }
  return 0;
}

void make(const Probe& probe, Probing& gpu, ProbeResult& result) {
  if (!gpu.lost().empty()) throw NoAnswer("skipped: the GPU was lost before: " + gpu.lost());
  const Pool pool;
  probe.make(gpu, result);
}

}  // namespace

SelfTestMachine self_test_machine() {
  const Pool pool;
  SelfTestMachine machine;
  const NSOperatingSystemVersion system = [[NSProcessInfo processInfo] operatingSystemVersion];
  machine.system = std::to_string(system.majorVersion) + "." + std::to_string(system.minorVersion) + "." + std::to_string(system.patchVersion);
  const Held<id<MTLDevice>> device(MTLCreateSystemDefaultDevice());
  if (!device) return machine;
  machine.gpu = device.get().name.UTF8String;
  machine.memory_bytes = device.get().recommendedMaxWorkingSetSize;
  machine.buffer_bytes = device.get().maxBufferLength;
  machine.apple_family = apple_family(device.get());
  machine.paravirtual = machine.gpu.find("Paravirtual") != std::string::npos;
  machine.fake = machine.gpu.find("fake Metal") != std::string::npos;
  return machine;
}

void run_self_test(const SelfTestOptions& options, const std::function<void(const ProbeResult&)>& told) {
  const Pool pool;
  Probing gpu(options);
  for (const auto& probes : {probes_of_stores, probes_of_loads, probes_of_refills, probes_of_tearing, probes_of_events, probes_of_rounds, probes_of_quanta}) {
    for (const Probe& probe : probes()) {
      ProbeResult result{probe.name, probe.question, probe.method};
      told(result);
      const auto begin = std::chrono::steady_clock::now();
      try {
        make(probe, gpu, result);
      } catch (const std::exception& error) {
        result.verdict = Verdict::FAILED;
        result.text = error.what();
      }
      result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      told(result);
    }
  }
}

}  // namespace warpfs::metal
