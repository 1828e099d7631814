#include "kernels.h"

#include "../abi_host.h"
#include "../host_error.h"

#include <fstream>
#include <sstream>

namespace warpfs::metal {

namespace {

constexpr int TRIES = 2;  // the compiler is a process of its own, which may die
constexpr const char* COMPILER_DIED = "XPC_ERROR_CONNECTION_INTERRUPTED";

std::string read_text(const std::string& path) {
  std::ostringstream text;
  std::ifstream file(path);
  text << file.rdbuf();
  if (!file) throw HostError(-Errno::enoent, "cannot read the text of a kernel, " + path);
  return text.str();
}

template <typename Make>
auto made_by(Make&& make) {
  for (int tries = 1;; tries++) {
    NSError* error = nil;
    auto object = make(&error);
    if (object) return object;
    const std::string said = text_of(error);
    if (tries < TRIES && said.find(COMPILER_DIED) != std::string::npos) continue;
    throw HostError("ERR_WARPFS_COMPILE", said);
  }
}

}  // namespace

id<MTLLibrary> Kernels::library(const std::string& path) {
  const auto found = libraries_.find(path);
  if (found != libraries_.end()) return found->second.get();
  const std::string text = read_text(path);
  const Held<MTLCompileOptions*> options([MTLCompileOptions new]);
  options.get().languageVersion = MTLLanguageVersion3_2;
  options.get().mathMode = MTLMathModeSafe;
  auto library = made_by([&](NSError** error) {
    return Held<id<MTLLibrary>>([context_.device() newLibraryWithSource:string_of(text.c_str()) options:options.get() error:error]);
  });
  return libraries_.emplace(path, std::move(library)).first->second.get();
}

id<MTLComputePipelineState> Kernels::find(const std::string& path, const char* name) {
  const std::string key = path + '\0' + name;
  const auto found = pipelines_.find(key);
  if (found != pipelines_.end()) return found->second.get();
  const Pool pool;
  const Held<id<MTLFunction>> function([library(path) newFunctionWithName:string_of(name)]);
  if (!function) throw HostError("ERR_WARPFS_COMPILE", path + " has no kernel " + name);
  auto pipeline = made_by([&](NSError** error) {
    return Held<id<MTLComputePipelineState>>(archives_.try_emplace(path, context_, path).first->second.new_pipeline(function.get(), error));
  });
  return pipelines_.emplace(key, std::move(pipeline)).first->second.get();
}

}  // namespace warpfs::metal
