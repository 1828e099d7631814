// The errors of this operating system, told in the one vocabulary of abi.h.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

namespace warpfs {

/// The negated abi number of an errno of this machine. What the vocabulary lacks becomes the nearest word in it, at last EIO.
int32_t failure(int host_errno);

/// "ENOENT" for 2 or -2 (abi numbers).
const char* error_name(int32_t abi_error);

/// Thrown where there is no gpu to answer: while a daemon is set up.
struct HostError : std::runtime_error {
  HostError(int32_t abi_error, const std::string& message) : std::runtime_error(message), code(error_name(abi_error)) {}
  HostError(std::string code_, const std::string& message) : std::runtime_error(message), code(std::move(code_)) {}
  std::string code;  // such as "ENOENT", or a code of the surface
};

}  // namespace warpfs
