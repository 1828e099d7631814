// NVIDIA's compiler as a library, found at run time: CUDA C++ to machine code for one kind of GPU, without headers, files or processes.
#pragma once
#include <string>
#include <vector>

namespace warpfs::cuda {

struct NvrtcOutcome {
  bool ok = false;
  std::string log;    // what the compiler said, also where it went well
  std::string cubin;  // where it is ok
};

/// Looked for with the first use, from any thread; it stays loaded.
class Nvrtc {
 public:
  static const Nvrtc& instance();

  const std::string& path() const { return path_; }  // empty where there is none
  const std::string& version() const { return version_; }  // "13.0"
  const std::string& missing() const { return missing_; }  // why there is none, and what to do; empty where there is one

  /// From any thread. `name` is what the log calls the text. Without NVRTC the outcome is not ok, and the log says why.
  NvrtcOutcome compile(const std::string& text, const std::string& name, const std::vector<std::string>& options) const;

 private:
  Nvrtc();
  struct Taken {
    std::string refused;  // why the library cannot be used; empty where it can
    bool newer = false;   // it can, and was not taken yet
  };
  /// A driver may not load what a compiler of a later major version of CUDA makes: such a one is left. `newest` 0: none is.
  Taken take(const std::string& candidate, int newest);

  struct Calls;
  const Calls* calls_ = nullptr;
  std::string path_;
  std::string version_;
  std::string missing_;
};

}  // namespace warpfs::cuda
