// An input of the fuzzer as a source of numbers: what lies behind its end is zeros, so that every input means something.
#pragma once
#include "abi_host.h"

#include <cstring>
#include <string>

namespace warpfs::fuzz {

class Input {
 public:
  Input(const uint8_t* bytes, size_t count) : at_(bytes), end_(bytes + count) {}
  bool empty() const { return at_ == end_; }
  uint8_t byte() { return at_ == end_ ? 0 : *at_++; }
  uint32_t below(uint32_t limit) { return byte() % limit; }
  uint32_t word() { return number<uint32_t>(); }
  uint64_t wide() { return number<uint64_t>(); }
  std::string text(size_t count) {
    count = count < size_t(end_ - at_) ? count : size_t(end_ - at_);
    const std::string text(reinterpret_cast<const char*>(at_), count);
    at_ += count;
    return text;
  }
  template <typename T>
  T number() {
    T value{};
    const size_t count = sizeof value < size_t(end_ - at_) ? sizeof value : size_t(end_ - at_);
    std::memcpy(&value, at_, count);
    at_ += count;
    return value;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace warpfs::fuzz
