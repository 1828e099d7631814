// The Node-API addon: a thin skin over Mount. Everything that takes time runs on the mount's own thread.
#include <napi.h>

#include "../host_error.h"
#include "../io_engine.h"
#include "../mount.h"
#include "../plain_loop.h"
#include "../pread_loop.h"
#include "../sandbox.h"
#include "arguments.h"
#include "check_binding.h"
#include "cuda_binding.h"
#include "file_pieces_binding.h"
#include "loads_binding.h"
#include "medium_values.h"
#include "metal_binding.h"
#include "mount_object.h"
#include "peer_binding.h"
#include "yardstick_binding.h"

#include <sys/wait.h>

#include <cerrno>
#include <thread>

namespace warpfs {

namespace {

/// Without NOPs: they fill slots that were reserved and not needed, and ask for nothing.
uint64_t total(const Daemon::Stats& stats) {
  uint64_t served = 0;
  for (uint64_t count : stats.served) served += count;
  return served - stats.served[Opcode::NOP];
}

/// What a loop of a plain program took, and found wrong.
template <typename Loop>
Napi::Value yardstick(Napi::Env env, Loop&& loop) {
  try {
    const auto result = loop();
    Napi::Object object = Napi::Object::New(env);
    object.Set("nanoseconds", number(env, double(result.nanoseconds)));
    object.Set("wrongWords", number(env, double(result.wrong_words)));
    return object;
  } catch (const HostError& error) {
    throw_host_error(env, error.code, error.what());
  }
}

template <PlainLoopResult (*run)(const PlainLoop&)>
void set_plain_loop(Napi::Object& exports, const char* name) {
  exports.Set(name, Napi::Function::New(exports.Env(), [](const Napi::CallbackInfo& info) -> Napi::Value {
                const Napi::Object loop = info[0].As<Napi::Object>();
                return yardstick(info.Env(), [&] {
                  return run({string_field(loop, "path"), number_field(loop, "pages"), number_field(loop, "pageBytes"), number_field(loop, "seed"),
                              number_field(loop, "count"), number_field(loop, "start"), number_field(loop, "threads"),
                              number_field(loop, "wordsApart")});
                });
              }));
}

}  // namespace

/// Keeps the mount while it copies.
class CopyWorker final : public Napi::AsyncWorker {
 public:
  CopyWorker(Napi::Env env, std::shared_ptr<Mount> mount, const MemoryCopy& copy)
      : AsyncWorker(env, "warpfs:copy"), deferred_(Napi::Promise::Deferred::New(env)), mount_(std::move(mount)), copy_(copy) {}

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute() override {
    try {
      mount_->copy_memory(copy_);
    } catch (const std::exception& error) {
      SetError(error.what());
    }
    mount_.reset();
  }
  void OnOK() override { deferred_.Resolve(Env().Undefined()); }
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  const Napi::Promise::Deferred deferred_;
  std::shared_ptr<Mount> mount_;
  const MemoryCopy copy_;
};

class MountObject final : public MountObjectOf<MountObject, Mount> {
 public:
  explicit MountObject(const Napi::CallbackInfo& info)
      : MountObjectOf(info, [](const Napi::Object& config) { return std::make_shared<Mount>(mount_options(config)); }) {}

  Napi::Value dispatch(const Napi::CallbackInfo& info) {
    const auto mount = mounted(info.Env());
    const Napi::Object request = info[0].As<Napi::Object>();
    auto work = [mount, dispatch = dispatch_request(request)]() -> TaskQueue::Settle {
      const DispatchResult result = mount->run(dispatch);
      return [result](Napi::Env env, Napi::Promise::Deferred& deferred) { deferred.Resolve(dispatch_result(env, result)); };
    };
    return queue().submit(info.Env(), std::move(work), request);
  }

