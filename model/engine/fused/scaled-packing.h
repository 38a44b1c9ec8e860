// Brings factors that change from call to call into the order in which products of numbers with scales read them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "lines.h"
#include "operand.h"
#include "packing.h"
#include "simd.h"

namespace palimpsest {

// Columns of numbers with scales, to Panels of `steps` steps from column `begin` on, where a vector begins: row(i) are the numbers of row i.
template <typename Number, typename Row>
void PackScaledColumns(const Row &row, int64_t rows, int64_t columns, int64_t begin, int64_t steps, typename Number::Step *to) {
  const Panels<Number> panels{to, steps};
  thread_local Lines<float> units;
  units.resize(std::max<size_t>(units.size(), RoundUp(columns, kLanes)));
  const auto panel = [&](int64_t column) { return to + (begin + column) / kPanel * panels.length(); };
  Number::ForSquares(row, rows, columns, units.data(), [&](int64_t column, int64_t s, const auto &square) {
    auto *const vector = panel(column) + (begin + column) % kPanel / kLanes * panels.second();
    StoreSquare<Number>(square, vector + s * panels.kStride, panels.kStride);
  });
  for (int64_t column = 0; column < columns; column += kLanes) {
    std::memcpy(panel(column) + steps * kPanelStride<Number> + (begin + column) % kPanel, units.data() + column, kLanes * sizeof(float));
  }
}

// Calls visit(first column, columns, row) for stretches of columns from `column` to `end`, as long as they lie side by side and whole vectors but for the
// last: row(i) are their numbers of row `first` + i, of `length` rows.
template <typename Visit>
void ForStretches(const Matrix &from, int64_t first, int64_t length, int64_t column, int64_t end, const Visit &visit) {
  for (int64_t stretch = 0; column < end; column += stretch) {
    const int64_t beside = from.width - column % from.width;
    stretch = std::min(end - column, std::max(kLanes, beside / kLanes * kLanes));
    const float *const whole = from.Whole(first, length, first + length, column, stretch, end);
    if (whole != nullptr) visit(column, stretch, [whole, by = from.stride](int64_t i) { return whole + i * by; });
    else visit(column, stretch, [&](int64_t i) { return Copied(from, first + i, column, stretch); });
  }
}

// Part of the right factor of numbers with scales as Panels: `panels` of them, `steps` steps from inner index `first` on.
template <typename Number>
void PackScaledRight(const Operand &right, int64_t inner, int64_t columns, int64_t first, int64_t steps, int64_t panel, int64_t panels,
                     typename Number::Step *to) {
  using Step = typename Number::Step;
  const Panels<Number> packed{to, steps};
  const int64_t length = std::min(inner - first, steps * Number::kPerStep), begin = panel * kPanel, end = std::min(columns, begin + panels * kPanel);
  if (!right.transposed) {
    return ForStretches(right.matrix, first, length, begin, end, [&](int64_t column, int64_t stretch, const auto &row) {
      PackScaledColumns<Number>(row, length, stretch, column - begin, steps, to);
    });
  }
  // Rows an odd number of lines of the cache apart.
  const int64_t apart = steps + kLanes, row_length = apart * Number::kParts;
  thread_local Lines<Step> rows;
  if (static_cast<int64_t>(rows.size()) < kLanes * row_length) rows.resize(kLanes * row_length);
  for (int64_t column = begin; column < end; column += kLanes) {
    Step *const panel_start = to + (column - begin) / kPanel * packed.length();
    float *const units = reinterpret_cast<float *>(panel_start + steps * kPanelStride<Number>) + column % kPanel;
    for (int64_t j = 0; j < std::min(kLanes, end - column); j++) {
      const float *const of_column = Copied(right.matrix, column + j, first, length);
      units[j] = Number::StoreScaled(of_column, length, steps, rows.data() + j * row_length, apart);
    }
    Step *const vector = panel_start + column % kPanel / kLanes * packed.second();
    for (int64_t s = 0; s < steps; s += kLanes) {
      for (int64_t part = 0; part < Number::kParts; part++) {
        TransposeSquare(rows.data() + part * apart + s, row_length, vector + s * packed.kStride + part * kLanes, packed.kStride);
      }
    }
  }
}

// Part of the left factor of numbers with scales as rows of steps, each with its scale in place of its last step.
template <typename Number>
void PackScaledLeft(const Operand &left, int64_t rows, int64_t inner, int64_t first_row, int64_t count, int64_t first, int64_t steps,
                    typename Number::Step *to, int64_t stride) {
  const int64_t length = std::min(inner - first, steps * Number::kPerStep), apart = stride / Number::kParts, end = std::min(rows, first_row + count);
  const auto set_scale = [&](int64_t row, float unit) { std::memcpy(to + (row - first_row + 1) * stride - 1, &unit, sizeof unit); };
  if (!left.transposed) {
    for (int64_t row = first_row; row < end; row++) {
      const float *const from = Copied(left.matrix, row, first, length);
      set_scale(row, Number::StoreScaled(from, length, steps, to + (row - first_row) * stride, apart));
    }
    return;
  }
  thread_local Lines<float> units;
  units.resize(RoundUp(count, kLanes));
  ForStretches(left.matrix, first, length, first_row, end, [&](int64_t row, int64_t stretch, const auto &numbers) {
    Number::ForSquares(numbers, length, stretch, units.data(), [&](int64_t within, int64_t s, const auto &square) {
      auto *const start = to + (row + within - first_row) * stride + s;
      for (int64_t part = 0; part < Number::kParts; part++) TransposeSquare(&square[part][0][0], kLanes, start + part * apart, stride);
    });
    for (int64_t j = 0; j < stretch; j++) set_scale(row + j, units[j]);
  });
}

}  // namespace palimpsest
