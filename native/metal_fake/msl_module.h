// A text of Metal Shading Language, compiled by clang as C++ (include/metal_stdlib) and loaded: what stands in the place of Apple's compiler where the Metal
// device is tested without a Mac.
#pragma once
#include "include/msl_ids.h"
#include "../host/cpu/executor.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace warpfs::metal_fake {

/// What is wrong with a text, in the words of the compiler and in the lines of the text.
class MslError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct MslOptions {
  std::string shaders;                   // folder of the shader headers
  std::string folder;                    // for what is compiled, where it is found again; it must exist
  std::string clang = "clang++-19";
  std::string optimize = "-O1";
  std::vector<std::string> definitions;  // NAME or NAME=VALUE
};

/// One dispatch of threadgroups, each of as many SIMD-groups of 32 threads.
struct MslDispatch {
  uint32_t threadgroups = 0;
  uint32_t simdgroups = 1;
  uint32_t group_memory_bytes = 0;
  std::vector<void*> buffers;  // by their indices
  int64_t steps = -1;          // not -1: all threads together stop after so many, wherever they are
};

class MslModule {
 public:
  /// Throws MslError.
  MslModule(const std::string& text, const MslOptions& options);
  ~MslModule();
  MslModule(const MslModule&) = delete;
  MslModule& operator=(const MslModule&) = delete;

  /// The same for the same text.
  const std::string& key() const { return key_; }
  /// Null where the text has no kernel of that name.
  msl::Entry entry(const std::string& kernel) const;
  /// Runs all threads to their end.
  void run(CpuExecutor& executor, msl::Entry entry, const MslDispatch& dispatch) const;

 private:
  const std::string key_;
  void* handle_;
};

/// For Objective-C, whose functions C++ exceptions do not pass: null, and what is wrong.
std::shared_ptr<MslModule> compile_or_say(const std::string& text, const MslOptions& options, std::string& wrong) noexcept;

}  // namespace warpfs::metal_fake