  Napi::Value describe(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto mount = mounted(env);
    const Daemon::Stats served = mount->daemon().stats();
    Napi::Object object = Napi::Object::New(env);
    object.Set("engine", mount->daemon().engine());
    object.Set("engineNote", mount->daemon().engine_note());
    object.Set("fill", mount->fill_note());
    object.Set("workers", number(env, mount->device().worker_count()));
    object.Set("residentWarps", number(env, mount->device().resident_warps()));
    object.Set("lineBytesTotal", number(env, double(mount->device().line_data_bytes())));
    object.Set("overheadBytes", number(env, double(mount->device().overhead_bytes())));
    object.Set("hostOpens", number(env, double(served.host_opens)));
    object.Set("requestsServed", number(env, double(total(served))));
    object.Set("requestsRefused", number(env, double(served.refused)));
    object.Set("sandbox", mount->daemon().sandbox());
    object.Set("hostCalls", number(env, double(mount->daemon().host_calls().count())));
    object.Set("hostFaults", number(env, double(mount->daemon().host_calls().injected())));
    if (const auto record = mount->daemon().medium_record()) object.Set("medium", medium_report(env, *record));
    return object;
  }

  Napi::Value place_memory(const Napi::CallbackInfo& info) {
    const auto mount = mounted(info.Env());
    const Napi::Object request = info[0].As<Napi::Object>();
    auto work = [mount, wanted = memory_request(request)]() -> TaskQueue::Settle {
      const PlacedMemory placed = mount->place_memory(wanted);
      return [placed](Napi::Env env, Napi::Promise::Deferred& deferred) {
        Napi::Object object = Napi::Object::New(env);
        object.Set("buffer", Napi::ArrayBuffer::New(env, placed.name, size_t(placed.name_bytes)));
        object.Set("visible", Napi::Boolean::New(env, placed.visible));
        deferred.Resolve(object);
      };
    };
    return queue().submit(info.Env(), std::move(work), request);
  }

  Napi::Value load(const Napi::CallbackInfo& info) {
    const auto mount = mounted(info.Env());
    auto work = [mount, module = info[0].As<Napi::String>().Utf8Value()]() -> TaskQueue::Settle {
      mount->load(module);
      return [](Napi::Env env, Napi::Promise::Deferred& deferred) { deferred.Resolve(env.Undefined()); };
    };
    return queue().submit(info.Env(), std::move(work), info.This());
  }

  /// Beside what runs.
  Napi::Value copy_memory(const Napi::CallbackInfo& info) {
    auto* worker = new CopyWorker(info.Env(), mounted(info.Env()), {info[0].As<Napi::ArrayBuffer>().Data(), info[1].As<Napi::ArrayBuffer>().Data(), uint64_t(info[2].As<Napi::Number>().DoubleValue())});
    const Napi::Promise promise = worker->promise();
    worker->Queue();
    return promise;
  }

  /// Behind what runs; JavaScript sees it no more at once.
  Napi::Value free_memory(const Napi::CallbackInfo& info) {
    const auto mount = mounted(info.Env());
    auto buffer = info[0].As<Napi::ArrayBuffer>();
    const void* const name = buffer.Data();
    buffer.Detach();
    auto work = [mount, name]() -> TaskQueue::Settle {
      mount->free_memory(name);
      return [](Napi::Env env, Napi::Promise::Deferred& deferred) { deferred.Resolve(env.Undefined()); };
    };
    return queue().submit(info.Env(), std::move(work), info.This());
  }

  /// At once, beside what runs: a test may break a disk under a dispatch.
  void set_fault(const Napi::CallbackInfo& info) {
    HostCalls& calls = mounted(info.Env())->daemon().host_calls();
    if (info[0].IsObject()) calls.inject(call_fault(info[0].As<Napi::Object>()));
    else calls.lift();
  }
};

namespace {

struct AddonData {
  Napi::FunctionReference mount;
  Napi::FunctionReference checked_mount;
};

/// Makes a mount on a thread of Node's pool: a GPU takes a quarter of a second.
class MountWorker final : public Napi::AsyncWorker {
 public:
  MountWorker(Napi::Env env, const Napi::Object& config)
      : AsyncWorker(env, "warpfs:mount"), deferred_(Napi::Promise::Deferred::New(env)), options_(mount_options(config)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }
  void Execute() override {
    try {
      mount_ = std::make_shared<Mount>(options_);
    } catch (const HostError& error) {
      code_ = error.code;
      SetError(error.what());
    } catch (const std::exception& error) {
      code_ = "ENOMEM";
      SetError(error.what());
    }
  }
  void OnOK() override {
    const Napi::Value made = Napi::External<std::shared_ptr<Mount>>::New(Env(), &mount_);
    deferred_.Resolve(Env().GetInstanceData<AddonData>()->mount.New({made}));
  }
  void OnError(const Napi::Error& error) override {
    Napi::Object value = error.Value();
    value.Set("code", code_);
    deferred_.Reject(value);
  }

