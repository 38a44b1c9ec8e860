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

// The right factor as Panels, over all cores: `steps` steps from inner index `first` on. Each task reads memory in the order in which it lies: whole rows of the matrix, unless scales have to be known
// before their columns are packed.
template <typename Number>
void PackAllPanels(const Operand &right, int64_t inner, int64_t columns, int64_t first, int64_t steps, typename Number::Step *to) {
  constexpr int64_t kPanelsAtOnce = 4;
  const int64_t panels = (columns + kPanel - 1) / kPanel, length = Panels<Number>{nullptr, steps}.length();
  const bool by_columns = right.transposed || Number::kScaled;
  const int64_t stretch = by_columns ? std::max<int64_t>(1, steps) : 2 * kLanes, group = by_columns ? kPanelsAtOnce : panels;
  const int64_t stretches = (steps + stretch - 1) / stretch, groups = (panels + group - 1) / group;
  ThreadPool::Shared().For(stretches * groups, [&](int64_t task) {
    const int64_t begin = task / groups * stretch, first_panel = task % groups * group, end_panel = std::min(panels, first_panel + group);
    if constexpr (Number::kScaled) {
      const int64_t count = end_panel - first_panel;
      PackScaledRight<Number>(right, inner, columns, first * Number::kPerStep, steps, first_panel, count, to + first_panel * length);
    } else {
      for (int64_t s = begin; s < std::min(steps, begin + stretch); s += kLanes) {
        for (int64_t panel = first_panel; panel < end_panel; panel++) {
          PackRight<Number>(right, inner, columns, (first + s) * Number::kPerStep, std::min(kLanes, steps - s), panel,
                            to + panel * length + s * kPanelStride<Number>);
        }
      }
    }
  });
}

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
  Step *const packed = room(kept_panels, panels * Panels<Number>{nullptr, at_once}.length());
  const int64_t sum_stride = panels * kPanel;
  float *const sums = chunks > 1 ? room(kept_sums, RoundUp(rows, kMostTileRows) * sum_stride) : nullptr;
  const RowBlocks blocks = ProductBlocks<Number>(rows);
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    const int64_t from = chunk * at_once, count = std::min(at_once, steps - from);
    const bool begins = chunk == 0, ends = chunk == chunks - 1;
    const Panels<Number> packed_panels{packed, count};
    PackAllPanels<Number>(right, inner, columns, from, count, packed);
    ForTasks<Number>(blocks.count, [&](int64_t block) {
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
