// How far attention over compressed rows is from attention over the rows they stand for, by content alone, and its gradient
// (docs/training.md, "Losses"); one head of one document at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "lines.h"
#include "matrix-product.h"
#include "operand-packing.h"
#include "operand.h"
#include "packing.h"
#include "simd.h"

namespace palimpsest {

// Keys and values [slots, k], of which the last `filled` count.
struct ContentRows {
  const float *keys, *values;
  int64_t slots, filled;
};

struct ReconstructionHead {
  const float *queries;  // [n, k]
  ContentRows old, compressed;
  int64_t n, k;
  float weight;                          // of one squared difference
  float *keys_gradient, *values_gradient;  // of the compressed rows; 0 at first
};

template <typename Number>
class AttentionReconstruction {
  using Step = typename Number::Step;

 public:
  // Returns the weighted sum of squared differences.
  float Run(const ReconstructionHead &head) {
    head_ = &head;
    k_padded_ = RoundUp(head.k, kPanel);
    query_stride_ = LeftStride<Number>(StepsOf<Number>(head.k));
    queries_.resize(RoundUp(head.n, kMostTileRows) * query_stride_);
    PackLeft<Number>({Matrix(head.queries, head.k)}, head.n, head.k, 0, head.n, 0, StepsOf<Number>(head.k), queries_.data(),
                     query_stride_);
    Attend(head.old, expected_);
    Attend(head.compressed, given_);
    double sum = 0;
    for (int64_t i = 0; i < head.n; i++) {
      float of_row = 0;
      float *const given = given_.data() + i * k_padded_, *const expected = expected_.data() + i * k_padded_;
      float dot = 0;
      for (int64_t j = 0; j < head.k; j++) {
        const float difference = given[j] - expected[j], slope = 2 * head.weight * difference;
        of_row += difference * difference;
        dot += slope * given[j];
        expected[j] = slope;  // from here on the gradient of what is given
      }
      for (int64_t j = head.k; j < k_padded_; j++) expected[j] = 0;
      dots_.resize(head.n);
      dots_[i] = dot;
      sum += of_row;
    }
    Gradient();
    return static_cast<float>(sum * head.weight);
  }

 private:
  // Mixed values [n, padded k]; leaves the probabilities [n, padded slots] of what it attended to.
  void Attend(const ContentRows &rows, Lines<float> &mixed) {
    const int64_t k = head_->k, n = head_->n, first = (rows.slots - rows.filled) * k, steps = StepsOf<Number>(k);
    slots_ = RoundUp(std::max<int64_t>(rows.filled, 1), kPanel);
    probabilities_.resize(RoundUp(n, kMostTileRows) * slots_);
    mixed.resize(RoundUp(n, kMostTileRows) * k_padded_);
    Multiply(queries_.data(), query_stride_, n, steps, Operand{Matrix(rows.keys + first, k), true}, k, rows.filled, probabilities_, slots_);
    for (int64_t i = 0; i < n; i++) {
      float *const scores = probabilities_.data() + i * slots_;
      std::fill(scores + rows.filled, scores + slots_, -1e30f);
      Vector greatest = Load(scores);
      for (int64_t j = 0; j < slots_; j += kLanes) greatest = Max(greatest, Load(scores + j));
      const Vector most = Broadcast(Greatest(greatest));
      Vector sum = {};
      for (int64_t j = 0; j < slots_; j += kLanes) {
        const Vector weight = ExpOfDifference(Load(scores + j), most);
        sum += weight;
        Store(scores + j, weight);
      }
      const float inverse = 1.0f / Sum(sum);
      for (int64_t j = 0; j < slots_; j += kLanes) Store(scores + j, Load(scores + j) * inverse);
    }
    const LeftRows<Number> left(probabilities_.data(), n, rows.filled, slots_, left_);
    Multiply(left.Row(0), left.stride(), n, StepsOf<Number>(rows.filled), Operand{Matrix(rows.values + first, k)}, rows.filled, k, mixed,
             k_padded_);
  }

  void Gradient() {
    const ContentRows &rows = head_->compressed;
    const int64_t k = head_->k, n = head_->n, filled = rows.filled, first = (rows.slots - filled) * k;
    slopes_.resize(RoundUp(n, kMostTileRows) * slots_);
    const LeftRows<Number> left(expected_.data(), n, k, k_padded_, left_);
    Multiply(left.Row(0), left.stride(), n, StepsOf<Number>(k), Operand{Matrix(rows.values + first, k), true}, k, filled, slopes_, slots_);
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < filled; j++) {
        slopes_[i * slots_ + j] = probabilities_[i * slots_ + j] * (slopes_[i * slots_ + j] - dots_[i]);
      }
    }
    OverQueries(probabilities_, Matrix({expected_.data()}, k_padded_, k_padded_), head_->values_gradient + first);
    OverQueries(slopes_, Matrix(head_->queries, k), head_->keys_gradient + first);
  }

  // leftᵀ [filled, n] · right [n, k], rows of both by queries.
  void OverQueries(const Lines<float> &left, const Matrix &right, float *to) {
    const int64_t k = head_->k, n = head_->n, filled = head_->compressed.filled, steps = StepsOf<Number>(n), stride = LeftStride<Number>(steps);
    transposed_.resize(RoundUp(filled, kMostTileRows) * stride);
    PackLeft<Number>({Matrix({left.data()}, slots_, slots_), true}, filled, n, 0, filled, 0, steps, transposed_.data(), stride);
    product_.resize(RoundUp(filled, kMostTileRows) * k_padded_);
    Multiply(transposed_.data(), stride, filled, steps, Operand{right}, n, k, product_, k_padded_);
    for (int64_t row = 0; row < filled; row++) std::copy_n(product_.data() + row * k_padded_, k, to + row * k);
  }

  // left [rows, inner] · right [inner, columns], rows of the result `stride` apart, with room for whole tiles of them.
  void Multiply(const Step *left, int64_t left_stride, int64_t rows, int64_t steps, const Operand &right, int64_t inner, int64_t columns,
                Lines<float> &to, int64_t stride) {
    panel_.resize(Panels<Number>{nullptr, steps}.length());
    const Panels<Number> packed{panel_.data(), steps};
    for (int64_t column = 0; column < columns; column += kPanel) {
      PackRight<Number>(right, inner, columns, 0, steps, column / kPanel, panel_.data());
      StorePanel<Number>(packed.Times({left, left_stride}, 0, 0, steps), rows, {}, {to.data() + column, stride});
    }
  }

  const ReconstructionHead *head_ = nullptr;
  int64_t k_padded_ = 0, query_stride_ = 0, slots_ = 0;
  Lines<Step> queries_, left_, transposed_, panel_;
  Lines<float> expected_, given_, probabilities_, slopes_, dots_, product_;
};

}  // namespace palimpsest
