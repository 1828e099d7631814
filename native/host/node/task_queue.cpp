#include "task_queue.h"

#include "../host_error.h"

#include <utility>

namespace warpfs {

namespace {

TaskQueue::Settle rejection(const std::string& code, const std::string& message) {
  return [code, message](Napi::Env env, Napi::Promise::Deferred& deferred) {
    Napi::Error error = Napi::Error::New(env, message);
    error.Set("code", Napi::String::New(env, code));
    deferred.Reject(error.Value());
  };
}

}  // namespace

TaskQueue::TaskQueue(Napi::Env env)
    : event_loop_(Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "warpfs", 0, 1)) {
  event_loop_.Unref(env);  // an idle mount does not keep the process alive
  thread_ = std::thread([this] { loop(); });
}

TaskQueue::~TaskQueue() { close(); }

Napi::Promise TaskQueue::submit(Napi::Env env, Work work, Napi::Value kept) {
  auto task = std::make_unique<Task>(Task{std::move(work), {}, Napi::Promise::Deferred::New(env), Napi::Reference<Napi::Value>::New(kept, 1)});
  const Napi::Promise promise = task->deferred.Promise();
  if (unsettled_++ == 0) event_loop_.Ref(env);
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return promise;
}

void TaskQueue::finish() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
}

void TaskQueue::close() {
  if (!thread_.joinable()) return;
  finish();
  thread_.join();
  event_loop_.Release();
}

void TaskQueue::loop() {
  for (;;) {
    std::unique_ptr<Task> task;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    try {
      task->settle = task->work();
    } catch (const HostError& error) {
      task->settle = rejection(error.code, error.what());
    } catch (const std::exception& error) {
      task->settle = rejection("EIO", error.what());
    }
    const auto settle = [this](Napi::Env env, Napi::Function, Task* raw) {
      const std::unique_ptr<Task> settled(raw);
      if (env == nullptr) return;  // the event loop is gone
      settled->settle(env, settled->deferred);
      if (--unsettled_ == 0) event_loop_.Unref(env);
    };
    Task* raw = task.release();
    if (event_loop_.NonBlockingCall(raw, settle) != napi_ok) delete raw;
  }
}

}  // namespace warpfs
