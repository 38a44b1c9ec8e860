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

  int64_t threads() const { return static_cast<int64_t>(threads_.size()) + 1; }

  // Calls work(task) for every task from 0 to tasks - 1, some of them at once, and returns when all are done.
  void For(int64_t tasks, const std::function<void(int64_t)> &work) {
    if (tasks <= 1 || threads_.empty()) {
      for (int64_t task = 0; task < tasks; task++) work(task);
      return;
    }
    std::lock_guard<std::mutex> one_at_a_time(caller_);
    next_ = 0;
    tasks_ = tasks;
    work_ = &work;
    busy_ = static_cast<int>(threads_.size());
    {
      std::lock_guard<std::mutex> lock(mutex_);
      round_++;
    }
    start_.notify_all();
    Run();
    if (Spin([this] { return busy_ == 0; })) return;
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

 private:
  // One kernel follows another within microseconds, in which going to sleep and waking up would take longer than the work.
  static constexpr int kSpins = 1000;

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

  void Run() {
    for (int64_t task; (task = next_++) < tasks_;) (*work_)(task);
  }

  void Loop() {
    for (uint64_t seen = 0;;) {
      if (!Spin([&] { return round_ != seen; })) {
        std::unique_lock<std::mutex> lock(mutex_);
        start_.wait(lock, [&] { return round_ != seen; });
      }
      seen = round_;
      Run();
      if (--busy_ > 0) continue;
      std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
  }

  std::mutex caller_, mutex_;
  std::condition_variable start_, done_;
  std::vector<std::thread> threads_;
  std::atomic<int64_t> next_{0};
  int64_t tasks_ = 0;
  const std::function<void(int64_t)> *work_ = nullptr;
  std::atomic<uint64_t> round_{0};
  std::atomic<int> busy_{0};
};

// Calls work(task) for every task over all cores, each with what multiplying in `Number` takes made ready.
template <typename Number, typename Work>
void ForTasks(int64_t tasks, const Work &work) {
  ThreadPool::Shared().For(tasks, [&](int64_t task) {
    const typename Number::Preparation prepared;
    work(task);
  });
}

}  // namespace palimpsest
