// Brings factors that change from call to call into the order in which products read them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "operand.h"
#include "packing.h"
#include "scaled-packing.h"
#include "simd.h"

namespace palimpsest {

// A square of kLanes steps by kLanes rows or columns.
template <typename Number>
using Square = typename Number::Step[kLanes][kLanes];

// Steps along the rows of a matrix: square[s][j] is of step s of column j, 0 outside `rows` and `columns`.
template <typename Number>
void StepsDownColumns(const Matrix &from, int64_t row, int64_t rows, int64_t column, int64_t columns, Square<Number> &square) {
  const int64_t filled = std::min(kLanes, columns - column);
  if (filled < kLanes || row + kLanes * Number::kPerStep > rows) std::memset(square, 0, sizeof square);
  float first[kLanes], second[kLanes];
  for (int64_t s = 0; s < kLanes; s++) {
    const int64_t at = row + s * Number::kPerStep;
    if (at >= rows) break;
    const bool pair = Number::kPerStep > 1 && at + 1 < rows;
    PairRows<Number>(from.Part(at, column, filled, first), pair ? from.Part(at + 1, column, filled, second) : nullptr, filled,
                     square[s]);
  }
}

// Steps along the columns of a matrix: square[j][s] is of step s of row j, 0 outside.
template <typename Number>
void StepsAlongRows(const Matrix &from, int64_t row, int64_t rows, int64_t column, int64_t columns, Square<Number> &square) {
  constexpr int64_t kNumbers = kLanes * Number::kPerStep;
  const int64_t filled = std::min(kNumbers, columns - column);
  float part[kNumbers];
  if (filled < kNumbers || row + kLanes > rows) std::memset(square, 0, sizeof square);
  for (int64_t j = 0; j < std::min(kLanes, rows - row); j++) {
    ToSteps<Number>(from.Part(row + j, column, filled, part), filled, square[j]);
  }
}

// Part of the right factor as one of Panels: `steps` steps from inner index `first` on, which begins a step.
template <typename Number>
void PackRight(const Operand &right, int64_t inner, int64_t columns, int64_t first, int64_t steps, int64_t panel,
               typename Number::Step *to) {
  if constexpr (Number::kScaled) return PackScaledRight<Number>(right, inner, columns, first, steps, panel, 1, to);
  constexpr int64_t kNumbers = kLanes * Number::kPerStep;
  const Matrix &from = right.matrix;
  Square<Number> square;
  for (int64_t s = 0; s < steps; s += kLanes) {
    const int64_t count = std::min(kLanes, steps - s), at = first + s * Number::kPerStep;
    for (int64_t within = 0; within < kPanel; within += kLanes) {
      const int64_t column = panel * kPanel + within;
      typename Number::Step *const start = to + s * kPanel + within;
      if (!right.transposed && count == kLanes) {
        if (const float *const whole = from.Whole(at, kNumbers, inner, column, kLanes, columns)) {
          for (int64_t i = 0; i < kLanes; i++) {
            const float *const row = whole + i * Number::kPerStep * from.stride;
            PairRows<Number>(row, row + from.stride, kLanes, start + i * kPanel);
          }
          continue;
        }
      }
      if constexpr (Number::kPerStep == 1) {
        const float *const whole = right.transposed && count == kLanes ? from.Whole(column, kLanes, columns, at, kLanes, inner) : nullptr;
        if (whole != nullptr) {
          TransposeSquare(whole, from.stride, start, kPanel);
          continue;
        }
      }
      if (column >= columns || at >= inner) std::memset(square, 0, sizeof square);
      else if (right.transposed) StepsAlongRows<Number>(from, column, columns, at, inner, square);
      else StepsDownColumns<Number>(from, at, inner, column, columns, square);
      if (!right.transposed) {
        for (int64_t i = 0; i < count; i++) std::memcpy(start + i * kPanel, square[i], sizeof square[i]);
      } else if (count == kLanes) {
        TransposeSquare(&square[0][0], kLanes, start, kPanel);
      } else {
        for (int64_t i = 0; i < count; i++) {
          for (int64_t j = 0; j < kLanes; j++) start[i * kPanel + j] = square[j][i];
        }
      }
    }
  }
}

// Part of the left factor as rows of steps, `stride` apart, with room for whole squares.
template <typename Number>
void PackLeft(const Operand &left, int64_t rows, int64_t inner, int64_t first_row, int64_t count, int64_t first, int64_t steps,
              typename Number::Step *to, int64_t stride) {
  if constexpr (Number::kScaled) return PackScaledLeft<Number>(left, rows, inner, first_row, count, first, steps, to, stride);
  constexpr int64_t kNumbers = kLanes * Number::kPerStep;
  const Matrix &from = left.matrix;
  Square<Number> square;
  const int64_t end = std::min(rows, first_row + count);
  const auto pack = [&](int64_t r, int64_t s) {
    const int64_t at = first + s * Number::kPerStep;
    typename Number::Step *const start = to + r * stride + s;
    if (!left.transposed) {
      if (const float *const whole = from.Whole(first_row + r, kLanes, end, at, kNumbers, inner)) {
        for (int64_t j = 0; j < kLanes; j++) {
          const float *const row = whole + j * from.stride;
          if constexpr (Number::kPerStep == 1) Store(start + j * stride, Load(row));
          else StoreSteps<Number>(start + j * stride, Load(row), Load(row + kLanes));
        }
        return;
      }
    }
    if constexpr (Number::kPerStep == 1) {
      const float *const whole = left.transposed ? from.Whole(at, kLanes, inner, first_row + r, kLanes, end) : nullptr;
      if (whole != nullptr) return TransposeSquare(whole, from.stride, start, stride);
    }
    if (left.transposed) {
      StepsDownColumns<Number>(from, at, inner, first_row + r, end, square);
      TransposeSquare(&square[0][0], kLanes, start, stride);
    } else {
      StepsAlongRows<Number>(from, first_row + r, end, at, inner, square);
      for (int64_t j = 0; j < kLanes; j++) std::memcpy(start + j * stride, square[j], sizeof square[j]);
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

}  // namespace palimpsest