 private:
  Napi::Promise::Deferred deferred_;
  const MountOptions options_;
  std::shared_ptr<Mount> mount_;
  std::string code_;
};

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto* data = new AddonData;
  data->mount = Napi::Persistent(MountObject::define_as(env, "NativeMount", {MountObject::InstanceMethod("setFault", &MountObject::set_fault), MountObject::InstanceMethod("load", &MountObject::load), MountObject::InstanceMethod("placeMemory", &MountObject::place_memory), MountObject::InstanceMethod("freeMemory", &MountObject::free_memory), MountObject::InstanceMethod("copyMemory", &MountObject::copy_memory)}));
  data->checked_mount = Napi::Persistent(define_checked_mount(env));
  env.SetInstanceData(data);
  add_check_functions(env, exports);
  add_cuda_functions(env, exports);
  add_metal_functions(env, exports);
  add_file_pieces_functions(env, exports);
  add_loads_functions(env, exports);
  add_yardstick_functions(env, exports);
  add_peer_functions(env, exports);
  exports.Set("abiHash", Napi::Function::New(env, [](const Napi::CallbackInfo& info) { return number(info.Env(), ABI_HASH); }));
  exports.Set("mount", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                const AddonData* data = info.Env().GetInstanceData<AddonData>();
                const bool checked = info[0].IsObject() && info[0].As<Napi::Object>().Get("check").IsObject();
                return (checked ? data->checked_mount : data->mount).New({info[0]});
              }));
  exports.Set("mountLater", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                auto* worker = new MountWorker(info.Env(), info[0].As<Napi::Object>());
                const Napi::Promise promise = worker->promise();
                worker->Queue();
                return promise;
              }));
  exports.Set("host", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                Napi::Object object = Napi::Object::New(info.Env());
                object.Set("cores", number(info.Env(), std::thread::hardware_concurrency()));
                const std::string obstacle = io_uring_obstacle();
                object.Set("uring", obstacle.empty() ? "works" : obstacle);
                object.Set("sandbox", sandbox_of_this_machine());
                return object;
              }));
  exports.Set("waitForChild", Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
                siginfo_t ended{};
                // WNOWAIT: whoever started it is told as well. Without such a child there is nothing to wait for.
                while (waitid(P_PID, id_t(info[0].As<Napi::Number>().Int64Value()), &ended, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
                }
              }));
  exports.Set("preadLoop", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                const Napi::Object loop = info[0].As<Napi::Object>();
                return yardstick(info.Env(), [&] {
                  return run_pread_loop({string_field(loop, "path"), number_field(loop, "pages"), number_field(loop, "pageBytes"),
                                         number_field(loop, "reads"), number_field(loop, "seed"), number_field(loop, "start")});
                });
              }));
  exports.Set("mediumLoad", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                return medium_load(info.Env(), info[0].As<Napi::Object>(), info[1].As<Napi::Object>());
              }));
  set_plain_loop<run_plain_reads>(exports, "plainReads");
  set_plain_loop<run_plain_writes>(exports, "plainWrites");
  set_plain_loop<run_plain_opens>(exports, "plainOpens");
  return exports;
}

}  // namespace

}  // namespace warpfs

static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) { return warpfs::initialize(env, exports); }
NODE_API_MODULE(warpfs, initialize_addon)
