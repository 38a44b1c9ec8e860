// Attention of a segment over compressed memory, memory and itself (docs/model.md, "One step"), a block of queries at a time:
// scores, relative shift, mask and softmax of a block never leave the processor's cache, and keys that no query of the block may
// see are not computed.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <vector>

namespace palimpsest {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const Matrix>;
using ConstStridedMap = Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>;
using StridedMap = Eigen::Map<Matrix, 0, Eigen::OuterStride<>>;
using Row = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>;

// One tier of keys: `slots` in all, of which the last `filled` may be seen.
struct Tier {
  const float *keys;    // [slots, k]
  const float *values;  // [slots, k]
  int64_t slots;
  int64_t filled;
};

struct AttentionHead {
  const float *queries;  // [n, k]
  const float *content_bias, *position_bias, *compressed_position_bias;  // [k]
  const float *position_keys;             // [k, n_m + n + 1]
  const float *compressed_position_keys;  // [k, n_cm + n + 1]
  Tier compressed, memory, segment;
  int64_t n, k;
  float *output;  // first element; rows are `output_stride` apart
  int64_t output_stride;
};

// Scratch of one thread.
struct AttentionScratch {
  Matrix queries, scores, positions, mixed;
};

constexpr int64_t kQueryBlock = 64;

// Adds what the relative positions of one tier contribute. Query r of the block and the tier's visible slot j meet at column
// j + rows - 1 - r of the window of position keys that the block needs.
inline void AddPositions(const AttentionHead &head, int64_t first, int64_t rows, const float *bias, const float *position_keys,
                         int64_t slots, int64_t begin, int64_t end, int64_t column, AttentionScratch &scratch) {
  const int64_t count = end - begin;
  if (count <= 0) return;
  const int64_t width = slots + head.n + 1;
  const int64_t window_start = head.n - first - rows + 1 + begin;
  const int64_t window = count + rows - 1;
  ConstMap queries(head.queries + first * head.k, rows, head.k);
  Eigen::Map<const Eigen::RowVectorXf> added(bias, head.k);
  scratch.queries.topRows(rows) = queries.rowwise() + added;
  ConstStridedMap keys(position_keys + window_start, head.k, window, Eigen::OuterStride<>(width));
  scratch.positions.resize(rows, window);
  scratch.positions.noalias() = scratch.queries.topRows(rows) * keys;
  for (int64_t r = 0; r < rows; r++) {
    Row(scratch.scores.data() + r * scratch.scores.cols() + column, count) +=
        Row(scratch.positions.data() + r * window + rows - 1 - r, count);
  }
}

inline void AttendBlock(const AttentionHead &head, int64_t first, int64_t rows, AttentionScratch &scratch) {
  const int64_t k = head.k;
  const Tier *tiers[] = {&head.compressed, &head.memory, &head.segment};
  int64_t begin[3], count[3], column[4];
  column[0] = 0;
  for (int t = 0; t < 3; t++) {
    begin[t] = tiers[t]->slots - tiers[t]->filled;
    // Of the segment, nothing behind the block's last query.
    const int64_t end = t == 2 ? first + rows : tiers[t]->slots;
    count[t] = end - begin[t];
    column[t + 1] = column[t] + count[t];
  }
  const int64_t total = column[3];

  scratch.queries.resize(kQueryBlock, k);
  scratch.scores.resize(rows, total);
  ConstMap queries(head.queries + first * k, rows, k);
  Eigen::Map<const Eigen::RowVectorXf> content_bias(head.content_bias, k);
  scratch.queries.topRows(rows) = queries.rowwise() + content_bias;
  for (int t = 0; t < 3; t++) {
    if (count[t] <= 0) continue;
    ConstMap keys(tiers[t]->keys + begin[t] * k, count[t], k);
    scratch.scores.middleCols(column[t], count[t]).noalias() = scratch.queries.topRows(rows) * keys.transpose();
  }
  AddPositions(head, first, rows, head.compressed_position_bias, head.compressed_position_keys, head.compressed.slots, begin[0],
               head.compressed.slots, column[0], scratch);
  // Memory and segment follow each other in one table.
  AddPositions(head, first, rows, head.position_bias, head.position_keys, head.memory.slots, begin[1],
               head.memory.slots + first + rows, column[1], scratch);

  Eigen::ArrayXf inverse_sums(rows);
  for (int64_t r = 0; r < rows; r++) {
    const int64_t visible = column[2] + first + r + 1;
    Row scores(scratch.scores.data() + r * total, visible);
    scores = (scores - scores.maxCoeff()).exp();
    inverse_sums[r] = 1.0f / scores.sum();
    std::fill(scratch.scores.data() + r * total + visible, scratch.scores.data() + (r + 1) * total, 0.0f);
  }
  scratch.mixed.resize(rows, k);
  scratch.mixed.setZero();
  for (int t = 0; t < 3; t++) {
    if (count[t] <= 0) continue;
    ConstMap values(tiers[t]->values + begin[t] * k, count[t], k);
    scratch.mixed.noalias() += scratch.scores.middleCols(column[t], count[t]) * values;
  }
  StridedMap output(head.output + first * head.output_stride, rows, k, Eigen::OuterStride<>(head.output_stride));
  output = scratch.mixed.array().colwise() * inverse_sums;
}

}  // namespace palimpsest
