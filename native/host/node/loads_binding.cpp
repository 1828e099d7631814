#include "loads_binding.h"

#include "../host_error.h"
#include "../metal/metal.h"
#include "arguments.h"

#include <memory>

namespace warpfs {

namespace {

[[noreturn]] void throw_in_js(Napi::Env env, const HostError& error) {
  Napi::Error thrown = Napi::Error::New(env, error.what());
  thrown.Set("code", error.code);
  throw thrown;
}

class LoadWorker final : public Napi::AsyncWorker {
 public:
  LoadWorker(Napi::Env env, std::shared_ptr<Loads> loads, std::vector<LoadPiece> pieces)
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
  const std::vector<LoadPiece> pieces_;
  uint64_t nanoseconds_ = 0;
};

std::vector<LoadPiece> pieces_of(const Napi::CallbackInfo& call, uint64_t memory_bytes) {
  const auto offsets = call[0].As<Napi::BigUint64Array>();
  const auto lengths = call[1].As<Napi::Uint32Array>();
  const auto positions = call[2].As<Napi::BigUint64Array>();
  const size_t count = offsets.ElementLength();
  if (lengths.ElementLength() != count || positions.ElementLength() != count) throw Napi::TypeError::New(call.Env(), "each piece has an offset, a length and a position");
  std::vector<LoadPiece> pieces;
  pieces.reserve(count);
  for (size_t i = 0; i < count; i++) {
    if (positions[i] > memory_bytes || lengths[i] > memory_bytes - positions[i]) throw Napi::RangeError::New(call.Env(), "piece " + std::to_string(i) + " lies outside of the memory");
    if (lengths[i] > 0) pieces.push_back({offsets[i], positions[i], lengths[i]});
  }
  return pieces;
}

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
    throw_in_js(env, error);
  }
  const uint64_t bytes = wide_field(config, "bytes", 0);
  Napi::Object object = Napi::Object::New(env);
  object.Set("memory", Napi::ArrayBuffer::New(env, loads->memory(), bytes, [loads](Napi::Env, void*) {}));
  object.Set("load", Napi::Function::New(env, [loads, bytes](const Napi::CallbackInfo& call) -> Napi::Value {
               auto* worker = new LoadWorker(call.Env(), loads, pieces_of(call, bytes));
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
    throw_in_js(info.Env(), error);
  }
}

}  // namespace

void add_loads_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("loads", Napi::Function::New(env, open_loads));
  exports.Set("compressForMetal", Napi::Function::New(env, compress_for_metal));
}

}  // namespace warpfs
