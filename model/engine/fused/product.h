// Products of matrices that both change from call to call, so that neither is packed beforehand: a stretch of the inner dimension after
// the other is brought into the order in which tiles read it, transposed or not, and multiplied while it is in the cache.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "matrix-product.h"
#include "packing.h"
#include "simd.h"
#include "thread-pool.h"

namespace palimpsest {

// Numbers whose columns lie in blocks of `width`: element (row, column) is blocks[column / width][row * stride + column % width].
struct Matrix {
  Matrix(const float *from, int64_t columns) : blocks{from}, width(columns), stride(columns) {}
  Matrix(std::vector<const float *> from, int64_t of_block, int64_t row_stride)
      : blocks(std::move(from)), width(of_block), stride(row_stride) {}
  // `count` neighbours of a row, from where they lie or copied to `scratch`.
  const float *Part(int64_t row, int64_t column, int64_t count, float *scratch) const {
    const float *const start = blocks[column / width] + row * stride + column % width;
    if (column % width + count <= width) return start;
    for (int64_t i = 0; i < count; i++) scratch[i] = blocks[(column + i) / width][row * stride + (column + i) % width];
    return scratch;
  }
  // Where `height` rows of `length` neighbours lie, `stride` apart, if all of them are in `rows`, `columns` and one block; else null.
  const float *Whole(int64_t row, int64_t height, int64_t rows, int64_t column, int64_t length, int64_t columns) const {
    if (row + height > rows || column + length > columns || column % width + length > width) return nullptr;
    return blocks[column / width] + row * stride + column % width;
  }
  std::vector<const float *> blocks;
  int64_t width, stride;
};

// A factor: a matrix or its transpose.
struct Operand {
  Matrix matrix;
  bool transposed = false;
};

// Squares of kLanes steps by kLanes rows or columns, one for each part.
template <typename Number>
using Squares = typename Number::Step[Number::kParts][kLanes][kLanes];

// Steps along the rows of a matrix: squares[part][s][j] is of step s of column j, 0 outside `rows` and `columns`.
template <typename Number>
void StepsDownColumns(const Matrix &from, int64_t row, int64_t rows, int64_t column, int64_t columns, Squares<Number> &squares) {
  const int64_t filled = std::min(kLanes, columns - column);
  if (filled < kLanes || row + kLanes * Number::kPerStep > rows) std::memset(squares, 0, sizeof squares);
  float first[kLanes], second[kLanes];
  for (int64_t s = 0; s < kLanes; s++) {
    const int64_t at = row + s * Number::kPerStep;
    if (at >= rows) break;
    const bool pair = Number::kPerStep > 1 && at + 1 < rows;
    PairRows<Number>(from.Part(at, column, filled, first), pair ? from.Part(at + 1, column, filled, second) : nullptr, filled,
                     squares[0][s], kLanes * kLanes);
  }
}

// Steps along the columns of a matrix: squares[part][j][s] is of step s of row j, 0 outside.
template <typename Number>
void StepsAlongRows(const Matrix &from, int64_t row, int64_t rows, int64_t column, int64_t columns, Squares<Number> &squares) {
  constexpr int64_t kNumbers = kLanes * Number::kPerStep;
  const int64_t filled = std::min(kNumbers, columns - column);
  float part[kNumbers];
  if (filled < kNumbers || row + kLanes > rows) std::memset(squares, 0, sizeof squares);
  for (int64_t j = 0; j < std::min(kLanes, rows - row); j++) {
    ToSteps<Number>(from.Part(row + j, column, filled, part), filled, squares[0][j], kLanes * kLanes);
  }
}

// Part of the right factor as panels, [panels][steps][parts][kPanel]: `steps` of them from inner index `first` on, which begins a step.
template <typename Number>
void PackRight(const Operand &right, int64_t inner, int64_t columns, int64_t first, int64_t steps, int64_t panel,
               typename Number::Step *to) {
  constexpr int64_t kStride = kPanelStride<Number>, kNumbers = kLanes * Number::kPerStep;
  const Matrix &from = right.matrix;
  Squares<Number> squares;
  for (int64_t s = 0; s < steps; s += kLanes) {
    const int64_t count = std::min(kLanes, steps - s), at = first + s * Number::kPerStep;
    for (int64_t half = 0; half < kPanelVectors; half++) {
      const int64_t column = panel * kPanel + half * kLanes;
      typename Number::Step *const start = to + s * kStride + half * kLanes;
      if (!right.transposed && count == kLanes) {
        if (const float *const whole = from.Whole(at, kNumbers, inner, column, kLanes, columns)) {
          for (int64_t i = 0; i < kLanes; i++) {
            const float *const row = whole + i * Number::kPerStep * from.stride;
            PairRows<Number>(row, row + from.stride, kLanes, start + i * kStride, kPanel);
          }
          continue;
        }
      }
      if constexpr (Number::kPerStep == 1) {
        const float *const whole = right.transposed && count == kLanes ? from.Whole(column, kLanes, columns, at, kLanes, inner) : nullptr;
        if (whole != nullptr) {
          TransposeSquare(whole, from.stride, start, kStride);
          continue;
        }
      }
      if (column >= columns) std::memset(squares, 0, sizeof squares);
      else if (right.transposed) StepsAlongRows<Number>(from, column, columns, at, inner, squares);
      else StepsDownColumns<Number>(from, at, inner, column, columns, squares);
      for (int64_t part = 0; part < Number::kParts; part++) {
        auto &square = squares[part];
        typename Number::Step *const of_part = start + part * kPanel;
        if (!right.transposed) {
          for (int64_t i = 0; i < count; i++) std::memcpy(of_part + i * kStride, square[i], sizeof square[i]);
        } else if (count == kLanes) {
          TransposeSquare(&square[0][0], kLanes, of_part, kStride);
        } else {
          for (int64_t i = 0; i < count; i++) {
            for (int64_t j = 0; j < kLanes; j++) of_part[i * kStride + j] = square[j][i];
          }
        }
      }
    }
  }
}

// Part of the left factor as rows of steps, `stride` apart, with room for whole squares.
template <typename Number>
void PackLeft(const Operand &left, int64_t rows, int64_t inner, int64_t first_row, int64_t count, int64_t first, int64_t steps,
              typename Number::Step *to, int64_t stride) {
  constexpr int64_t kNumbers = kLanes * Number::kPerStep;
  const Matrix &from = left.matrix;
  Squares<Number> squares;
  const int64_t end = std::min(rows, first_row + count);
  const auto pack = [&](int64_t r, int64_t s) {
    const int64_t at = first + s * Number::kPerStep;
    typename Number::Step *const start = to + r * stride + s;
    if (!left.transposed) {
      if (const float *const whole = from.Whole(first_row + r, kLanes, end, at, kNumbers, inner)) {
        for (int64_t j = 0; j < kLanes; j++) {
          const float *const row = whole + j * from.stride;
          if constexpr (Number::kPerStep == 1) Store(start + j * stride, Load(row));
          else StoreSteps<Number>(start + j * stride, stride / Number::kParts, Load(row), Load(row + kLanes));
        }
        return;
      }
    }
    if constexpr (Number::kPerStep == 1) {
      const float *const whole = left.transposed ? from.Whole(at, kLanes, inner, first_row + r, kLanes, end) : nullptr;
      if (whole != nullptr) return TransposeSquare(whole, from.stride, start, stride);
    }
    if (left.transposed) StepsDownColumns<Number>(from, at, inner, first_row + r, end, squares);
    else StepsAlongRows<Number>(from, first_row + r, end, at, inner, squares);
    for (int64_t part = 0; part < Number::kParts; part++) {
      auto &square = squares[part];
      typename Number::Step *const of_part = start + part * (stride / Number::kParts);
      if (left.transposed) {
        TransposeSquare(&square[0][0], kLanes, of_part, stride);
      } else {
        for (int64_t j = 0; j < kLanes; j++) std::memcpy(of_part + j * stride, square[j], sizeof square[j]);
      }
    }
  };
  // Memory is read in the order in which it lies.
  if (left.transposed) {
    for (int64_t s = 0; s < steps; s += kLanes) {
      for (int64_t r = 0; r < count; r += kLanes) pack(r, s);
    }
  } else {
    for (int64_t r = 0; r < count; r += kLanes) {
      for (int64_t s = 0; s < steps; s += kLanes) pack(r, s);
    }
  }
}

// left [rows, inner] · right [inner, columns] over all cores. For each panel and block of rows, open(first column) gives what is called with
// each row and its two vectors of the result. Sums do not depend on how many threads there are.
template <typename Number, typename Open>
void Product(const Operand &left, const Operand &right, int64_t rows, int64_t inner, int64_t columns, const Open &open) {
  using Step = typename Number::Step;
  // A panel stays in the second level of cache while the rows of a block pass.
  constexpr int64_t kMostSteps = 512, kPanelsAtOnce = 4, kStepsAtOnce = 2 * kLanes, kMostRows = Number::kProductRows;
  const int64_t steps = StepsOf<Number>(inner), panels = (columns + kPanel - 1) / kPanel;
  const int64_t chunks = std::max<int64_t>(1, (steps + kMostSteps - 1) / kMostSteps);
  const int64_t at_once = RoundUp((steps + chunks - 1) / chunks, kLanes);
  thread_local Lines<Step> kept_panels;
  thread_local Lines<float> kept_sums;
  const auto room = [](auto &kept, int64_t size) {
    if (static_cast<int64_t>(kept.size()) < size) kept.resize(size);
    return kept.data();
  };
  Step *const packed = room(kept_panels, panels * at_once * kPanelStride<Number>);
  const int64_t sum_stride = panels * kPanel;
  float *const sums = chunks > 1 ? room(kept_sums, RoundUp(rows, kMostTileRows) * sum_stride) : nullptr;
  const int64_t blocks = std::max<int64_t>(1, (rows + kMostRows - 1) / kMostRows);
  const int64_t even = RoundUp(blocks, ThreadPool::Shared().threads());
  const int64_t at_once_rows = RoundUp(std::max<int64_t>(1, (rows + even - 1) / even), Number::kRowsTogether);
  for (int64_t chunk = 0; chunk < chunks; chunk++) {
    const int64_t from = chunk * at_once, count = std::min(at_once, steps - from);
    const bool begins = chunk == 0, ends = chunk == chunks - 1;
    // Each task reads memory in the order in which it lies: whole rows of the matrix.
    const int64_t stretch = right.transposed ? std::max<int64_t>(1, count) : kStepsAtOnce, group = right.transposed ? kPanelsAtOnce : panels;
    const int64_t stretches = (count + stretch - 1) / stretch, groups = (panels + group - 1) / group;
    ThreadPool::Shared().For(stretches * groups, [&](int64_t task) {
      const int64_t begin = task / groups * stretch, first_panel = task % groups * group;
      for (int64_t s = begin; s < std::min(count, begin + stretch); s += kLanes) {
        for (int64_t panel = first_panel; panel < std::min(panels, first_panel + group); panel++) {
          PackRight<Number>(right, inner, columns, (from + s) * Number::kPerStep, std::min(kLanes, count - s), panel,
                            packed + (panel * count + s) * kPanelStride<Number>);
        }
      }
    });
    ForTasks<Number>((rows + at_once_rows - 1) / at_once_rows, [&](int64_t block) {
      const int64_t first = block * at_once_rows, size = std::min(at_once_rows, rows - first), stride = LeftStride<Number>(count);
      thread_local Lines<Step> kept_left;
      Step *const scratch = room(kept_left, RoundUp(size, kMostTileRows) * stride);
      PackLeft<Number>(left, rows, inner, first, size, from * Number::kPerStep, count, scratch, stride);
      for (int64_t panel = 0; panel < panels; panel++) {
        const Step *const steps_of_panel = packed + panel * count * kPanelStride<Number>;
        const Factors<Number> factors{scratch, stride, steps_of_panel, kPanelStride<Number>, count};
        float *const kept = sums + first * sum_stride + panel * kPanel;
        const Sums<const float> before = begins ? Sums<const float>{} : Sums<const float>{kept, sum_stride};
        if (!ends) {
          StorePanel<Number>(factors, size, before, {kept, sum_stride});
          continue;
        }
        const auto write = open(panel * kPanel);
        MultiplyPanel<Number>(factors, size, before, [&](int64_t row, Vector a, Vector b) { write(first + row, a, b); });
      }
    });
  }
}

}  // namespace palimpsest
