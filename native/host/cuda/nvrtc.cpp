#include "nvrtc.h"

#include "driver_api.h"
#include "loaded_library.h"
#include "nvrtc_places.h"

#include <filesystem>
#include <memory>

namespace warpfs::cuda {

namespace {

using Result = int;  // 0: NVRTC_SUCCESS
using Program = struct ProgramOfNvrtc*;

/// NVRTC opens libnvrtc-builtins by its bare name, and the folder of a package of pip is on nobody's path. The loader takes one that is loaded
/// already.
void load_builtins_beside(const std::string& library) {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(library).parent_path(), error)) {
    if (file.path().filename().string().rfind("libnvrtc-builtins.", 0) == 0) dlopen(file.path().c_str(), RTLD_NOW | RTLD_LOCAL);
  }
}

}  // namespace

/// Unchanged from CUDA 11.1 to 13.
struct Nvrtc::Calls {
  Result (*version)(int* major, int* minor);
  const char* (*error_text)(Result);
  Result (*create)(Program*, const char* text, const char* name, int header_count, const char* const* headers, const char* const* header_names);
  Result (*destroy)(Program*);
  Result (*compile)(Program, int option_count, const char* const* options);
  Result (*log_size)(Program, size_t*);
  Result (*log)(Program, char*);
  Result (*cubin_size)(Program, size_t*);
  Result (*cubin)(Program, char*);

  /// The name of the first call that the library lacks; null where it has all of them.
  const char* find_in(void* library) {
    const char* lacking = nullptr;
    const auto find = [&]<typename Function>(Function& place, const char* name) {
      place = symbol<Function>(library, name);
      if (place == nullptr && lacking == nullptr) lacking = name;
    };
    find(version, "nvrtcVersion");
    find(error_text, "nvrtcGetErrorString");
    find(create, "nvrtcCreateProgram");
    find(destroy, "nvrtcDestroyProgram");
    find(compile, "nvrtcCompileProgram");
    find(log_size, "nvrtcGetProgramLogSize");
    find(log, "nvrtcGetProgramLog");
    find(cubin_size, "nvrtcGetCUBINSize");
    find(cubin, "nvrtcGetCUBIN");
    return lacking;
  }
};

const Nvrtc& Nvrtc::instance() {
  static const Nvrtc found;
  return found;
}

Nvrtc::Nvrtc() {
  const int newest = driver_state().version / 1000;
  std::string refused;
  std::string newer;
  for (const std::string& candidate : nvrtc_candidates()) {
    const Taken taken = take(candidate, newest);
    if (taken.refused.empty() && !taken.newer) return;
    if (taken.newer && newer.empty()) newer = candidate;
    // A bare name that the loader does not know is no news; a file that is there and cannot be used is.
    if (!taken.newer && candidate.find('/') != std::string::npos) refused += "; " + taken.refused;
  }
  if (!newer.empty() && take(newer, 0).refused.empty()) return;
  missing_ = "not found (" + nvrtc_places() + ")" + refused + ". Install it with pip (nvidia-cuda-nvrtc, nvidia-cuda-nvrtc-cu12 for older drivers) or " +
             "with the CUDA toolkit, or name the library in WARPFS_NVRTC";
}

Nvrtc::Taken Nvrtc::take(const std::string& candidate, int newest) {
  void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {dlerror(), false};
  auto calls = std::make_unique<Calls>();
  if (const char* lacking = calls->find_in(library)) {
    dlclose(library);
    return {candidate + " lacks " + lacking + ", so it is no NVRTC of CUDA 11.1 or newer", false};
  }
  int major = 0;
  int minor = 0;
  calls->version(&major, &minor);
  if (newest != 0 && major > newest) {
    dlclose(library);
    return {"", true};
  }
  version_ = std::to_string(major) + "." + std::to_string(minor);
  path_ = path_of(reinterpret_cast<const void*>(calls->version), candidate);
  calls_ = calls.release();  // for as long as the process lives, like the library
  load_builtins_beside(path_);
  return {};
}

NvrtcOutcome Nvrtc::compile(const std::string& text, const std::string& name, const std::vector<std::string>& options) const {
  NvrtcOutcome outcome;
  if (calls_ == nullptr) {
    outcome.log = "NVRTC: " + missing_;
    return outcome;
  }
  Program program = nullptr;
  Result result = calls_->create(&program, text.c_str(), name.c_str(), 0, nullptr, nullptr);
  if (result == 0) {
    std::vector<const char*> words;
    for (const std::string& option : options) words.push_back(option.c_str());
    result = calls_->compile(program, int(words.size()), words.data());
    // The size of the log counts the zero byte at its end.
    size_t bytes = 0;
    if (calls_->log_size(program, &bytes) == 0 && bytes > 1) {
      outcome.log.resize(bytes);
      calls_->log(program, outcome.log.data());
      outcome.log.resize(bytes - 1);
    }
    if (result == 0) result = calls_->cubin_size(program, &bytes);
    if (result == 0) {
      outcome.cubin.resize(bytes);
      result = calls_->cubin(program, outcome.cubin.data());
    }
    calls_->destroy(&program);
  }
  outcome.ok = result == 0 && !outcome.cubin.empty();
  if (!outcome.ok && outcome.log.empty()) outcome.log = std::string("NVRTC ") + path_ + ": " + calls_->error_text(result);
  return outcome;
}

}  // namespace warpfs::cuda
