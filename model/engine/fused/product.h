// Products of matrices that both change from call to call, so that neither is packed beforehand: a stretch of the inner dimension after
// the other is brought into the order in which tiles read it, transposed or not, and multiplied while it is in the cache.
#pragma once

#include <algorithm>
#include <cstdint>

#include "lines.h"
#include "matrix-product.h"
#include "operand-packing.h"
#include "operand.h"
#include "packing.h"
#include "simd.h"
#include "thread-pool.h"

namespace palimpsest {

// Brings `steps` steps of the right factor, from step `first` on, into the order of Panels, in tasks. Each of them reads memory in the order in which it
// lies: whole rows of the matrix, unless scales have to be known before their columns are packed.
template <typename Number>
class PanelPacking {
 public:
  PanelPacking(const Operand &right, int64_t inner, int64_t columns, int64_t first, int64_t steps, typename Number::Step *to)
      : right_(&right), inner_(inner), columns_(columns), first_(first), steps_(steps), to_(to), panels_((columns + kPanel - 1) / kPanel) {
    const bool by_columns = right.transposed || Number::kScaled;
    stretch_ = by_columns ? std::max<int64_t>(1, steps) : 2 * kLanes;
    group_ = by_columns ? kPanelsAtOnce : panels_;
    groups_ = (panels_ + group_ - 1) / group_;
    tasks_ = (steps + stretch_ - 1) / stretch_ * groups_;
  }
  int64_t tasks() const { return tasks_; }

  void Run(int64_t task) const {
    const int64_t begin = task / groups_ * stretch_, first_panel = task % groups_ * group_, end_panel = std::min(panels_, first_panel + group_);
    const int64_t length = Panels<Number>{nullptr, steps_}.length();
    if constexpr (Number::kScaled) {
      PackScaledRight<Number>(*right_, inner_, columns_, first_ * Number::kPerStep, steps_, first_panel, end_panel - first_panel, to_ + first_panel * length);
    } else {
      for (int64_t s = begin; s < std::min(steps_, begin + stretch_); s += kLanes) {
        for (int64_t panel = first_panel; panel < end_panel; panel++) {
          PackRight<Number>(*right_, inner_, columns_, (first_ + s) * Number::kPerStep, std::min(kLanes, steps_ - s), panel,
                            to_ + panel * length + s * kPanelStride<Number>);
        }
      }
    }
  }

 private:
  static constexpr int64_t kPanelsAtOnce = 4;

  const Operand *right_;
  int64_t inner_, columns_, first_, steps_;
  typename Number::Step *to_;
  int64_t panels_, stretch_, group_, groups_, tasks_;
};

// Steps of the inner dimension that are multiplied at once: a panel of them stays in the second level of cache while the rows of a block pass, or, where it
// has scales, a vector of columns in the first.
template <typename Number>
constexpr int64_t kMostProductSteps = Number::kScaled ? 128 : 512;

// Blocks of rows, each of which is one task.
struct RowBlocks {
  int64_t size, count;
};

template <typename Number>
RowBlocks ProductBlocks(int64_t rows) {
  const int64_t least = std::max<int64_t>(1, (rows + Number::kProductRows - 1) / Number::kProductRows);
  const int64_t even = RoundUp(least, ThreadPool::Shared().threads());
  const int64_t size = RoundUp(std::max<int64_t>(1, (rows + even - 1) / even), Number::kRowsTogether);
  return {size, (rows + size - 1) / size};
}

// left [rows, inner] · right [inner, columns] over all cores. For each vector of columns and block of rows, open(first column, block) gives what is called
// with each row and its sums. The last may begin behind the last column. Sums do not depend on how many threads there are.
template <typename Number, typename Open>
void Product(const Operand &left, const Operand &right, int64_t rows, int64_t inner, int64_t columns, const Open &open) {
  using Step = typename Number::Step;
  constexpr int64_t kMostSteps = kMostProductSteps<Number>;
  const int64_t steps = StepsOf<Number>(inner), panels = (columns + kPanel - 1) / kPanel;
  const int64_t chunks = std::max<int64_t>(1, (steps + kMostSteps - 1) / kMostSteps);
  const int64_t at_once = RoundUp((steps + chunks - 1) / chunks, kLanes);
  thread_local Lines<Step> kept_panels;
  thread_local Lines<float> kept_sums;
  const auto room = [](auto &kept, int64_t size) {
    if (static_cast<int64_t>(kept.size()) < size) kept.resize(size);
    return kept.data();
  };
  // Of one chunk's panels; the next one's are packed beside them.
  const int64_t of_chunk = panels * Panels<Number>{nullptr, at_once}.length();
  Step *const packed = room(kept_panels, std::min<int64_t>(chunks, 2) * of_chunk);
  const int64_t sum_stride = panels * kPanel;
  float *const sums = chunks > 1 ? room(kept_sums, RoundUp(rows, kMostTileRows) * sum_stride) : nullptr;
  const RowBlocks blocks = ProductBlocks<Number>(rows);
  const auto packing = [&](int64_t chunk) {
    const int64_t from = chunk * at_once;
    return PanelPacking<Number>(right, inner, columns, from, std::min(at_once, steps - from), packed + chunk % 2 * of_chunk);
  };
  const PanelPacking<Number> first_packing = packing(0);
  ThreadPool::Shared().For(first_packing.tasks(), [&](int64_t task) { first_packing.Run(task); });
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    const int64_t from = chunk * at_once, count = std::min(at_once, steps - from);
    const bool begins = chunk == 0, ends = chunk == chunks - 1;
    const Panels<Number> packed_panels{packed + chunk % 2 * of_chunk, count};
    // Small tasks, which whoever is done with blocks of rows takes while others are not.
    const PanelPacking<Number> next = packing(std::min(chunk + 1, chunks - 1));
    ForTasks<Number>(blocks.count + (ends ? 0 : next.tasks()), [&](int64_t block) {
      if (block >= blocks.count) return next.Run(block - blocks.count);
      const int64_t first = block * blocks.size, size = std::min(blocks.size, rows - first), stride = LeftStride<Number>(count);
      thread_local Lines<Step> kept_left;
      Step *const scratch = room(kept_left, RoundUp(size, kMostTileRows) * stride);
      PackLeft<Number>(left, rows, inner, first, size, from * Number::kPerStep, count, scratch, stride);
      for (int64_t panel = 0; panel < panels; panel++) {
        const Factors<Number> factors = packed_panels.Times({scratch, stride}, panel, 0, count);
        float *const kept = sums + first * sum_stride + panel * kPanel;
        const Sums<const float> before = begins ? Sums<const float>{} : Sums<const float>{kept, sum_stride};
        if (!ends) {
          StorePanel<Number>(factors, size, before, {kept, sum_stride});
          continue;
        }
        MultiplyVectors<Number>(factors, size, before, [&](int64_t column) {
          return [write = open(panel * kPanel + column, block), first](int64_t row, Vector sums) { write(first + row, sums); };
        });
      }
    });
  }
}

}  // namespace palimpsest
