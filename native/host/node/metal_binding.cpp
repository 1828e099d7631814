#include "metal_binding.h"

#include "../host_error.h"
#include "../metal/metal.h"
#include "../metal/self_test.h"
#include "arguments.h"

namespace warpfs {

namespace {

Napi::Value metal_sight(const Napi::CallbackInfo& info) {
  const metal::Sight sight = metal::look();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("obstacle", sight.obstacle);
  object.Set("name", sight.name);
  object.Set("memoryBytes", double(sight.memory_bytes));
  return object;
}

Napi::Value metal_machine(const Napi::CallbackInfo& info) {
  const metal::SelfTestMachine machine = metal::self_test_machine();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("gpu", machine.gpu);
  object.Set("system", machine.system);
  object.Set("memoryBytes", double(machine.memory_bytes));
  object.Set("bufferBytesMax", double(machine.buffer_bytes));
  object.Set("appleFamily", machine.apple_family);
  object.Set("paravirtual", machine.paravirtual);
  object.Set("fake", machine.fake);
  return object;
}

const char* verdict_name(metal::Verdict verdict) {
  switch (verdict) {
    case metal::Verdict::RUNNING: return "running";
    case metal::Verdict::AS_EXPECTED: return "as expected";
    case metal::Verdict::NOT_AS_EXPECTED: return "not as expected";
    case metal::Verdict::FAILED: break;
  }
  return "failed";
}

Napi::Object probe_value(Napi::Env env, const metal::ProbeResult& probe) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", probe.name);
  object.Set("question", probe.question);
  object.Set("method", probe.method);
  Napi::Object numbers = Napi::Object::New(env);
  for (const auto& [name, value] : probe.numbers) numbers.Set(name, value);
  object.Set("numbers", numbers);
  object.Set("verdict", verdict_name(probe.verdict));
  object.Set("text", probe.text);
  object.Set("seconds", probe.seconds);
  return object;
}

metal::SelfTestOptions self_test_options(const Napi::Object& request) {
  metal::SelfTestOptions options;
  options.texts = string_field(request, "texts");
  options.rounds = number_field(request, "rounds");
  options.trips = number_field(request, "trips");
  return options;
}

/// On a thread of Node's pool; JavaScript is told of each probe when it begins and when it has ended.
class SelfTestWorker final : public Napi::AsyncProgressQueueWorker<metal::ProbeResult> {
 public:
  SelfTestWorker(Napi::Env env, const Napi::Object& request, const Napi::Function& told)
      : AsyncProgressQueueWorker(env, "warpfs:metal-self-test"), deferred_(Napi::Promise::Deferred::New(env)), options_(self_test_options(request)),
        told_(Napi::Persistent(told)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute(const ExecutionProgress& progress) override {
    try {
      metal::run_self_test(options_, [&](const metal::ProbeResult& probe) { progress.Send(&probe, 1); });
    } catch (const HostError& error) {
      code_ = error.code;
      SetError(error.what());
    } catch (const std::exception& error) {
      code_ = "EIO";
      SetError(error.what());
    }
  }
  void OnProgress(const metal::ProbeResult* probes, size_t count) override {
    const Napi::HandleScope scope(Env());
    for (size_t i = 0; i < count; i++) told_.Call({probe_value(Env(), probes[i])});
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override {
    Napi::Object value = error.Value();
    value.Set("code", code_);
    deferred_.Reject(value);
  }

 private:
  const Napi::Promise::Deferred deferred_;
  const metal::SelfTestOptions options_;
  Napi::FunctionReference told_;
  std::string code_;
};

Napi::Value metal_self_test(const Napi::CallbackInfo& info) {
  auto worker = std::make_unique<SelfTestWorker>(info.Env(), info[0].As<Napi::Object>(), info[1].As<Napi::Function>());
  const Napi::Promise promise = worker->promise();
  worker.release()->Queue();  // deletes itself when it is done
  return promise;
}

}  // namespace

void add_metal_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("metalSight", Napi::Function::New(env, metal_sight));
  exports.Set("metalMachine", Napi::Function::New(env, metal_machine));
  exports.Set("metalSelfTest", Napi::Function::New(env, metal_self_test));
}

}  // namespace warpfs
