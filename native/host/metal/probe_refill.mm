// Whether a kernel sees what the host wrote into memory that a former kernel has read: lines of the cache are filled again and again.
#include "probes.h"

namespace warpfs::metal {

namespace {

constexpr uint32_t PAYLOAD_WORDS = 1u << 18, COMPARE_GROUPS = 16;
constexpr double LOOKS_SECONDS = 0.06;
constexpr auto READY_TIME = std::chrono::milliseconds(10);

Shot compare_shot(Probing& gpu, const Buffer& payload) {
  Shot shot = gpu.shot(gpu.kernel("refill", "compare"), payload, PAYLOAD_WORDS);
  shot.groups = COMPARE_GROUPS;
  shot.launch.threads = shot.groups * shot.group_threads;
  return shot;
}

/// Refilled while nothing runs; read twice by one command buffer.
double stale_between(Probing& gpu, Shot compare) {
  double stale = 0;
  for (uint32_t round = 1; round <= gpu.options().rounds; round++) {
    const Pool pool;
    gpu.clear_words();
    compare.launch.value = value_of(round);
    fill(*compare.payload, PAYLOAD_WORDS, compare.launch.value);
    id<MTLCommandBuffer> commands = gpu.commands();
    compare.launch.result = Word::STALE;
    gpu.encode(commands, compare);
    compare.launch.result = Word::STALE_NEXT;
    gpu.encode(commands, compare);
    gpu.wait(gpu.commit(commands));
    stale += gpu.word(Word::STALE) + double(gpu.word(Word::STALE_NEXT));
  }
  return stale;
}

/// Refilled behind the commit of a command buffer that waits for an event: so a round is begun that was committed ahead.
double stale_ahead(Probing& gpu, Shot compare) {
  Gate gate(gpu);
  double stale = 0;
  for (uint32_t round = 1; round <= gpu.options().rounds; round++) {
    const Pool pool;
    gpu.clear_words();
    compare.launch.result = Word::STALE_NEXT;  // of what was there before
    const Committed before = gpu.start(compare);
    compare.launch.value = value_of(round);
    compare.launch.result = Word::STALE;
    id<MTLCommandBuffer> commands = gpu.commands();
    gate.encode_wait(commands);
    gpu.encode(commands, compare);
    const Committed ahead = gpu.commit(commands);
    gpu.wait(before);
    fill(*compare.payload, PAYLOAD_WORDS, compare.launch.value);
    gate.open();
    gpu.wait(ahead);
    stale += gpu.word(Word::STALE);
  }
  return stale;
}

struct WhileRunning {
  double same = 0, next = 0;  // stale words in the next dispatch of the same command buffer, and in the next command buffer
};

/// Refilled while a kernel runs that has read it.
WhileRunning stale_while_running(Probing& gpu, Shot compare) {
  Shot look = gpu.shot(gpu.kernel("refill", "look"), *compare.payload, PAYLOAD_WORDS);
  look.launch.value = value_of(1);
  look.launch.polls = gpu.polls_for(LOOKS_SECONDS, look);
  Gate gate(gpu);
  WhileRunning stale;
  for (uint32_t round = 1; round <= gpu.options().rounds; round++) {
    const Pool pool;
    gpu.clear_words();
    look.launch.former = compare.launch.value;
    compare.launch.value = look.launch.value = value_of(round);
    id<MTLCommandBuffer> commands = gpu.commands();
    gpu.encode(commands, look);
    gate.encode_wait(commands);
    compare.launch.result = Word::STALE_NEXT;
    gpu.encode(commands, compare);
    const Committed running = gpu.commit(commands);
    becomes_so_while_running(running, READY_TIME, [&] { return gpu.word(Word::READY) == look.launch.value; });
    fill(*compare.payload, PAYLOAD_WORDS, look.launch.value);
    gpu.set_word(Word::TOLD, look.launch.value);
    gate.open();
    gpu.wait(running);
    stale.same += gpu.word(Word::STALE_NEXT);
    gpu.clear_words();
    compare.launch.result = Word::STALE;
    gpu.run(compare);
    stale.next += gpu.word(Word::STALE);
  }
  return stale;
}

void make(Probing& gpu, ProbeResult& result) {
  const Buffer payload = gpu.buffer(PAYLOAD_WORDS * sizeof(uint32_t));
  const Shot compare = compare_shot(gpu, payload);
  result.numbers = {{"rounds", double(gpu.options().rounds)}, {"payload_words", PAYLOAD_WORDS}};
  const double between = stale_between(gpu, compare);
  result.numbers.push_back({"stale_words_between", between});
  const double ahead = stale_ahead(gpu, compare);
  result.numbers.push_back({"stale_words_ahead", ahead});
  const WhileRunning running = stale_while_running(gpu, compare);
  result.numbers.push_back({"stale_words_running_same_command_buffer", running.same});
  result.numbers.push_back({"stale_words_running_next_command_buffer", running.next});
  conclude(result, between == 0 && ahead == 0 && running.next == 0,
           "stale words, refilled between command buffers: " + short_number(between) + "; behind the commit of one that waits for an event: " + short_number(ahead) +
               "; while a kernel ran, read by the next command buffer: " + short_number(running.next) + ", by the next dispatch of the same one: " + short_number(running.same));
}

}  // namespace

std::vector<Probe> probes_of_refills() {
  return {{"refill", "Does a kernel see what the host wrote over memory that a former kernel has read?",
           "1 MiB is read by a kernel, written by the host and compared by another kernel with plain loads: written between command buffers; behind the commit of one that waits for an "
           "event; and while a kernel runs, to be read by the next dispatch of that command buffer and by the next command buffer. Expected: nothing is stale, replay rests on it; but "
           "for that next dispatch, of which nothing is expected.",
           make}};
}

}  // namespace warpfs::metal
