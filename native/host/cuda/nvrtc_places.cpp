#include "nvrtc_places.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>

namespace warpfs::cuda {

namespace {

namespace fs = std::filesystem;

// A major version is one interface; both have all that is needed here.
constexpr const char* NAMES[] = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void add_files(std::vector<std::string>& found, const fs::path& folder) {
  std::error_code ignored;
  for (const char* name : NAMES) {
    if (fs::exists(folder / name, ignored)) found.push_back((folder / name).string());
  }
}

void add_toolkit(std::vector<std::string>& found, const fs::path& root) {
  if (root.empty()) return;
  for (const char* folder : {"lib64", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"}) add_files(found, root / folder);
}

/// The packages of pip below one prefix, as in /usr for /usr/bin/python3.
void add_python(std::vector<std::string>& found, const fs::path& prefix) {
  std::error_code error;
  for (const fs::directory_entry& python : fs::directory_iterator(prefix / "lib", error)) {
    if (python.path().filename().string().rfind("python3", 0) != 0) continue;
    for (const char* packages : {"site-packages", "dist-packages"}) {
      const fs::path nvidia = python.path() / packages / "nvidia";
      add_files(found, nvidia / "cu13" / "lib");
      add_files(found, nvidia / "cuda_nvrtc" / "lib");
    }
  }
}

std::vector<fs::path> python_prefixes() {
  std::vector<fs::path> prefixes;
  if (const std::string environment = variable("VIRTUAL_ENV"); !environment.empty()) prefixes.push_back(environment);
  const std::string path = variable("PATH");
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find(':', at), path.size());
    const fs::path python = fs::path(path.substr(at, end - at)) / "python3";
    at = end + 1;
    std::error_code error;
    if (!python.is_absolute() || !fs::exists(python, error)) continue;
    prefixes.push_back(python.parent_path().parent_path());
    // One that is a link has the packages of the place that it leads to as well.
    const fs::path real = fs::canonical(python, error);
    if (!error) prefixes.push_back(real.parent_path().parent_path());
  }
  // What `pip install` without and with --user takes where python3 belongs to the system.
  prefixes.push_back("/usr/local");
  if (const std::string home = variable("HOME"); !home.empty()) prefixes.push_back(fs::path(home) / ".local");
  return prefixes;
}

}  // namespace

std::vector<std::string> nvrtc_candidates() {
  // Who names a file wants that file: another one in its place would hide the mistake.
  if (const std::string named = variable("WARPFS_NVRTC"); !named.empty()) return {named};
  std::vector<std::string> found(std::begin(NAMES), std::end(NAMES));
  add_toolkit(found, variable("CUDA_PATH"));
  add_toolkit(found, variable("CUDA_HOME"));
  add_toolkit(found, "/usr/local/cuda");
  for (const fs::path& prefix : python_prefixes()) add_python(found, prefix);
  return found;
}

std::string nvrtc_places() {
  if (const std::string named = variable("WARPFS_NVRTC"); !named.empty()) return "WARPFS_NVRTC=" + named;
  return "libnvrtc.so.13, .12 and libnvrtc.so, where the loader looks, below CUDA_PATH, CUDA_HOME and /usr/local/cuda, and in the packages of python3";
}

}  // namespace warpfs::cuda
