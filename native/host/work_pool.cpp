#include "work_pool.h"

#include "assert.h"

#include <csignal>
#include <system_error>

namespace warpfs {

void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

WorkPool::~WorkPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkPool::submit(std::function<void()> work) {
  bool alone = false;
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    waiting_.store(queue_.size(), std::memory_order_relaxed);
    if (queue_.size() > idle_ && threads_.size() < threads_max_) {
      try {
        start_thread();
      } catch (const std::system_error&) {
        alone = threads_.empty();  // the system refuses a thread: the ones there are must do
      }
    }
    if (alone) {
      work = std::move(queue_.back());
      queue_.pop_back();
      waiting_.store(queue_.size(), std::memory_order_relaxed);
    }
  }
  if (alone) {
    work();
  } else {
    wake_.notify_one();
  }
}

void WorkPool::start_thread() {
  // Daemon threads submit, and what they start is inside from the beginning: entering again would only stack one sandbox on the other.
  const bool inherited = sandbox_ != nullptr && sandbox_->is_around();
  threads_.emplace_back([this, inherited] {
    if (inherited) sandbox_->was_inherited();
    else if (sandbox_ != nullptr) sandbox_->enter();
    run();
  });
}

std::function<void()> WorkPool::take(size_t index) {
  std::function<void()> work = std::move(queue_[index]);
  queue_.erase(queue_.begin() + ptrdiff_t(index));
  waiting_.store(queue_.size(), std::memory_order_relaxed);
  return work;
}

bool WorkPool::run_one(size_t index) {
  WARPFS_ASSERT(threads_max_ == 0);
  std::function<void()> work;
  {
    std::lock_guard lock(mutex_);
    if (index >= queue_.size()) return false;
    work = take(index);
  }
  work();
  return true;
}

void WorkPool::run() {
  block_signals();
  std::unique_lock lock(mutex_);
  while (true) {
    idle_++;
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    idle_--;
    if (queue_.empty()) return;
    std::function<void()> work = take(0);
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace warpfs
