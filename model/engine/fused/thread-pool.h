// Splits work over the processor's cores.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace palimpsest {

class ThreadPool {
 public:
  static ThreadPool &Shared() {
    // Never destroyed: its threads must not outlive what they wait for when the process ends.
    static ThreadPool *const pool = new ThreadPool();
    return *pool;
  }

  // Calls work(task) for every task from 0 to tasks - 1, some of them at once, and returns when all are done.
  void For(int64_t tasks, const std::function<void(int64_t)> &work) {
    std::lock_guard<std::mutex> one_at_a_time(caller_);
    next_ = 0;
    tasks_ = tasks;
    work_ = &work;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      busy_ = static_cast<int>(threads_.size());
      round_++;
    }
    start_.notify_all();
    Run();
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  ThreadPool() {
    const char *const wanted = std::getenv("TF_NUM_INTRAOP_THREADS");
    int count = wanted == nullptr ? 0 : std::atoi(wanted);
    if (count < 1) count = static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 1; i < count; i++) threads_.emplace_back([this] { Loop(); });
  }

  void Run() {
    for (int64_t task; (task = next_++) < tasks_;) (*work_)(task);
  }

  void Loop() {
    for (uint64_t seen = 0;;) {
      {
        std::unique_lock<std::mutex> lock(mutex_);
        start_.wait(lock, [&] { return round_ != seen; });
        seen = round_;
      }
      Run();
      std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex caller_, mutex_;
  std::condition_variable start_, done_;
  std::vector<std::thread> threads_;
  std::atomic<int64_t> next_{0};
  int64_t tasks_ = 0;
  const std::function<void(int64_t)> *work_ = nullptr;
  uint64_t round_ = 0;
  int busy_ = 0;
};

}  // namespace palimpsest
