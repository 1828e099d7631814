#include "check_binding.h"

#include "../../check/check_mount.h"
#include "../../check/exploration.h"
#include "../../check/progress_litmus.h"
#include "check_values.h"
#include "mount_object.h"

namespace warpfs {

namespace {

class CheckedMountObject final : public MountObjectOf<CheckedMountObject, CheckMount> {
 public:
  explicit CheckedMountObject(const Napi::CallbackInfo& info)
      : MountObjectOf(info, [](const Napi::Object& config) {
          return std::make_shared<CheckMount>(mount_options(config), check_options(config.Get("check").As<Napi::Object>()));
        }) {}

  Napi::Value dispatch(const Napi::CallbackInfo& info) {
    const auto mount = mounted(info.Env());
    const Napi::Object request = info[0].As<Napi::Object>();
    auto work = [mount, dispatch = dispatch_request(request)]() -> TaskQueue::Settle {
      const CheckedDispatch done = mount->run(dispatch);
      return [done](Napi::Env env, Napi::Promise::Deferred& deferred) {
        Napi::Object object = dispatch_result(env, done.result);
        if (!done.finding.kind.empty()) object.Set("finding", finding_value(env, done.finding, done.schedule, done.decisions, done.trace_hash));
        deferred.Resolve(object);
      };
    };
    return queue().submit(info.Env(), std::move(work), request);
  }

  Napi::Value describe(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    CheckWorld& world = mounted(env)->world();
    Napi::Object object = Napi::Object::New(env);
    object.Set("engine", "pread");
    object.Set("engineNote", "check mode: the host is an actor of the schedule");
    object.Set("fill", "the host reads into the lines");
    object.Set("workers", number(env, 1));
    object.Set("residentWarps", number(env, world.mount_options().slot_count));
    object.Set("lineBytesTotal", number(env, double(world.memory().line_data_bytes())));
    object.Set("overheadBytes", number(env, double(world.memory().overhead_bytes())));
    object.Set("hostOpens", number(env, 0));
    object.Set("requestsServed", number(env, double(world.host().completions())));
    object.Set("requestsRefused", number(env, 0));
    object.Set("sandbox", "none: check mode has no threads to lock in");
    object.Set("hostCalls", number(env, 0));
    object.Set("hostFaults", number(env, 0));
    return object;
  }
};

/// Each exploration has a thread of its own, which ends with it.
Napi::Value explore(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object config = info[0].As<Napi::Object>();
  auto mount = mount_options(config);
  auto check = check_options(required(config, "check").As<Napi::Object>());
  auto scenario = std::make_shared<Scenario>(scenario_of(info[1].As<Napi::Object>()));
  auto limits = limits_of(info[2].As<Napi::Object>());
  auto* queue = new TaskQueue(env);
  auto work = [=]() -> TaskQueue::Settle {
    auto result = std::make_shared<ExplorationResult>();
    auto world = std::make_shared<CheckWorld>(mount, check);
    Exploration exploration(*world, *scenario);
    *result = exploration.run(limits);
    // It stays until the places in its modules have their names.
    return [result, scenario, world](Napi::Env of, Napi::Promise::Deferred& deferred) { deferred.Resolve(exploration_value(of, *result, *scenario)); };
  };
  const Napi::Promise promise = queue->submit(env, std::move(work), info[2]);
  queue->finish();
  // Its thread ends behind the work; what is left is taken back when the environment is.
  napi_add_env_cleanup_hook(env, [](void* left) { delete static_cast<TaskQueue*>(left); }, queue);
  return promise;
}

Napi::Value progress_litmus(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<std::vector<std::string>> threads;
  const Napi::Array given = info[0].As<Napi::Array>();
  for (uint32_t thread = 0; thread < given.Length(); thread++) {
    const Napi::Array instructions = given.Get(thread).As<Napi::Array>();
    threads.emplace_back();
    for (uint32_t at = 0; at < instructions.Length(); at++) threads.back().push_back(instructions.Get(at).As<Napi::String>());
  }
  try {
    Napi::Object verdicts = Napi::Object::New(env);
    for (const auto& [model, passes] : progress_verdicts(threads)) verdicts.Set(model, passes ? "PASS" : "FAIL");
    return verdicts;
  } catch (const HostError& error) {
    throw_host_error(env, error.code, error.what());
  }
}

}  // namespace

Napi::Function define_checked_mount(Napi::Env env) { return CheckedMountObject::define_as(env, "NativeCheckedMount"); }

void add_check_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("explore", Napi::Function::New(env, explore));
  exports.Set("progressLitmus", Napi::Function::New(env, progress_litmus));
}

}  // namespace warpfs
