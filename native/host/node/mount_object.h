// What every kind of mount has in common as a JavaScript object: its thread, its end, and the calls that differ in nothing but the mount.
#pragma once
#include "../host_error.h"
#include "dispatch_values.h"
#include "task_queue.h"

#include <napi.h>

namespace warpfs {

/// Self has dispatch and describe besides; Mounted has sync, unmount and stats.
template <typename Self, typename Mounted>
class MountObjectOf : public Napi::ObjectWrap<Self> {
 public:
  using Methods = std::vector<Napi::ClassPropertyDescriptor<Self>>;
  static Napi::Function define_as(Napi::Env env, const char* name, Methods methods = {}) {
    for (auto method : {Self::InstanceMethod("dispatch", &Self::dispatch), Self::InstanceMethod("sync", &Self::sync),
                        Self::InstanceMethod("unmount", &Self::unmount), Self::InstanceMethod("stats", &Self::stats),
                        Self::InstanceMethod("describe", &Self::describe)}) {
      methods.push_back(method);
    }
    return Self::DefineClass(env, name, methods);
  }

  ~MountObjectOf() override {
    napi_remove_env_cleanup_hook(this->Env(), shut_at_exit, this);
    shut();
  }

  Napi::Value sync(const Napi::CallbackInfo& info) {
    const auto mount = mounted(info.Env());
    auto work = [mount]() -> TaskQueue::Settle {
      const int32_t result = mount->sync();
      return [result](Napi::Env env, Napi::Promise::Deferred& deferred) { deferred.Resolve(number(env, result)); };
    };
    return queue_->submit(info.Env(), std::move(work), info.This());
  }

  /// Where bytes could not be written the file system stays mounted, so that they can be saved once the cause is gone; unless they are
  /// to be discarded. Then the error is all that is left of them.
  Napi::Value unmount(const Napi::CallbackInfo& info) {
    const auto mount = mounted(info.Env());
    const bool discard = info[0].ToBoolean();
    auto work = [this, mount, discard]() -> TaskQueue::Settle {
      const int32_t result = mount->unmount(discard);
      return [this, result, discard](Napi::Env env, Napi::Promise::Deferred& deferred) {
        if (result == 0 || discard) {
          mount_.reset();
          queue_->finish();
        }
        deferred.Resolve(number(env, result));
      };
    };
    return queue_->submit(info.Env(), std::move(work), info.This());
  }

  Napi::Value stats(const Napi::CallbackInfo& info) {
    const auto totals = mounted(info.Env())->stats();
    Napi::BigUint64Array array = Napi::BigUint64Array::New(info.Env(), totals.size());
    for (size_t i = 0; i < totals.size(); i++) array[i] = totals[i];
    return array;
  }

 protected:
  /// `make` gives the mount, or throws.
  template <typename Make>
  MountObjectOf(const Napi::CallbackInfo& info, const Make& make) : Napi::ObjectWrap<Self>(info) {
    const Napi::Env env = info.Env();
    if (info.Length() < 1 || !(info[0].IsObject() || info[0].IsExternal())) throw Napi::TypeError::New(env, "a mount needs its configuration");
    try {
      // One that was made on another thread comes as it is.
      if (info[0].IsExternal()) mount_ = *info[0].As<Napi::External<std::shared_ptr<Mounted>>>().Data();
      else mount_ = make(info[0].As<Napi::Object>());
    } catch (const Napi::Error&) {
      throw;
    } catch (const HostError& error) {
      throw_host_error(env, error.code, error.what());
    } catch (const std::exception& error) {
      throw_host_error(env, "ENOMEM", error.what());
    }
    queue_ = std::make_unique<TaskQueue>(env);
    // A process that ends without unmounting loses nothing: the destructor of the mount writes everything back.
    napi_add_env_cleanup_hook(env, shut_at_exit, this);
  }

  std::shared_ptr<Mounted> mounted(Napi::Env env) {
    if (mount_) return mount_;
    throw_host_error(env, "ERR_WARPFS_UNMOUNTED", "this file system is not mounted any more");
  }
  TaskQueue& queue() { return *queue_; }

 private:
  static void shut_at_exit(void* self) { static_cast<MountObjectOf*>(self)->shut(); }

  void shut() {
    if (queue_) queue_->close();
    queue_.reset();
    mount_.reset();
  }

  std::shared_ptr<Mounted> mount_;
  std::unique_ptr<TaskQueue> queue_;
};

}  // namespace warpfs
