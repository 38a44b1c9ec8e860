// Attention of a segment over compressed memory, memory and itself (docs/model.md, "One step"), for training: forward it keeps the
// logarithm of each query's sum alone, and backward it computes the scores of a block of queries again rather than read them from memory.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace palimpsest {
namespace training {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Array = Eigen::Array<float, 1, Eigen::Dynamic>;
using ConstMap = Eigen::Map<const Matrix>;
using ConstStrided = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
using Map = Eigen::Map<Matrix>;
using Strided = Eigen::Map<Matrix, 0, Eigen::OuterStride<>>;
using RowMap = Eigen::Map<Array>;

constexpr int64_t kQueryBlock = 64;

// One tier of keys: `slots` in all, of which the last `filled` may be seen.
struct Tier {
  const float *keys, *values;  // [slots, k]
  int64_t slots, filled;
};

// One table of relative positions, which belongs to a range of the visible keys.
struct Positions {
  const float *keys;  // [k, width]
  const float *bias;  // [k]
  int64_t slots;      // of the memory tier before the segment
};

// One head of one document.
struct Head {
  const float *queries;       // [n, k]
  const float *content_bias;  // [k]
  Positions compressed_positions, positions;
  Tier tiers[3];  // compressed memory, memory, segment
  int64_t n, k;
};

// Which keys a block of queries sees, tier by tier and then as columns that stand side by side.
struct Block {
  Block(const Head &head, int64_t first_query) : first(first_query), rows(std::min(kQueryBlock, head.n - first_query)) {
    for (int t = 0; t < 3; t++) {
      begin[t] = head.tiers[t].slots - head.tiers[t].filled;
      // Of the segment, nothing behind the block's last query.
      const int64_t end = t == 2 ? first + rows : head.tiers[t].slots;
      count[t] = end - begin[t];
      column[t + 1] = column[t] + count[t];
    }
  }
  int64_t total() const { return column[3]; }
  // Columns that query r of the block sees.
  int64_t visible(int64_t r) const { return column[2] + first + r + 1; }

