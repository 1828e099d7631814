// What a round of replay costs besides its kernel: committed when it is wanted, or committed ahead behind an event, as launches.mm does.
#include "probes.h"

namespace warpfs::metal {

namespace {

using Clock = std::chrono::steady_clock;
constexpr double AS_FAST = 1.1;  // what is not worth while is not wrong before it is slower than this

uint32_t* first_word(const Buffer& buffer) { return reinterpret_cast<uint32_t*>(buffer.bytes()); }

class Rounds {
 public:
  explicit Rounds(Probing& gpu) : gpu_(gpu), payload_(gpu.buffer(4096)), groups_(gpu.buffer(4096)), gate_(gpu) {
    shot_ = gpu.shot(gpu.kernel("rounds", "give_back"), payload_, 1);
    shot_.group_threads = WARP_LANES;
  }

  double fresh(uint32_t round) {
    const Pool pool;
    const auto begin = Clock::now();
    *first_word(payload_) = round;
    gpu_.wait(gpu_.start(shot_));
    return ended(begin, round);
  }

  void commit_ahead() {
    const Pool pool;
    id<MTLCommandBuffer> commands = gpu_.commands();
    gate_.encode_wait(commands);
    Shot shot = shot_;
    shot.groups_at = &groups_;
    gpu_.encode(commands, shot);
    ahead_ = gpu_.commit(commands);
  }

  /// Of the one that was committed ahead; the next one is committed while it runs.
  double ahead(uint32_t round) {
    const Pool pool;
    const auto begin = Clock::now();
    *first_word(payload_) = round;
    for (int i = 0; i < 3; i++) first_word(groups_)[i] = 1;
    gate_.open();
    const Committed running = std::move(ahead_);
    commit_ahead();
    gpu_.wait(running);
    return ended(begin, round);
  }

  void let_go() {
    gate_.open();
    gpu_.wait(ahead_);
  }
  uint32_t wrong() const { return wrong_; }

 private:
  double ended(Clock::time_point begin, uint32_t round) {
    const double nanoseconds = double(std::chrono::nanoseconds(Clock::now() - begin).count());
    wrong_ += gpu_.word(Word::STALE) != round;
    return nanoseconds;
  }

  Probing& gpu_;
  const Buffer payload_, groups_;
  Gate gate_;
  Shot shot_;
  Committed ahead_;
  uint32_t wrong_ = 0;
};

void make(Probing& gpu, ProbeResult& result) {
  const uint32_t trips = gpu.options().trips;
  Rounds rounds(gpu);
  std::vector<double> fresh, ahead;
  for (uint32_t i = 1; i <= trips; i++) fresh.push_back(rounds.fresh(i));
  rounds.commit_ahead();
  for (uint32_t i = 1; i <= trips; i++) ahead.push_back(rounds.ahead(trips + i));
  rounds.let_go();
  result.numbers.push_back({"rounds", double(trips)});
  const double fresh_us = add_times(result, "committed_when_wanted", std::move(fresh));
  const double ahead_us = add_times(result, "committed_ahead", std::move(ahead));
  result.numbers.push_back({"wrong_rounds", double(rounds.wrong())});
  conclude(result, rounds.wrong() == 0 && ahead_us <= AS_FAST * fresh_us,
           "a round takes " + short_number(fresh_us) + " us where it is committed when it is wanted, and " + short_number(ahead_us) + " us where it was committed ahead (medians); " +
               (rounds.wrong() == 0 ? "each had what the host wrote" : std::to_string(rounds.wrong()) + " did not have what the host wrote"));
}

}  // namespace

std::vector<Probe> probes_of_rounds() {
  return {{"rounds", "Is it worth while to commit the next round of replay ahead?",
           "A small kernel gives back a word that the host wrote for it: committed when it is wanted; and committed ahead behind an event, its size told by the host before it signals. Measured "
           "until the handler of the command buffer was called. Expected: each kernel has the word of its round, and the median is not higher where it was committed ahead.",
           make}};
}

}  // namespace warpfs::metal
