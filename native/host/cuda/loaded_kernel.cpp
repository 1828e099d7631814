#include "loaded_kernel.h"

#include "../host_error.h"

#include <fstream>
#include <iterator>

namespace warpfs::cuda {

namespace {

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file || bytes.empty()) throw HostError(-Errno::enoent, "cannot read the compiled kernel " + path);
  return bytes;
}

class Linker {
 public:
  Linker() { check(driver().cuLinkCreate(0, nullptr, nullptr, &state_), "linking a kernel"); }
  ~Linker() { driver().cuLinkDestroy(state_); }
  void add(const std::string& path) {
    std::vector<char> cubin = read_file(path);
    check(driver().cuLinkAddData(state_, LINK_INPUT_CUBIN, cubin.data(), cubin.size(), path.c_str(), 0, nullptr, nullptr), "linking " + path);
  }
  const void* link() {
    void* cubin = nullptr;
    size_t bytes = 0;
    check(driver().cuLinkComplete(state_, &cubin, &bytes), "linking a kernel");
    return cubin;
  }

 private:
  CUlinkState state_ = nullptr;
};

}  // namespace

LoadedKernel::LoadedKernel(Context& context, const std::vector<std::string>& paths, const KernelConstants& constants) : context_(context), name_(paths.back()) {
  context_.enter();
  Linker linker;
  for (const std::string& path : paths) linker.add(path);
  check(driver().cuModuleLoadData(&module_, linker.link()), "loading " + name_);
  CUdeviceptr place = 0;
  size_t bytes = 0;
  const CUresult found = driver().cuModuleGetGlobal(&place, &bytes, module_, "warpfs_constants");
  if (found != CUDA_SUCCESS || bytes != sizeof constants || word("warpfs_abi_hash") != ABI_HASH) {
    driver().cuModuleUnload(module_);
    throw HostError(-Errno::einval, "the compiled kernel " + name_ + " belongs to another version of WarpFS");
  }
  copy_to_gpu(place, &constants, bytes, "telling " + name_ + " where the tables are");
}

LoadedKernel::~LoadedKernel() {
  if (!context_.enter_to_free()) return;
  driver().cuCtxSynchronize();
  driver().cuModuleUnload(module_);
}

CUfunction LoadedKernel::function(const char* name) const {
  CUfunction function = nullptr;
  check(driver().cuModuleGetFunction(&function, module_, name), std::string("looking for ") + name + " in " + name_);
  return function;
}

uint32_t LoadedKernel::word(const char* name) const {
  CUdeviceptr place = 0;
  size_t bytes = 0;
  uint32_t value = 0;
  check(driver().cuModuleGetGlobal(&place, &bytes, module_, name), std::string("looking for ") + name + " in " + name_);
  check(driver().cuMemcpyDtoH(&value, place, sizeof value), std::string("reading ") + name);
  return value;
}

}  // namespace warpfs::cuda
