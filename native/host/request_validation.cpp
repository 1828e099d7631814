#include "request_validation.h"

#include <cstring>

namespace warpfs {

namespace {

constexpr uint64_t OFFSET_LIMIT = uint64_t(1) << 63;  // file offsets of the operating system are signed

bool overflows(uint64_t offset, uint64_t length) { return offset >= OFFSET_LIMIT || length > OFFSET_LIMIT - 1 - offset; }

int32_t check_fill(const Request& request, const RequestLimits& limits) {
  if (request.line_count == 0 || request.line_count > REQUEST_LINES_MAX) return -Errno::einval;
  for (uint32_t i = 0; i < request.line_count; i++) {
    const uint32_t line = request.lines[i];
    if (line == LINE_NONE) continue;
    if (line >= limits.line_total) return -Errno::einval;
    for (uint32_t before = 0; before < i; before++) {
      if (request.lines[before] == line) return -Errno::einval;
    }
  }
  if (request.length != request.line_count * limits.line_bytes) return -Errno::einval;
  if (request.offset % limits.line_bytes != 0) return -Errno::einval;
  return overflows(request.offset, request.length) ? -Errno::eoverflow : 0;
}

int32_t check_write_back(const Request& request, const RequestLimits& limits) {
  if (request.line_count != 1 || request.lines[0] >= limits.line_total) return -Errno::einval;
  if (request.mailbox == 0) return -Errno::einval;  // the file_id of the bytes; no bytes have this one
  if (request.length == 0 || request.offset % limits.line_bytes + request.length > limits.line_bytes) return -Errno::einval;
  if (overflows(request.offset, request.length)) return -Errno::eoverflow;
  if (limits.read_only) return -Errno::erofs;
  return (request.file & HANDLE_WRITABLE) == 0 ? -Errno::ebadf : 0;
}

int32_t check_open(const Request& request, const RequestLimits& limits) {
  if (request.file > OpenMode::CREATE) return -Errno::einval;
  if (request.length == 0) return -Errno::einval;
  if (request.length > PATH_BYTES_MAX - 1) return -Errno::enametoolong;
  return limits.read_only && request.file != OpenMode::READ ? -Errno::erofs : 0;
}

int32_t check_extend(const Request& request, const RequestLimits& limits) {
  if (request.offset >= OFFSET_LIMIT) return -Errno::efbig;
  if (limits.read_only) return -Errno::erofs;
  return (request.file & HANDLE_WRITABLE) == 0 ? -Errno::ebadf : 0;
}

}  // namespace

RequestLimits limits_of(const Geometry& geometry, bool read_only) {
  return {geometry.line_bytes, geometry.line_count + geometry.bypass_count, geometry.slot_count, read_only};
}

int32_t check_request(const Request& request, const RequestLimits& limits) {
  switch (request.opcode) {
    case Opcode::NOP: return 0;
    case Opcode::FILL: return check_fill(request, limits);
    case Opcode::WRITE_BACK: return check_write_back(request, limits);
    default: break;
  }
  if (request.mailbox >= limits.slot_count) return -Errno::einval;
  switch (request.opcode) {
    case Opcode::OPEN: return check_open(request, limits);
    case Opcode::EXTEND: return check_extend(request, limits);
    case Opcode::CLOSE:
    case Opcode::SYNC:
    case Opcode::STAT: return 0;
    default: return -Errno::enosys;
  }
}

int32_t check_path(const char* copy, uint32_t length) {
  return std::memchr(copy, 0, size_t(length) + 1) == copy + length ? 0 : -Errno::einval;
}

uint32_t answerable_lines(const Request& request, const RequestLimits& limits, uint32_t (&lines)[REQUEST_LINES_MAX]) {
  const uint32_t named = request.line_count < REQUEST_LINES_MAX ? request.line_count : uint32_t(REQUEST_LINES_MAX);
  uint32_t count = 0;
  for (uint32_t i = 0; i < named; i++) {
    bool wanted = request.lines[i] < limits.line_total;
    for (uint32_t before = 0; before < count; before++) wanted = wanted && lines[before] != request.lines[i];
    if (wanted) lines[count++] = request.lines[i];
  }
  return count;
}

}  // namespace warpfs
