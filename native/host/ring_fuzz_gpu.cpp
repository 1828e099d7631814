#include "ring_fuzz_gpu.h"

#include <algorithm>

namespace warpfs::fuzz {

namespace {

constexpr uint32_t OPCODES = Opcode::STAT + 2;  // one that nobody knows as well
constexpr uint64_t FAR_OFFSETS[] = {uint64_t(1) << 63, (uint64_t(1) << 63) - 1, (uint64_t(1) << 63) - 512, ~uint64_t(0), ~uint64_t(511),
                                    uint64_t(1) << 32, (uint64_t(1) << 32) - 512, uint64_t(1) << 40, (uint64_t(1) << 31) - 1};

}  // namespace

uint64_t FuzzGpu::offset(Input& input) const {
  const uint8_t choice = input.byte();
  if (choice < 128) return choice % 8 * uint64_t(geometry_.line_bytes);
  if (choice < 224) return choice % 8 * uint64_t(geometry_.line_bytes) + input.byte();
  return choice < 252 ? FAR_OFFSETS[choice % std::size(FAR_OFFSETS)] : input.wide();
}

Request FuzzGpu::nearly_right(Input& input) const {
  Request r{};
  r.opcode = input.below(OPCODES);
  const uint8_t strange = input.byte();  // one bit for each field that is
  r.file = oracle_.handles[input.below(uint32_t(oracle_.handles.size()))];
  if (r.opcode == Opcode::OPEN) r.file = input.below(3);
  r.mailbox = input.below(geometry_.slot_count);
  if (r.opcode == Opcode::WRITE_BACK) r.mailbox = memory_.of_gpu().files[r.file % geometry_.file_count].file_id;
  r.offset = offset(input);
  if (r.opcode == Opcode::FILL) r.offset -= r.offset % geometry_.line_bytes;
  if (r.opcode == Opcode::FILL || r.opcode == Opcode::WRITE_BACK) {
    r.line_count = r.opcode == Opcode::FILL ? 1 + input.below(REQUEST_LINES_MAX) : 1;
    const uint32_t lines = geometry_.line_count + geometry_.bypass_count;
    const uint32_t first = input.byte();
    for (uint32_t i = 0; i < r.line_count; i++) r.lines[i] = (first + i * 3) % lines;
    if (first >= 128) r.lines[input.below(REQUEST_LINES_MAX)] = LINE_NONE;
  }
  if (r.opcode == Opcode::FILL) r.length = r.line_count * geometry_.line_bytes;
  else if (r.opcode == Opcode::WRITE_BACK) r.length = 1 + input.byte() * 2 % (geometry_.line_bytes - uint32_t(r.offset % geometry_.line_bytes));
  else if (r.opcode == Opcode::OPEN) r.length = uint32_t(strnlen(reinterpret_cast<const char*>(memory_.outbox(r.mailbox)), PATH_BYTES_MAX - 1));
  else r.length = strange >> 7;  // CLOSE: keep
  if ((strange & 1) != 0) r.file = input.word();
  if ((strange & 2) != 0) r.mailbox = input.word();
  if ((strange & 4) != 0) r.length = input.word();
  if ((strange & 8) != 0) r.line_count = input.byte();
  if ((strange & 16) != 0) r.lines[input.below(REQUEST_LINES_MAX)] = input.word();
  if ((strange & 32) != 0) r.opcode = input.word();
  return r;
}

void FuzzGpu::publish(uint32_t ring, Request request) {
  const uint32_t position = tails_[ring]++;
  request.sequence = position + 1;
  memory_.of_gpu().requests[ring * geometry_.ring_slots + position % geometry_.ring_slots] = request;
}

void FuzzGpu::write_path(uint32_t slot, const std::string& path) {
  uint8_t* outbox = memory_.outbox(slot % geometry_.slot_count);
  const size_t count = std::min<size_t>(path.size(), PATH_BYTES_MAX - 1);
  std::memcpy(outbox, path.data(), count);
  outbox[count] = 0;
}

Request FuzzGpu::open_request(uint32_t slot, uint32_t mode) const {
  Request r{};
  r.opcode = Opcode::OPEN;
  r.file = mode;
  r.mailbox = slot;
  r.length = uint32_t(strnlen(reinterpret_cast<const char*>(memory_.outbox(slot)), PATH_BYTES_MAX - 1));
  return r;
}

}  // namespace warpfs::fuzz
