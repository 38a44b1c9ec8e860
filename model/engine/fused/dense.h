// Products of rows with packed matrices, and what is done to their results before these leave the registers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "matrix-product.h"
#include "packing.h"
#include "simd.h"
#include "thread-pool.h"

namespace palimpsest {

// Calls work(first, count) for blocks of rows: enough of them to keep all threads busy, few enough that a block's rows share each
// panel while it is in the cache.
template <typename Number, typename Work>
void ForRowBlocks(int64_t rows, const Work &work) {
  constexpr int64_t kMost = 8 * Number::kTileRows;
  const int64_t least = 2 * ThreadPool::Shared().threads();
  const int64_t blocks = least * std::max<int64_t>(1, (rows + kMost * least - 1) / (kMost * least));
  const int64_t size = RoundUp((rows + blocks - 1) / blocks, Number::kRowsTogether);
  ForTasks<Number>((rows + size - 1) / size, [&](int64_t block) {
    work(block * size, std::min(size, rows - block * size));
  });
}

// left · right, `panels` panels of it: for each vector of columns, open(first column) gives what is called with each row and its sums. The last may begin
// behind the matrix's last column.
template <typename Number, typename Open>
void Multiply(const LeftRows<Number> &left, int64_t rows, const Panels<Number> &right, int64_t panels, const Open &open) {
  for (int64_t panel = 0; panel < panels; panel++) {
    MultiplyVectors<Number>(right.Times(left, panel, 0, right.steps), rows, {}, [&](int64_t column) { return open(panel * kPanel + column); });
  }
}

constexpr float kEpsilon = 1e-5f;

// (x - mean) / sqrt(variance + epsilon) · gain + bias, of one row.
inline void NormaliseRow(const float *x, int64_t width, const float *gain, const float *bias, float *to) {
  const int64_t whole = width / kLanes * kLanes;
  Vector sums = {};
  for (int64_t i = 0; i < whole; i += kLanes) sums += Load(x + i);
  float mean = Sum(sums);
  for (int64_t i = whole; i < width; i++) mean += x[i];
  mean /= static_cast<float>(width);
  Vector squares = {};
  for (int64_t i = 0; i < whole; i += kLanes) {
    const Vector difference = Load(x + i) - mean;
    squares += difference * difference;
  }
  float variance = Sum(squares);
  for (int64_t i = whole; i < width; i++) variance += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0f / std::sqrt(variance / static_cast<float>(width) + kEpsilon);
  for (int64_t i = 0; i < whole; i += kLanes) {
    Store(to + i, (Load(x + i) - mean) * scale * Load(gain + i) + Load(bias + i));
  }
  for (int64_t i = whole; i < width; i++) to[i] = (x[i] - mean) * scale * gain[i] + bias[i];
}

}  // namespace palimpsest
