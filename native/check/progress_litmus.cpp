#include "progress_litmus.h"

#include "../host/abi_host.h"
#include "../host/host_error.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <unordered_map>

namespace warpfs {

namespace {

constexpr size_t THREADS_MAX = 8, INSTRUCTIONS_MAX = 64, LOCATIONS_MAX = 8, STATES_MAX = 1'000'000;
constexpr uint32_t VALUE_MAX = 255;

struct Instruction {
  bool reads = false, writes = false;
  uint8_t location = 0, compared = 0, stored = 0, target = 0;
};
using Thread = std::vector<Instruction>;

[[noreturn]] void refuse(const std::string& what) { throw HostError(-Errno::einval, "progressLitmus: " + what); }

/// The instruction that a thread is at: of each, and what the locations hold.
struct State {
  std::array<uint8_t, THREADS_MAX> at{};
  std::array<uint8_t, LOCATIONS_MAX> memory{};
  uint64_t has_run = 0;
  bool operator==(const State&) const = default;
};

struct StateHash {
  size_t operator()(const State& state) const {
    uint64_t words[2];
    std::memcpy(words, state.at.data(), 8);
    std::memcpy(words + 1, state.memory.data(), 8);
    uint64_t hash = (words[0] * 0x9e3779b97f4a7c15ull ^ words[1]) * 0xbf58476d1ce4e5b9ull + state.has_run;
    return size_t((hash ^ hash >> 29) * 0x94d049bb133111ebull);
  }
};

class InstructionText {
 public:
  InstructionText(const std::string& text, std::string place) : text_(text), place_(std::move(place)) {}

  Instruction read(size_t instruction_count) const {
    const size_t open = text_.find('(');
    if (open == std::string::npos || text_.back() != ')') refuse_text();
    const std::string name = text_.substr(0, open);
    std::vector<std::string> arguments(1);
    for (const char c : text_.substr(open + 1, text_.size() - open - 2)) {
      if (c == ',') {
        arguments.emplace_back();
      } else if (c != ' ') {
        arguments.back() += c;
      }
    }
    Instruction instruction;
    instruction.reads = name == "atomic_chk_branch" || name == "atomic_exch_branch";
    instruction.writes = name == "atomic_store" || name == "atomic_exch_branch";
    const size_t wanted = name == "atomic_store" ? 2 : name == "atomic_chk_branch" ? 3 : name == "atomic_exch_branch" ? 4 : 0;
    if (wanted == 0 || arguments.size() != wanted) refuse_text();
    size_t next = 0;
    instruction.location = number(arguments[next++], LOCATIONS_MAX - 1);
    if (instruction.reads) instruction.compared = number(arguments[next++], VALUE_MAX);
    if (instruction.writes) instruction.stored = number(arguments[next++], VALUE_MAX);
    if (instruction.reads) {
      const std::string& target = arguments[next];
      instruction.target = target == "END" ? uint8_t(instruction_count) : number(target, uint32_t(instruction_count) - 1);
    }
    return instruction;
  }

 private:
  uint8_t number(const std::string& text, uint32_t most) const {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) refuse_text();
    if (value > most) refuse(place_ + " '" + text_ + "': " + text + " is above " + std::to_string(most));
    return uint8_t(value);
  }

  [[noreturn]] void refuse_text() const {
    refuse(place_ + " '" + text_ + "' is none of atomic_store(location,value), atomic_chk_branch(location,value,target), " +
           "atomic_exch_branch(location,value,stored,target)");
  }

  const std::string& text_;
  std::string place_;
};

std::vector<Thread> read_threads(const std::vector<std::vector<std::string>>& texts) {
  if (texts.empty() || texts.size() > THREADS_MAX) {
    refuse(std::to_string(texts.size()) + " threads; it takes 1 to " + std::to_string(THREADS_MAX));
  }
  std::vector<Thread> threads(texts.size());
  for (size_t thread = 0; thread < texts.size(); thread++) {
    const size_t count = texts[thread].size();
    if (count > INSTRUCTIONS_MAX) {
      refuse("thread " + std::to_string(thread) + " has " + std::to_string(count) + " instructions, more than " + std::to_string(INSTRUCTIONS_MAX));
    }
    for (size_t i = 0; i < count; i++) {
      const std::string place = "thread " + std::to_string(thread) + " instruction " + std::to_string(i);
      threads[thread].push_back(InstructionText(texts[thread][i], place).read(count));
    }
  }
  return threads;
}

State step(State state, const Thread& instructions, size_t thread) {
  const Instruction& instruction = instructions[state.at[thread]];
  uint8_t& location = state.memory[instruction.location];
  const bool branches = instruction.reads && location == instruction.compared;
  if (instruction.writes) location = instruction.stored;
  state.at[thread] = branches ? instruction.target : uint8_t(state.at[thread] + 1);
  state.has_run |= uint64_t(1) << thread;
  return state;
}

}  // namespace

ProgressGraph progress_litmus_graph(const std::vector<std::vector<std::string>>& texts) {
  const std::vector<Thread> threads = read_threads(texts);
  ProgressGraph graph;
  std::vector<State> states(1);
  std::unordered_map<State, uint32_t, StateHash> numbers = {{states[0], 0}};
  std::vector<ProgressEdge> edges;
  for (size_t number = 0; number < states.size(); number++) {
    uint64_t alive = 0;
    edges.clear();
    for (size_t thread = 0; thread < threads.size(); thread++) {
      if (states[number].at[thread] == threads[thread].size()) continue;
      alive |= uint64_t(1) << thread;
      const State next = step(states[number], threads[thread], thread);
      const auto [found, is_new] = numbers.try_emplace(next, uint32_t(states.size()));
      if (is_new) states.push_back(next);
      edges.push_back({uint32_t(thread), found->second});
    }
    if (states.size() > STATES_MAX) refuse("the program has more than " + std::to_string(STATES_MAX) + " states");
    graph.add_state(alive, states[number].has_run, 0, edges);
  }
  graph.finish();
  return graph;
}

std::map<std::string, bool> progress_verdicts(const std::vector<std::vector<std::string>>& threads) {
  const ProgressGraph graph = progress_litmus_graph(threads);
  std::map<std::string, bool> verdicts;
  for (const Progress model : PROGRESS_MODELS) {
    std::string name = progress_name(model);
    for (char& c : name) c = char(std::toupper(static_cast<unsigned char>(c)));
    verdicts[name] = graph.ends(model);
  }
  return verdicts;
}

}  // namespace warpfs
