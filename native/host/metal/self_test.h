// The self-test of `warpfs doctor --metal-self-test`: bounded probes of what Metal does not document and this device, or the experiment with waiting kernels,
// rests on. In plain C++, and there on every machine. docs/metal.md says how to read what comes out.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace warpfs::metal {

/// What the answers are true for.
struct SelfTestMachine {
  std::string gpu;            // empty: there is none
  std::string system;         // version of macOS
  uint64_t memory_bytes = 0;  // that the GPU may use at once
  uint64_t buffer_bytes = 0;  // the most that one buffer may have
  uint32_t apple_family = 0;  // as 7 for M1; 0: not of Apple
  bool paravirtual = false;
  bool fake = false;          // the cpu device plays Metal: native/metal_fake
};

enum class Verdict { RUNNING, AS_EXPECTED, NOT_AS_EXPECTED, FAILED };

struct ProbeResult {
  struct Number {
    std::string name;
    double value;
  };
  std::string name;
  std::string question;
  std::string method;  // and what is expected
  std::vector<Number> numbers{};
  Verdict verdict = Verdict::RUNNING;
  std::string text{};  // in a sentence: what came out, or what went wrong
  double seconds = 0;
};

struct SelfTestOptions {
  std::string texts;                      // folder of the kernels, one NAME.metal for each probe
  uint32_t rounds = 20;                   // of each question about memory
  uint32_t trips = 200;                   // of each question about time
  std::chrono::milliseconds patience{5000};  // for one command buffer; a GPU that is over it is lost
};

SelfTestMachine self_test_machine();

/// `told`: each probe when it begins, and again when it has ended. Probes that cannot be made say why; the others go on. Throws HostError with code
/// ERR_WARPFS_DEVICE where there is no Metal.
void run_self_test(const SelfTestOptions& options, const std::function<void(const ProbeResult&)>& told);

}  // namespace warpfs::metal
