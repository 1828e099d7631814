#include "cuda_binding.h"

#include "../cuda/driver_api.h"
#include "../cuda/nvrtc.h"
#include "../cuda/process_refusal.h"
#include "arguments.h"

#include <memory>
#include <vector>

namespace warpfs {

namespace {

void set_found(Napi::Object& object, const std::string& path, const std::string& version, const std::string& missing) {
  object.Set("found", !path.empty());
  if (!path.empty()) object.Set("path", path);
  if (!path.empty()) object.Set("version", version);
  object.Set("reason", missing);
}

struct GpuFacts {
  char name[256] = {};
  int compute_major = 0, compute_minor = 0, multiprocessors = 0;
  size_t memory_bytes = 0;
};

/// Asked for once: a driver that refuses this process later would have other answers.
const std::vector<GpuFacts>& gpus(const cuda::DriverState& state) {
  static const std::vector<GpuFacts> found = [&state] {
    std::vector<GpuFacts> all(state.missing.empty() ? size_t(state.device_count) : 0);
    for (size_t index = 0; index < all.size(); index++) {
      GpuFacts& gpu = all[index];
      cuda::CUdevice device = 0;
      state.api.cuDeviceGet(&device, int(index));
      state.api.cuDeviceGetName(gpu.name, sizeof gpu.name, device);
      state.api.cuDeviceTotalMem(&gpu.memory_bytes, device);
      state.api.cuDeviceGetAttribute(&gpu.compute_major, cuda::DEVICE_COMPUTE_MAJOR, device);
      state.api.cuDeviceGetAttribute(&gpu.compute_minor, cuda::DEVICE_COMPUTE_MINOR, device);
      state.api.cuDeviceGetAttribute(&gpu.multiprocessors, cuda::DEVICE_MULTIPROCESSORS, device);
    }
    return all;
  }();
  return found;
}

Napi::Value gpu_values(Napi::Env env, const GpuFacts& gpu, size_t index) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("index", double(index));
  object.Set("name", gpu.name);
  object.Set("computeMajor", gpu.compute_major);
  object.Set("computeMinor", gpu.compute_minor);
  object.Set("multiprocessors", gpu.multiprocessors);
  object.Set("memoryBytes", double(gpu.memory_bytes));
  return object;
}

Napi::Value cuda_probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const cuda::DriverState& state = cuda::driver_state();
  Napi::Object driver = Napi::Object::New(env);
  set_found(driver, state.path, cuda::version_name(state.version), state.missing);
  Napi::Array devices = Napi::Array::New(env);
  const std::vector<GpuFacts>& all = gpus(state);
  for (size_t index = 0; index < all.size(); index++) devices.Set(uint32_t(index), gpu_values(env, all[index], index));
  const cuda::Nvrtc& compiler = cuda::Nvrtc::instance();
  Napi::Object nvrtc = Napi::Object::New(env);
  set_found(nvrtc, compiler.path(), compiler.version(), compiler.missing());
  Napi::Object probe = Napi::Object::New(env);
  probe.Set("driver", driver);
  probe.Set("devices", devices);
  probe.Set("nvrtc", nvrtc);
  return probe;
}

/// One compilation, on a thread of Node's pool.
class CompileWorker final : public Napi::AsyncWorker {
 public:
  CompileWorker(Napi::Env env, const Napi::Object& request)
      : AsyncWorker(env, "warpfs:nvrtc"), deferred_(Napi::Promise::Deferred::New(env)), text_(string_field(request, "text")), name_(string_field(request, "name")) {
    const Napi::Value options = required(request, "options");
    if (!options.IsArray()) throw Napi::TypeError::New(env, "not an array: options");
    const Napi::Array words = options.As<Napi::Array>();
    for (uint32_t at = 0; at < words.Length(); at++) options_.push_back(words.Get(at).ToString().Utf8Value());
  }

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute() override { outcome_ = cuda::Nvrtc::instance().compile(text_, name_, options_); }

  void OnOK() override {
    Napi::Object result = Napi::Object::New(Env());
    result.Set("ok", outcome_.ok);
    result.Set("log", outcome_.log);
    if (outcome_.ok) {
      const size_t bytes = outcome_.cubin.size();
      Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(Env(), bytes);
      outcome_.cubin.copy(static_cast<char*>(buffer.Data()), bytes);
      result.Set("cubin", Napi::Uint8Array::New(Env(), bytes, buffer, 0));
    }
    deferred_.Resolve(result);
  }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  std::string text_;
  std::string name_;
  std::vector<std::string> options_;
  cuda::NvrtcOutcome outcome_;
};

Napi::Value nvrtc_compile(const Napi::CallbackInfo& info) {
  auto worker = std::make_unique<CompileWorker>(info.Env(), info[0].As<Napi::Object>());
  const Napi::Promise promise = worker->promise();
  worker.release()->Queue();  // deletes itself when it is done
  return promise;
}

}  // namespace

void add_cuda_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaProbe", Napi::Function::New(env, cuda_probe));
  exports.Set("cudaRefusal", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                return Napi::String::New(info.Env(), cuda::process_refusal());
              }));
  exports.Set("nvrtcCompile", Napi::Function::New(env, nvrtc_compile));
}

}  // namespace warpfs
