// One thread per mount that does what JavaScript asked for, in order, and hands each outcome back to the event loop.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace warpfs {

class TaskQueue {
 public:
  /// Runs on the thread of the queue. Gives what settles the promise, which runs on the event loop.
  using Settle = std::function<void(Napi::Env, Napi::Promise::Deferred&)>;
  using Work = std::function<Settle()>;

  explicit TaskQueue(Napi::Env env);
  ~TaskQueue();
  /// `kept` stays referenced until the promise is settled: the memory that the work uses.
  Napi::Promise submit(Napi::Env env, Work work, Napi::Value kept);
  /// Nothing more will be submitted: the thread ends behind what was.
  void finish();
  /// Finishes and waits for the thread. Promises of work that is still under way are not settled.
  void close();

 private:
  struct Task {
    Work work;
    Settle settle;
    Napi::Promise::Deferred deferred;
    Napi::Reference<Napi::Value> kept;
  };
  void loop();

  Napi::ThreadSafeFunction event_loop_;
  uint32_t unsettled_ = 0;  // event loop only: the process stays alive while it is not 0
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Task>> tasks_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace warpfs
