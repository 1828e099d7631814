#include "loads_binding.h"

#include "../metal/metal.h"
#include "dispatch_values.h"
#include "piece_values.h"

#include <memory>

namespace warpfs {

namespace {

class LoadWorker final : public Napi::AsyncWorker {
 public:
  LoadWorker(Napi::Env env, std::shared_ptr<Loads> loads, std::vector<FilePiece> pieces)
      : AsyncWorker(env, "warpfs:loads"), deferred_(Napi::Promise::Deferred::New(env)), loads_(std::move(loads)), pieces_(std::move(pieces)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute() override {
    try {
      nanoseconds_ = loads_->load(pieces_);
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(Napi::Number::New(Env(), double(nanoseconds_))); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  const std::shared_ptr<Loads> loads_;
  const std::vector<FilePiece> pieces_;
  uint64_t nanoseconds_ = 0;
};

std::unique_ptr<Loads> make_loads(const Napi::Object& config) {
  const std::string path = string_field(config, "path");
  const uint64_t bytes = wide_field(config, "bytes", 0);
  if (string_field(config, "way") == "pread") return make_pread_loads(path, bytes, number_field(config, "threads"));
  return metal::make_mtlio_loads(path, bytes, string_field(config, "compression"));
}

/// The memory stays until nothing refers to it any more.
Napi::Value open_loads(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object config = info[0].As<Napi::Object>();
  std::shared_ptr<Loads> loads;
  try {
    loads = make_loads(config);
  } catch (const HostError& error) {
    throw_host_error(env, error.code, error.what());
  }
  const uint64_t bytes = wide_field(config, "bytes", 0);
  Napi::Object object = Napi::Object::New(env);
  object.Set("memory", Napi::ArrayBuffer::New(env, loads->memory(), bytes, [loads](Napi::Env, void*) {}));
  object.Set("load", Napi::Function::New(env, [loads, bytes](const Napi::CallbackInfo& call) -> Napi::Value {
               auto* worker = new LoadWorker(call.Env(), loads, pieces_of(call, 0, "memory", bytes));
               const Napi::Promise promise = worker->promise();
               worker->Queue();  // deletes itself when it is done
               return promise;
             }));
  return object;
}

void compress_for_metal(const Napi::CallbackInfo& info) {
  const auto text = [&](size_t index) { return info[index].As<Napi::String>().Utf8Value(); };
  try {
    metal::compress_file(text(0), text(1), text(2));
  } catch (const HostError& error) {
    throw_host_error(info.Env(), error.code, error.what());
  }
}

}  // namespace

void add_loads_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("loads", Napi::Function::New(env, open_loads));
  exports.Set("compressForMetal", Napi::Function::New(env, compress_for_metal));
}

}  // namespace warpfs
