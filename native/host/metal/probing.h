// What all probes of the self-test share: kernels on their way to the GPU, with a bound for everything that is waited for.
#pragma once
#include "../../shaders/metal_self_test/words.h"
#include "../abi_host.h"
#include "committed.h"
#include "context.h"
#include "kernels.h"
#include "self_test.h"

#include <stdexcept>

namespace warpfs::metal {

namespace Word = ::self_test::Word;
using ProbeLaunch = ::self_test::Launch;

/// Why a probe has no answer.
struct NoAnswer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr uint32_t PROBE_THREADS = 256;  // of a threadgroup, at most

/// A kernel, and what it is given.
struct Shot {
  id<MTLComputePipelineState> pipeline = nil;
  const Buffer* payload = nullptr;
  ProbeLaunch launch{};
  uint32_t groups = 1;
  const Buffer* groups_at = nullptr;  // instead: three words at its begin, as they are when the kernel begins
  uint32_t group_threads = PROBE_THREADS;
};

class Probing {
 public:
  explicit Probing(const SelfTestOptions& options);

  const SelfTestOptions& options() const { return options_; }
  Context& context() { return context_; }
  /// Of the text of that name. Throws NoAnswer with what the compiler says.
  id<MTLComputePipelineState> kernel(const char* text, const char* name);
  Buffer buffer(uint64_t bytes) { return Buffer(context_, context_.buffer(bytes, "a probe")); }
  /// One threadgroup, as large as the kernel may have it.
  Shot shot(id<MTLComputePipelineState> pipeline, const Buffer& payload, uint32_t payload_words) const;

  uint32_t word(unsigned at) const;
  void set_word(unsigned at, uint32_t value);
  void clear_words();

  void encode(id<MTLCommandBuffer> commands, const Shot& shot) const;
  id<MTLCommandBuffer> commands() const { return [context_.queue() commandBuffer]; }
  Committed commit(id<MTLCommandBuffer> commands) const { return Committed(commands); }
  Committed start(const Shot& shot) const;
  /// How long it took on the GPU. Throws NoAnswer where it did not end well; then the GPU is lost.
  double wait(const Committed& commands);
  /// The same, by the clock of the host where the GPU does not tell its times.
  double run(const Shot& shot);
  /// Runs a kernel again and again, with more polls each time, until it says how many take so long.
  uint32_t polls_for(double seconds, Shot shot);

  /// What ended the GPU for this process; empty: nothing.
  const std::string& lost() const { return lost_; }

 private:
  const SelfTestOptions options_;
  Context context_;
  Kernels kernels_;
  Buffer words_;
  std::string lost_;
};

/// What command buffers wait for. However a probe ends, it leaves none behind that waits.
class Gate {
 public:
  explicit Gate(Probing& gpu) : event_([gpu.context().device() newSharedEvent]) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { open(); }
  /// Between two encoders, or before the first.
  void encode_wait(id<MTLCommandBuffer> commands) { [commands encodeWaitForEvent:event_.get() value:++value_]; }
  /// For all that wait.
  void open() { event_.get().signaledValue = value_; }

 private:
  Held<id<MTLSharedEvent>> event_;
  uint64_t value_ = 0;
};

/// Until then, and no longer than `commands` takes. True: it has become so while they ran.
bool becomes_so_while_running(const Committed& commands, std::chrono::milliseconds longest, const std::function<bool()>& is_so);
bool still_runs(const Committed& commands);

/// Words of 32 bits that the gpu has as well: word i is value + i.
void fill(const Buffer& payload, uint32_t words, uint32_t value);
/// Those that are not.
uint32_t count_stale(const Buffer& payload, uint32_t words, uint32_t value);
/// Of a round; of the first: 1.
inline uint32_t value_of(uint32_t round) { return round << 20; }

/// Adds the median and what 95 of 100 stay below, in microseconds; the median is also given back. `nanoseconds`: at least one.
double add_times(ProbeResult& result, const std::string& name, std::vector<double> nanoseconds);
/// As `1815` or `12.34`.
std::string short_number(double value);

}  // namespace warpfs::metal
