// Programs as `fs.run` runs them, from C++: a list of steps for each warp.
#pragma once
#include "host_error.h"
#include "mount.h"

#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace warpfs::test {

/// The code and the message of what it throws.
inline std::string failure_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const HostError& error) {
    return error.code + " " + error.what();
  }
  return "";
}
inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// How a program opens a file.
struct OpenFor {
  static constexpr uint32_t READING = 0;
  static constexpr uint32_t CHANGING = OPEN_WRITE;   // it exists
  static constexpr uint32_t STARTING_OVER = OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE;  // it is made, or emptied
};

struct Step {
  uint32_t op;
  uint32_t target = 0;     // of all but OPEN: the index of the open in this program
  uint64_t offset = 0;
  std::string bytes = {};  // WRITE; OPEN: the path
  uint32_t mode = 0;       // OPEN
  uint32_t length = 0;     // READ
};
using Steps = std::vector<Step>;

inline Step open_step(const std::string& path, uint32_t mode) { return {.op = ProgramOp::OPEN, .bytes = path, .mode = mode}; }
inline Step write_step(uint32_t file, uint64_t offset, const std::string& bytes) {
  return {.op = ProgramOp::WRITE, .target = file, .offset = offset, .bytes = bytes};
}
inline Step read_step(uint32_t file, uint64_t offset, uint32_t length) {
  return {.op = ProgramOp::READ, .target = file, .offset = offset, .length = length};
}
inline Step sync_step(uint32_t file) { return {.op = ProgramOp::SYNC, .target = file}; }
inline Step close_step(uint32_t file) { return {.op = ProgramOp::CLOSE, .target = file}; }

/// The result of each step of each warp. A step that was not reached gives EINTR, which no file system here says. `read`: what the reads gave,
/// in the order of the programs.
inline std::vector<std::vector<int32_t>> run_programs(warpfs::Mount& mount, const std::vector<Steps>& programs, std::vector<std::string>* read = nullptr) {
  std::vector<ProgramWarp> warps;
  std::vector<ProgramStep> steps;
  std::string data;
  for (const Steps& program : programs) {
    warps.push_back({uint32_t(steps.size()), uint32_t(program.size())});
    for (const Step& step : program) {
      ProgramStep raw{};
      raw.op = step.op;
      raw.target = step.target;
      raw.offset = step.offset;
      raw.data = data.size();
      raw.length = step.op == ProgramOp::READ ? step.length : uint32_t(step.bytes.size());
      raw.mode = step.mode;
      steps.push_back(raw);
      data += step.bytes;
      data.resize((data.size() + step.length + 1 + 15) / 16 * 16);  // a path with its NUL; each begins on 16 bytes
    }
  }
  std::vector<ProgramResult> results(steps.size());
  std::vector<uint8_t> moved(data.begin(), data.end()), barriers(64);
  Dispatch dispatch;
  dispatch.items = uint32_t(programs.size());
  const auto add = [&](void* buffer, uint64_t bytes) {
    dispatch.buffers.push_back(buffer);
    dispatch.buffer_bytes.push_back(bytes);
  };
  add(warps.data(), warps.size() * sizeof(ProgramWarp));
  add(steps.data(), steps.size() * sizeof(ProgramStep));
  add(results.data(), results.size() * sizeof(ProgramResult));
  add(moved.data(), moved.size());
  add(barriers.data(), barriers.size());
  mount.run(dispatch);
  std::vector<std::vector<int32_t>> answers;
  for (const ProgramWarp& warp : warps) {
    answers.emplace_back();
    for (uint32_t step = 0; step < warp.step_count; step++) {
      const ProgramResult& result = results[warp.first_step + step];
      answers.back().push_back(result.done != 0 ? result.result : -Errno::eintr);
      const ProgramStep& raw = steps[warp.first_step + step];
      if (read != nullptr && raw.op == ProgramOp::READ) read->emplace_back(moved.begin() + int64_t(raw.data), moved.begin() + int64_t(raw.data + raw.length));
    }
  }
  return answers;
}

}  // namespace warpfs::test
