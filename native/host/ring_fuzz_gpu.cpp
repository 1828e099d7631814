#include "ring_fuzz_gpu.h"

#include <algorithm>

namespace warpfs::fuzz {

namespace {

constexpr uint32_t OPCODES = Opcode::RENAME + 2;  // one that nobody knows as well
constexpr uint64_t FAR_OFFSETS[] = {uint64_t(1) << 63, (uint64_t(1) << 63) - 1, (uint64_t(1) << 63) - 512, ~uint64_t(0), ~uint64_t(511),
                                    uint64_t(1) << 32, (uint64_t(1) << 32) - 512, uint64_t(1) << 40, (uint64_t(1) << 31) - 1, (uint64_t(1) << 32) + 100, (uint64_t(1) << 32) + 101};
constexpr uint32_t FLAGS[] = {0, OPEN_WRITE, OPEN_WRITE | OPEN_CREATE, OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE,
                              OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE, OPEN_WRITE | OPEN_TRUNCATE};

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
  if (r.opcode == Opcode::OPEN) {
    const uint8_t choice = input.byte();
    r.file = choice < 224 ? FLAGS[choice % std::size(FLAGS)] : choice;
  }
  r.mailbox = input.below(geometry_.slot_count);
  const bool fills = r.opcode == Opcode::FILL, writes_back = r.opcode == Opcode::WRITE_BACK;
  const uint32_t index = handle_index(r.file);
  if (fills || writes_back) r.mailbox = memory_.of_gpu().files[index % geometry_.file_count].file_id;
  r.offset = offset(input);
  if (fills) r.offset -= r.offset % geometry_.line_bytes;
  if (fills || writes_back) {
    r.line_count = fills ? 1 + input.below(REQUEST_LINES_MAX) : 1;
    const uint32_t lines = geometry_.line_count + geometry_.bypass_count;
    const uint32_t first = input.byte();
    for (uint32_t i = 0; i < r.line_count; i++) r.lines[i] = (first + i * 3) % lines;
    if (first >= 128) r.lines[fills ? input.below(REQUEST_LINES_MAX) : 1] = fills ? uint32_t(LINE_NONE) : 1 + first % geometry_.mask_count;
  }
  if (writes_back && r.lines[1] != 0) {
    r.offset -= r.offset % geometry_.line_bytes;
    r.length = geometry_.line_bytes;
  } else if (writes_back) {
    r.length = 1 + input.byte() * 2 % (geometry_.line_bytes - uint32_t(r.offset % geometry_.line_bytes));
  } else if (fills) {
    r.length = r.line_count * geometry_.line_bytes;
  } else if (r.opcode == Opcode::OPEN || r.opcode == Opcode::UNLINK || r.opcode == Opcode::RENAME) {
    r.length = path_bytes(r.mailbox, 0);
    if (r.opcode == Opcode::RENAME) r.offset = path_bytes(r.mailbox, r.length + 1);
  } else {
    r.length = strange >> 7;  // CLOSE, SYNC: a write-back failed
  }
  if ((strange & 1) != 0) r.file = input.word();
  if ((strange & 2) != 0) r.mailbox = input.word();
  if ((strange & 4) != 0) r.length = input.word();
  if ((strange & 8) != 0) r.line_count = input.byte();
  if ((strange & 16) != 0) r.lines[input.below(REQUEST_LINES_MAX)] = input.word();
  if ((strange & 32) != 0) r.opcode = input.word();
  if ((strange & 64) != 0) r.offset = input.wide();
  return r;
}

void FuzzGpu::publish(uint32_t ring, Request request) {
  const uint32_t position = tails_[ring]++;
  request.sequence = position + 1;
  memory_.of_gpu().requests[ring * geometry_.ring_slots + position % geometry_.ring_slots] = request;
}

uint32_t FuzzGpu::path_bytes(uint32_t slot, uint32_t from) const {
  return uint32_t(strnlen(reinterpret_cast<const char*>(memory_.outbox(slot)) + from, PATH_BYTES_MAX - 1));
}

void FuzzGpu::put_path(uint32_t slot, uint32_t from, const std::string& path) {
  uint8_t* outbox = memory_.outbox(slot) + from;
  const size_t count = std::min<size_t>(path.size(), PATH_BYTES_MAX - 1);
  std::memcpy(outbox, path.data(), count);
  outbox[count] = 0;
}

void FuzzGpu::write_path(uint32_t slot, const std::string& path) { put_path(slot % geometry_.slot_count, 0, path); }

void FuzzGpu::write_second_path(uint32_t slot, const std::string& path) {
  put_path(slot % geometry_.slot_count, path_bytes(slot % geometry_.slot_count, 0) + 1, path);
}

void FuzzGpu::write_mask(Input& input, uint32_t mask) {
  std::vector<bool> bits(geometry_.line_bytes);
  for (uint32_t runs = input.below(6); runs > 0; runs--) {
    const uint32_t first = input.byte() * 2, count = input.byte();
    for (uint32_t bit = first; bit < first + count && bit < bits.size(); bit++) bits[bit] = true;
  }
  memory_.write_mask(mask % geometry_.mask_count, bits);
}

Request FuzzGpu::open_request(uint32_t slot, uint32_t flags) const {
  Request r{};
  r.opcode = Opcode::OPEN;
  r.file = flags;
  r.mailbox = slot;
  r.length = path_bytes(slot, 0);
  return r;
}

}  // namespace warpfs::fuzz