  int64_t first, rows;
  int64_t begin[3], count[3], column[4] = {0, 0, 0, 0};
};

// The columns of a block that a table belongs to, and the stretch of the table that the block needs. Query r and the table's j-th visible
// slot meet at column j + rows - 1 - r of the stretch.
struct Window {
  Window(const Head &head, const Positions &table, const Block &block, bool compressed)
      : column(block.column[compressed ? 0 : 1]),
        count((compressed ? block.column[1] : block.total()) - column),
        start(head.n - block.first - block.rows + 1 + block.begin[compressed ? 0 : 1]),
        width(table.slots + head.n + 1),
        length(std::min(count + block.rows - 1, width - start)) {}
  // Columns of query r that the table reaches; those behind lie in the query's future.
  int64_t reached(int64_t r, int64_t rows) const { return std::min(count, length - (rows - 1 - r)); }
  int64_t column, count, start, width, length;
};

// Scratch of one thread.
struct Scratch {
  Matrix content_queries, position_queries, scores, slopes, positions, product;
  Array inverse_sums;
};

inline ConstStrided TableStretch(const Head &head, const Positions &table, const Window &window) {
  return ConstStrided(table.keys + window.start, head.k, window.length, Eigen::OuterStride<>(window.width));
}

inline void AddBias(const Head &head, const Block &block, const float *bias, Matrix &result) {
  ConstMap queries(head.queries + block.first * head.k, block.rows, head.k);
  result = queries.rowwise() + Eigen::Map<const Eigen::RowVectorXf>(bias, head.k);
}

inline void AddPositions(const Head &head, const Positions &table, const Block &block, bool compressed, Scratch &scratch) {
  const Window window(head, table, block, compressed);
  if (window.count <= 0) return;
  AddBias(head, block, table.bias, scratch.position_queries);
  scratch.positions.resize(block.rows, window.length);
  scratch.positions.noalias() = scratch.position_queries * TableStretch(head, table, window);
  for (int64_t r = 0; r < block.rows; r++) {
    const int64_t count = window.reached(r, block.rows);
    RowMap(scratch.scores.data() + r * block.total() + window.column, count) +=
        RowMap(scratch.positions.data() + r * window.length + block.rows - 1 - r, count);
  }
}

inline void Scores(const Head &head, const Block &block, Scratch &scratch) {
  scratch.scores.resize(block.rows, block.total());
  AddBias(head, block, head.content_bias, scratch.content_queries);
  for (int t = 0; t < 3; t++) {
    if (block.count[t] <= 0) continue;
    ConstMap keys(head.tiers[t].keys + block.begin[t] * head.k, block.count[t], head.k);
    scratch.scores.middleCols(block.column[t], block.count[t]).noalias() = scratch.content_queries * keys.transpose();
  }
  AddPositions(head, head.compressed_positions, block, true, scratch);
  AddPositions(head, head.positions, block, false, scratch);
}

// Writes mixed values, rows `stride` apart, and the logarithm of each query's sum of exponentials [n].
inline void Attend(const Head &head, float *mixed, int64_t stride, float *log_sums, Scratch &scratch) {
  for (int64_t first = 0; first < head.n; first += kQueryBlock) {
    const Block block(head, first);
    Scores(head, block, scratch);
    scratch.inverse_sums.resize(block.rows);
    for (int64_t r = 0; r < block.rows; r++) {
      const int64_t visible = block.visible(r);
      RowMap scores(scratch.scores.data() + r * block.total(), visible);
      const float greatest = scores.maxCoeff();
      scores = (scores - greatest).exp();
      const float sum = scores.sum();
      scratch.inverse_sums[r] = 1.0f / sum;
      log_sums[first + r] = greatest + std::log(sum);
      std::fill(scratch.scores.data() + r * block.total() + visible, scratch.scores.data() + (r + 1) * block.total(), 0.0f);
    }
    scratch.product.setZero(block.rows, head.k);
    for (int t = 0; t < 3; t++) {
      if (block.count[t] <= 0) continue;
      ConstMap values(head.tiers[t].values + block.begin[t] * head.k, block.count[t], head.k);
      scratch.product.noalias() += scratch.scores.middleCols(block.column[t], block.count[t]) * values;
    }
    Strided output(mixed + first * stride, block.rows, head.k, Eigen::OuterStride<>(stride));
    output = scratch.product.array().colwise() * scratch.inverse_sums.transpose();
  }
}

// Where the gradients of one head of one document are added up; zero at first.
struct HeadGradient {
  float *queries;                                      // [n, k]
  float *keys[3], *values[3];                          // [slots, k]
  float *content_bias;                                 // [k]
  float *position_bias, *compressed_position_bias;     // [k]
  float *position_keys, *compressed_position_keys;     // [k, width]
};

inline void PositionGradient(const Head &head, const Positions &table, const Block &block, bool compressed, float *bias,
                             float *keys, Strided queries, Scratch &scratch) {
  const Window window(head, table, block, compressed);
  if (window.count <= 0) return;
  AddBias(head, block, table.bias, scratch.position_queries);
  scratch.positions.setZero(block.rows, window.length);
  for (int64_t r = 0; r < block.rows; r++) {
    const int64_t count = window.reached(r, block.rows);
    RowMap(scratch.positions.data() + r * window.length + block.rows - 1 - r, count) =
        RowMap(scratch.slopes.data() + r * block.total() + window.column, count);
  }
  Strided(keys + window.start, head.k, window.length, Eigen::OuterStride<>(window.width)).noalias() +=
      scratch.position_queries.transpose() * scratch.positions;
  scratch.product.resize(block.rows, head.k);
  scratch.product.noalias() = scratch.positions * TableStretch(head, table, window).transpose();
  queries += scratch.product;
  Eigen::Map<Eigen::RowVectorXf>(bias, head.k) += scratch.product.colwise().sum();
}

inline void AttendGradient(const Head &head, const float *mixed, const float *mixed_gradient, int64_t stride,
                           const float *log_sums, const HeadGradient &gradient, Scratch &scratch) {
  for (int64_t first = 0; first < head.n; first += kQueryBlock) {
    const Block block(head, first);
    const int64_t total = block.total();
    Scores(head, block, scratch);
    const ConstStrided output(mixed + first * stride, block.rows, head.k, Eigen::OuterStride<>(stride));
    const ConstStrided slope(mixed_gradient + first * stride, block.rows, head.k, Eigen::OuterStride<>(stride));
    scratch.slopes.resize(block.rows, total);
    for (int t = 0; t < 3; t++) {
      if (block.count[t] <= 0) continue;
      ConstMap values(head.tiers[t].values + block.begin[t] * head.k, block.count[t], head.k);
      scratch.slopes.middleCols(block.column[t], block.count[t]).noalias() = slope * values.transpose();
    }
    for (int64_t r = 0; r < block.rows; r++) {
      const int64_t visible = block.visible(r);
      RowMap probabilities(scratch.scores.data() + r * total, visible);
      RowMap slopes(scratch.slopes.data() + r * total, visible);
      probabilities = (probabilities - log_sums[first + r]).exp();
      slopes = probabilities * (slopes - slope.row(r).dot(output.row(r)));
      std::fill(scratch.scores.data() + r * total + visible, scratch.scores.data() + (r + 1) * total, 0.0f);
      std::fill(scratch.slopes.data() + r * total + visible, scratch.slopes.data() + (r + 1) * total, 0.0f);
    }
    scratch.product.setZero(block.rows, head.k);
    for (int t = 0; t < 3; t++) {
      if (block.count[t] <= 0) continue;
      const int64_t offset = block.begin[t] * head.k;
      ConstMap keys(head.tiers[t].keys + offset, block.count[t], head.k);
      const auto probabilities = scratch.scores.middleCols(block.column[t], block.count[t]);
      const auto slopes = scratch.slopes.middleCols(block.column[t], block.count[t]);
      Map(gradient.values[t] + offset, block.count[t], head.k).noalias() += probabilities.transpose() * slope;
      Map(gradient.keys[t] + offset, block.count[t], head.k).noalias() += slopes.transpose() * scratch.content_queries;
      scratch.product.noalias() += slopes * keys;
    }
    Strided queries(gradient.queries + first * head.k, block.rows, head.k, Eigen::OuterStride<>(head.k));
    queries = scratch.product;
    Eigen::Map<Eigen::RowVectorXf>(gradient.content_bias, head.k) += scratch.product.colwise().sum();
    PositionGradient(head, head.compressed_positions, block, true, gradient.compressed_position_bias,
                     gradient.compressed_position_keys, queries, scratch);
    PositionGradient(head, head.positions, block, false, gradient.position_bias, gradient.position_keys, queries, scratch);
  }
}

}  // namespace training
}  // namespace palimpsest
