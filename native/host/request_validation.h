// What a request may say. The gpu is not trusted: every field of a snapshot passes here before anything is done with it.
#pragma once
#include "abi_host.h"

namespace warpfs {

/// The host's own copy of what bounds a request: the geometry in shared memory could change under us.
struct RequestLimits {
  uint32_t line_bytes;
  uint32_t line_total;  // cache and bypass lines
  uint32_t slot_count;
  uint32_t mask_count;
  uint64_t file_bytes_max;
  bool read_only;
};

RequestLimits limits_of(const Geometry& geometry, bool read_only);

/// 0, or the negated error that refuses the request. Whether its handle names an open file is for the file table to say.
int32_t check_request(const Request& request, const RequestLimits& limits);

/// 0, or the negated error that refuses the path. The copy holds length + 1 bytes, the last of which must be the closing NUL.
int32_t check_path(const char* copy, uint32_t length);

/// The mask of a WRITE_BACK that passed: the bytes of its line are those whose bits are set there. False: all bytes of its range.
inline bool has_mask(const Request& request) { return request.lines[1] != 0; }
inline uint32_t mask_of(const Request& request) { return request.lines[1] - 1; }

/// True for the opcodes that are answered line by line.
inline bool is_about_lines(uint32_t opcode) { return opcode == Opcode::FILL || opcode == Opcode::WRITE_BACK; }

/// The distinct lines of the request that exist: the ones that can be told that it was refused. Returns how many.
uint32_t answerable_lines(const Request& request, const RequestLimits& limits, uint32_t (&lines)[REQUEST_LINES_MAX]);

}  // namespace warpfs
