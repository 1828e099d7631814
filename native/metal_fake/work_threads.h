// The threads of a queue of the fake Metal: they do what it is given, in the order of that. Objective-C++.
#pragma once
#import <Foundation/Foundation.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace warpfs::metal_fake {

class WorkThreads {
 public:
  explicit WorkThreads(unsigned count) {
    for (unsigned i = 0; i < count; i++) threads_.emplace_back([list = list_] { work_through(*list); });
  }
  WorkThreads(const WorkThreads&) = delete;
  /// All that was given before is done. The last work may have been the last that knew the queue: its thread ends by itself.
  ~WorkThreads() {
    {
      const std::lock_guard lock(list_->mutex);
      list_->closing = true;
    }
    list_->more.notify_all();
    for (std::thread& thread : threads_) {
      if (thread.get_id() == std::this_thread::get_id()) thread.detach();
      else thread.join();
    }
  }

  void run(std::function<void()> work) {
    {
      const std::lock_guard lock(list_->mutex);
      list_->work.push_back(std::move(work));
    }
    list_->more.notify_one();
  }

 private:
  struct List {
    std::deque<std::function<void()>> work;
    std::mutex mutex;
    std::condition_variable more;
    bool closing = false;
  };

  static void work_through(List& list) {
    for (;;) {
      std::unique_lock lock(list.mutex);
      list.more.wait(lock, [&] { return list.closing || !list.work.empty(); });
      if (list.work.empty()) return;
      const std::function<void()> next = std::move(list.work.front());
      list.work.pop_front();
      lock.unlock();
      @autoreleasepool {
        next();
      }
    }
  }

  const std::shared_ptr<List> list_ = std::make_shared<List>();  // the threads have it as well
  std::vector<std::thread> threads_;
};

}  // namespace warpfs::metal_fake
