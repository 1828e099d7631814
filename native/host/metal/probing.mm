#include "probing.h"

#include "../host_error.h"
#include "../shared_words.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <thread>

namespace warpfs::metal {

namespace {

constexpr uint32_t POLLS_FIRST = 1024, POLLS_STEP = 8, POLLS_MAX = 1u << 26;
constexpr double LONG_ENOUGH = 0.004;  // seconds: with eight times the polls it still takes far less than a screen stands still for
constexpr auto GIVEN_UP_TIME = std::chrono::seconds(1);  // for a kernel that is told to stop

using Clock = std::chrono::steady_clock;

uint32_t* words_of(const Buffer& buffer) { return reinterpret_cast<uint32_t*>(buffer.bytes()); }

}  // namespace

Probing::Probing(const SelfTestOptions& options) : options_(options), kernels_(context_), words_(buffer(Word::ALL * sizeof(uint32_t))) {}

id<MTLComputePipelineState> Probing::kernel(const char* text, const char* name) {
  try {
    return kernels_.find(options_.texts + "/" + text + ".metal", name);
  } catch (const HostError& error) {
    throw NoAnswer((error.code == "ERR_WARPFS_COMPILE" ? "Metal does not compile its text: " : "its text: ") + std::string(error.what()));
  }
}

Shot Probing::shot(id<MTLComputePipelineState> pipeline, const Buffer& payload, uint32_t payload_words) const {
  Shot shot;
  shot.pipeline = pipeline;
  shot.payload = &payload;
  shot.group_threads = std::min<uint32_t>(PROBE_THREADS, uint32_t([pipeline maxTotalThreadsPerThreadgroup]) / WARP_LANES * WARP_LANES);
  shot.launch.threads = shot.group_threads;
  shot.launch.payload_words = payload_words;
  shot.launch.result = Word::STALE;
  return shot;
}

uint32_t Probing::word(unsigned at) const { return load_acquire(words_of(words_) + at); }
void Probing::set_word(unsigned at, uint32_t value) { store_release(words_of(words_) + at, value); }
void Probing::clear_words() { std::fill_n(words_of(words_), unsigned(Word::ALL), 0u); }

void Probing::encode(id<MTLCommandBuffer> commands, const Shot& shot) const {
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  [encoder setComputePipelineState:shot.pipeline];
  [encoder setBuffer:words_.get() offset:0 atIndex:0];
  [encoder setBuffer:shot.payload->get() offset:0 atIndex:1];
  [encoder setBytes:&shot.launch length:sizeof shot.launch atIndex:2];
  const MTLSize threads = MTLSizeMake(shot.group_threads, 1, 1);
  if (shot.groups_at == nullptr) [encoder dispatchThreadgroups:MTLSizeMake(shot.groups, 1, 1) threadsPerThreadgroup:threads];
  else [encoder dispatchThreadgroupsWithIndirectBuffer:shot.groups_at->get() indirectBufferOffset:0 threadsPerThreadgroup:threads];
  [encoder endEncoding];
}

Committed Probing::start(const Shot& shot) const {
  id<MTLCommandBuffer> one = commands();
  encode(one, shot);
  return commit(one);
}

double Probing::wait(const Committed& commands) {
  if (!commands.wait_until(Clock::now() + options_.patience)) {
    set_word(Word::STOP, 1);
    const bool stopped = commands.wait_until(Clock::now() + GIVEN_UP_TIME);
    lost_ = "a command buffer did not end within " + std::to_string(options_.patience.count()) + " ms" +
            (stopped ? "; told to stop, it did" : ", nor when it was told to stop: restart the machine should the GPU stay busy");
    throw NoAnswer(lost_);
  }
  const CommandEnd end = commands.end();
  if (end.ended_well) return end.seconds;
  lost_ = end.text;
  throw NoAnswer(lost_);
}

double Probing::run(const Shot& shot) {
  const Pool pool;
  const auto begin = Clock::now();
  const double took = wait(start(shot));
  return took > 0 ? took : std::chrono::duration<double>(Clock::now() - begin).count();
}

uint32_t Probing::polls_for(double seconds, Shot shot) {
  for (uint32_t polls = POLLS_FIRST;; polls = std::min(POLLS_MAX, polls * POLLS_STEP)) {
    clear_words();
    shot.launch.polls = polls;
    const double took = run(shot);
    if (took < LONG_ENOUGH && polls < POLLS_MAX) continue;
    return uint32_t(std::clamp(polls * (seconds / took), 1.0, double(POLLS_MAX)));
  }
}

bool still_runs(const Committed& commands) { return !commands.wait_until(Clock::now()); }

bool becomes_so_while_running(const Committed& commands, std::chrono::milliseconds longest, const std::function<bool()>& is_so) {
  const auto then = Clock::now() + longest;
  while (!is_so()) {
    if (Clock::now() >= then || !still_runs(commands)) return false;
    std::this_thread::yield();
  }
  return still_runs(commands);
}

void fill(const Buffer& payload, uint32_t words, uint32_t value) {
  uint32_t* const word = words_of(payload);
  for (uint32_t i = 0; i < words; i++) __atomic_store_n(word + i, value + i, __ATOMIC_RELAXED);
}

uint32_t count_stale(const Buffer& payload, uint32_t words, uint32_t value) {
  const uint32_t* const word = words_of(payload);
  uint32_t stale = 0;
  for (uint32_t i = 0; i < words; i++) stale += __atomic_load_n(word + i, __ATOMIC_RELAXED) != value + i;
  return stale;
}

double add_times(ProbeResult& result, const std::string& name, std::vector<double> nanoseconds) {
  std::sort(nanoseconds.begin(), nanoseconds.end());
  const double median = nanoseconds[nanoseconds.size() / 2] / 1000;
  result.numbers.push_back({name + "_median_us", median});
  result.numbers.push_back({name + "_p95_us", nanoseconds[nanoseconds.size() * 95 / 100] / 1000});
  return median;
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 1000 || value == std::floor(value) ? "%.0f" : "%.4g", value);
  return text;
}

}  // namespace warpfs::metal
