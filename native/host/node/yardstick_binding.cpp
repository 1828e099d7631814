#include "yardstick_binding.h"

#include "../cuda/yardstick.h"
#include "../host_error.h"
#include "arguments.h"

#include <memory>
#include <mutex>

namespace warpfs {

namespace {

/// What the measurements of one yardstick share. It is made by the first of them, off Node's thread.
struct OpenYardstick {
  int device_index;
  std::string cubin;
  std::mutex mutex;
  std::unique_ptr<cuda::Yardstick> yardstick;
};

cuda::YardstickRequest request_of(const Napi::Object& object) {
  cuda::YardstickRequest request;
  request.what = string_field(object, "what");
  request.place = string_field(object, "place");
  request.path = string_field(object, "path");
  request.bytes = wide_field(object, "bytes", 0);
  request.piece_bytes = number_field(object, "pieceBytes");
  request.count = wide_field(object, "count", 0);
  request.blocks = number_field(object, "blocks");
  request.threads = number_field(object, "threads");
  request.seed = number_field(object, "seed");
  request.start = number_field(object, "start");
  return request;
}

class MeasureWorker final : public Napi::AsyncWorker {
 public:
  MeasureWorker(Napi::Env env, std::shared_ptr<OpenYardstick> open, cuda::YardstickRequest request)
      : AsyncWorker(env, "warpfs:yardstick"), deferred_(Napi::Promise::Deferred::New(env)), open_(std::move(open)), request_(std::move(request)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute() override {
    try {
      std::lock_guard lock(open_->mutex);
      if (open_->yardstick == nullptr) open_->yardstick = std::make_unique<cuda::Yardstick>(open_->device_index, open_->cubin);
      result_ = open_->yardstick->measure(request_);
    } catch (const HostError& error) {
      code_ = error.code;
      SetError(error.what());
    }
  }

  void OnOK() override {
    Napi::Object result = Napi::Object::New(Env());
    result.Set("nanoseconds", double(result_.nanoseconds));
    result.Set("wrongWords", double(result_.wrong_words));
    result.Set("pieces", double(result_.pieces));
    result.Set("blocks", double(result_.blocks));
    deferred_.Resolve(result);
  }
  void OnError(const Napi::Error& error) override {
    if (!code_.empty()) error.Value().Set("code", code_);
    deferred_.Reject(error.Value());
  }

 private:
  Napi::Promise::Deferred deferred_;
  const std::shared_ptr<OpenYardstick> open_;
  const cuda::YardstickRequest request_;
  cuda::YardstickResult result_;
  std::string code_;
};

Napi::Value open_yardstick(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object config = info[0].As<Napi::Object>();
  const auto open = std::make_shared<OpenYardstick>();
  open->device_index = int(number_field(config, "deviceIndex"));
  open->cubin = string_field(config, "cubin");
  Napi::Object object = Napi::Object::New(env);
  object.Set("measure", Napi::Function::New(env, [open](const Napi::CallbackInfo& call) -> Napi::Value {
               auto worker = std::make_unique<MeasureWorker>(call.Env(), open, request_of(call[0].As<Napi::Object>()));
               const Napi::Promise promise = worker->promise();
               worker.release()->Queue();  // deletes itself when it is done
               return promise;
             }));
  object.Set("close", Napi::Function::New(env, [open](const Napi::CallbackInfo&) {
               std::lock_guard lock(open->mutex);
               open->yardstick.reset();
             }));
  return object;
}

}  // namespace

void add_yardstick_functions(Napi::Env env, Napi::Object exports) { exports.Set("cudaYardstick", Napi::Function::New(env, open_yardstick)); }

}  // namespace warpfs
