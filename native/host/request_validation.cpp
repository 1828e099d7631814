#include "request_validation.h"

#include <algorithm>
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
  if (has_mask(request)) {
    // Of the whole line. Where its last byte lies only the mask says.
    if (mask_of(request) >= limits.mask_count || request.length != limits.line_bytes) return -Errno::einval;
    if (request.offset >= OFFSET_LIMIT) return -Errno::eoverflow;
  } else {
    if (overflows(request.offset, request.length)) return -Errno::eoverflow;
    if (request.offset + request.length > limits.file_bytes_max) return -Errno::efbig;
  }
  if (limits.read_only) return -Errno::erofs;
  return (request.file & HANDLE_WRITABLE) == 0 ? -Errno::ebadf : 0;
}

int32_t check_path_length(uint64_t length) {
  if (length == 0) return -Errno::einval;
  return length > PATH_BYTES_MAX - 1 ? -Errno::enametoolong : 0;
}

int32_t check_open(const Request& request, const RequestLimits& limits) {
  constexpr uint32_t KNOWN = OPEN_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_TRUNCATE;  // an end of file that moves is no place to write
  const auto has = [&](uint32_t flags) { return (request.file & flags) != 0; };
  if (has(~KNOWN)) return -Errno::einval;
  if (has(OPEN_EXCLUSIVE) && !has(OPEN_CREATE)) return -Errno::einval;
  if (has(OPEN_CREATE | OPEN_TRUNCATE) && !has(OPEN_WRITE)) return -Errno::einval;
  if (const int32_t error = check_path_length(request.length)) return error;
  return limits.read_only && has(OPEN_WRITE) ? -Errno::erofs : 0;
}

int32_t check_names(const Request& request, const RequestLimits& limits) {
  if (const int32_t error = check_path_length(request.length)) return error;
  if (request.opcode == Opcode::RENAME) {
    if (const int32_t error = check_path_length(request.offset)) return error;
  }
  return limits.read_only ? -Errno::erofs : 0;
}

/// EXTEND and TRUNCATE.
int32_t check_new_end(const Request& request, const RequestLimits& limits) {
  if (request.offset > limits.file_bytes_max) return -Errno::efbig;
  if (limits.read_only) return -Errno::erofs;
  return (request.file & HANDLE_WRITABLE) == 0 ? -Errno::ebadf : 0;
}

}  // namespace

RequestLimits limits_of(const Geometry& geometry, bool read_only) {
  return {geometry.line_bytes, geometry.line_count + geometry.bypass_count, geometry.slot_count, geometry.mask_count,
          std::min(geometry.file_bytes_max, OFFSET_LIMIT - 1), read_only};
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
    case Opcode::EXTEND:
    case Opcode::TRUNCATE: return check_new_end(request, limits);
    case Opcode::UNLINK:
    case Opcode::RENAME: return check_names(request, limits);
    case Opcode::CLOSE:
    case Opcode::SYNC: return request.length <= 1 ? 0 : -Errno::einval;
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
