// Shares tasks out over a pool of more threads than there are cores, for two callers at a time, and says whether each was done once, before its
// caller went on.
#include "thread-pool.h"

#include <cstdio>

int main() {
  setenv("TF_NUM_INTRAOP_THREADS", "5", 1);
  auto &pool = palimpsest::ThreadPool::Shared();
  std::atomic<int64_t> wrong{0}, done{0};
  const auto call = [&](int64_t seed) {
    for (int64_t round = 0; round < 20000; round++) {
      const int64_t tasks = (seed + round * 7) % 23;
      std::vector<int> times(tasks, 0);  // Not atomic: no task may be taken twice.
      pool.For(tasks, [&](int64_t task) {
        times[task]++;
        // Some are longer, so that threads come late to a round.
        if ((round + task) % 997 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
      });
      for (const int count : times) wrong += count != 1;
      done += tasks;
    }
  };
  std::thread other(call, 11);
  call(3);
  other.join();
  std::printf("{\"threads\": %d, \"done\": %d, \"wrong\": %d}\n", static_cast<int>(pool.threads()), static_cast<int>(done), static_cast<int>(wrong));
  fflush(stdout);
  std::_Exit(0);
}
