#include "cuda_binding.h"

#include "../cuda/driver_api.h"
#include "../cuda/nvrtc.h"
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

Napi::Value device_values(Napi::Env env, const cuda::DriverApi& driver, int index) {
  cuda::CUdevice device = 0;
  driver.cuDeviceGet(&device, index);
  char name[256] = {};
  driver.cuDeviceGetName(name, sizeof name, device);
  size_t bytes = 0;
  driver.cuDeviceTotalMem(&bytes, device);
  const auto attribute = [&](int which) {
    int value = 0;
    driver.cuDeviceGetAttribute(&value, which, device);
    return value;
  };
  Napi::Object object = Napi::Object::New(env);
  object.Set("index", index);
  object.Set("name", name);
  object.Set("computeMajor", attribute(cuda::DEVICE_COMPUTE_MAJOR));
  object.Set("computeMinor", attribute(cuda::DEVICE_COMPUTE_MINOR));
  object.Set("multiprocessors", attribute(cuda::DEVICE_MULTIPROCESSORS));
  object.Set("memoryBytes", double(bytes));
  return object;
}

Napi::Value cuda_probe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const cuda::DriverState& state = cuda::driver_state();
  Napi::Object driver = Napi::Object::New(env);
  set_found(driver, state.path, cuda::version_name(state.version), state.missing);
  Napi::Array devices = Napi::Array::New(env);
  const int usable = state.missing.empty() ? state.device_count : 0;
  for (int index = 0; index < usable; index++) devices.Set(uint32_t(index), device_values(env, state.api, index));
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
  exports.Set("nvrtcCompile", Napi::Function::New(env, nvrtc_compile));
}

}  // namespace warpfs
