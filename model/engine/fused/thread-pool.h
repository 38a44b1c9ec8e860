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

#include "streamed.h"

namespace palimpsest {

class ThreadPool {
 public:
  static ThreadPool &Shared() {
    // Never destroyed: its threads must not outlive what they wait for when the process ends.
    static ThreadPool *const pool = new ThreadPool();
    return *pool;
  }

  int64_t threads() const { return static_cast<int64_t>(threads_.size()) + 1; }

  // Calls work(task) for every task from 0 to tasks - 1, some of them at once, and returns when all are done. A thread that other programs keep
  // from its core is waited for only while it is at a task.
  void For(int64_t tasks, const std::function<void(int64_t)> &work) {
    if (tasks <= 1 || threads_.empty()) {
      for (int64_t task = 0; task < tasks; task++) work(task);
      return;
    }
    std::lock_guard<std::mutex> one_at_a_time(caller_);
    tasks_ = tasks;
    work_ = &work;
    left_ = tasks;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_ = (RoundOf(open_) + 1) * kRound + static_cast<uint64_t>(tasks);
    }
    start_.notify_all();
    Run();
    if (Spin([this] { return left_ == 0; })) return;
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  // One kernel follows another within microseconds, in which going to sleep and waking up would take longer than the work.
  static constexpr int kSpins = 1000;

  // Rounds are counted in front of tasks.
  static constexpr uint64_t kRound = uint64_t{1} << 32;
  static uint64_t RoundOf(uint64_t open) { return open / kRound; }

  ThreadPool() {
    const char *const wanted = std::getenv("TF_NUM_INTRAOP_THREADS");
    int count = wanted == nullptr ? 0 : std::atoi(wanted);
    if (count < 1) count = static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 1; i < count; i++) threads_.emplace_back([this] { Loop(); });
  }

  template <typename Condition>
  static bool Spin(const Condition &condition) {
    for (int i = 0; i < kSpins; i++) {
      if (condition()) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#elif defined(__aarch64__)
      asm volatile("yield");
#endif
    }
    return condition();
  }

  // Takes tasks until none of the round is left. Who has taken one may read the round's work: it does not end before the task is done.
  void Run() {
    for (uint64_t open = open_; open % kRound > 0;) {
      if (!open_.compare_exchange_weak(open, open - 1)) continue;
      (*work_)(tasks_ - static_cast<int64_t>(open % kRound));
      if (--left_ == 0) {
        std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
      open = open_;
    }
  }

  void Loop() {
    for (uint64_t seen = 0;;) {
      const auto begun = [&] { return RoundOf(open_) != seen; };
      if (!Spin(begun)) {
        std::unique_lock<std::mutex> lock(mutex_);
        start_.wait(lock, begun);
      }
      seen = RoundOf(open_);
      Run();
    }
  }

  std::mutex caller_, mutex_;
  std::condition_variable start_, done_;
  std::vector<std::thread> threads_;
  int64_t tasks_ = 0;
  const std::function<void(int64_t)> *work_ = nullptr;
  // The round, and how many of its tasks nobody has taken yet.
  std::atomic<uint64_t> open_{0};
  // Tasks of the round that are not done yet.
  std::atomic<int64_t> left_{0};
};

// Calls work(task) for every task over all cores, each with what multiplying in `Number` takes made ready. What a task has streamed is in memory when
// it ends.
template <typename Number, typename Work>
void ForTasks(int64_t tasks, const Work &work) {
  ThreadPool::Shared().For(tasks, [&](int64_t task) {
    const typename Number::Preparation prepared;
    work(task);
    EndStream();
  });
}

}  // namespace palimpsest
