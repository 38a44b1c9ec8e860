// The gradient of attention (docs/model.md, "One step"), a block of queries at a time: forward, only the logarithm of each query's sum is kept,
// and backward the scores of a block are computed again rather than read from memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "lines.h"
#include "matrix-product.h"
#include "operand-packing.h"
#include "operand.h"
#include "packing.h"
#include "relative-attention.h"
#include "simd.h"
#include "streamed.h"

namespace palimpsest {

// Enough queries at once that the sums over them, which keys and values get, are worth loading and storing: the matrix unit computes more of them
// meanwhile.
template <typename Number>
constexpr int64_t kGradientBlock = Number::kMatrixUnit ? 64 : 32;

// Positions of one table in the orders in which scores and their gradient read them.
template <typename Number>
struct PositionTable {
  const typename Number::Step *across;  // of PackPositionKeys
  Panels<Number> down;                  // of k, with steps of PositionColumns; behind them, as many steps as kBehindPositions may be read
};

// What has to be readable behind position keys whose products begin at any step, and take whole tiles of them.
template <typename Number>
constexpr int64_t kBehindPositions = Number::kStepsTogether * kPanelStride<Number>;

// Where the gradients of one head of one document go.
struct HeadGradientOutput {
  float *queries;                   // [n, k]
  Results keys[3], values[3];       // [slots, k] of compressed memory, memory, segment; those of slots that are not filled stay
  float *content_bias;              // [k]; added to
  float *position_bias[2];          // [k] of positions and of compressed ones; added to
  float *position_keys[2];          // [k, PositionColumns]; added to
};

// What the gradient of one head of one document starts from.
struct HeadGradientInput {
  const float *mixed_gradient;  // rows `stride` apart
  int64_t stride;
  const float *log_sums;  // [n]
};

template <typename Number>
class HeadGradient : HeadAttention<Number, kGradientBlock<Number>> {
  using Base = HeadAttention<Number, kGradientBlock<Number>>;
  using Step = typename Number::Step;
  using Slot = typename Base::Slot;
  static constexpr int64_t kBlock = kGradientBlock<Number>;

 public:
  void Run(const AttentionHead<Number> &head, const PositionTable<Number> (&tables)[2], const HeadGradientInput &input,
           const HeadGradientOutput &output) {
    this->OpenScores(head, head.n);
    all_ = static_cast<int64_t>(this->columns_.size());
    k_padded_ = RoundUp(head.k, kPanel);
    values_across_.resize(all_ * this->steps_ * Number::kParts);
    value_scales_.resize(all_);
    this->PackAcross(&Slot::value, values_across_.data(), value_scales_.data());
    PackKeysDown();
    slopes_.resize(kBlock * Base::RowOfScores(all_));
    keys_gradient_.assign(RoundUp(head.k, kLanes) * all_ + kLanes, 0.0f);
    values_gradient_.assign(RoundUp(head.k, kLanes) * all_ + kLanes, 0.0f);
    for (int64_t first = 0; first < head.n; first += kBlock) {
      AddBlock(first, std::min(kBlock, head.n - first), tables, input, output);
    }
    WriteColumns(keys_gradient_, output.keys);
    WriteColumns(values_gradient_, output.values);
  }

 private:
  const AttentionHead<Number> &head() const { return *this->head_; }

  void AddBlock(int64_t first, int64_t rows, const PositionTable<Number> (&tables)[2], const HeadGradientInput &input,
                const HeadGradientOutput &output) {
    const int64_t k = head().k, total = this->Scores(first, rows), row_of_scores = Base::RowOfScores(total);
    const float *const slope = input.mixed_gradient + first * input.stride;
    const LeftRows<Number> slope_rows(slope, rows, k, input.stride, left_);
    const int64_t of_values = kPanelStride<Number> * this->steps_;
    for (int64_t column = 0; column < total; column += kPanel) {
      StorePanel<Number>({slope_rows.Row(0), slope_rows.stride(), values_across_.data() + column / kPanel * of_values, kPanelStride<Number>,
                          this->steps_, kLanes, value_scales_.data() + column},
                         rows, {}, {slopes_.data() + column, row_of_scores});
    }
    for (int64_t row = 0; row < rows; row++) Slopes(row, first + row, total, input);

    // Sums over the block's queries: of what each gives to a value, and to a key.
    AddOverQueries(slope, input.stride, rows, this->scores_.data(), row_of_scores, total, values_gradient_.data(), all_);
    Biased(first, rows, head().content_bias);
    AddOverQueries(biased_queries_.data(), k, rows, slopes_.data(), row_of_scores, total, keys_gradient_.data(), all_);

    queries_gradient_.resize(RoundUp(kBlock, kMostTileRows) * k_padded_);
    const LeftRows<Number> slopes(slopes_.data(), rows, total, row_of_scores, left_);
    const Panels<Number> keys{keys_down_.data(), StepsOf<Number>(all_)};
    for (int64_t column = 0; column < k_padded_; column += kPanel) {
      StorePanel<Number>(keys.Times(slopes, column / kPanel, 0, StepsOf<Number>(total)), rows, {},
                         {queries_gradient_.data() + column, k_padded_});
    }
    AddQueries(first, rows, output.content_bias, true, output);
    const int64_t old = this->old_.count, start = head().n - first - rows + 1;
    Positions(first, rows, total, {head().position_bias, this->old_.padded, head().memory, head().memory.filled + first + rows, start, false},
              tables[0], output.position_bias[0], output.position_keys[0], output);
    if (old > 0) {
      Positions(first, rows, total, {head().compressed_position_bias, 0, head().compressed, old, start, true}, tables[1],
                output.position_bias[1], output.position_keys[1], output);
    }
  }

  // Scores of a row to probabilities, and the gradient of probabilities to that of scores.
  void Slopes(int64_t row, int64_t query, int64_t total, const HeadGradientInput &input) {
    constexpr float kHidden = -1e30f;
    float *const scores = this->scores_.data() + row * Base::RowOfScores(total);
    float *const slopes = slopes_.data() + row * Base::RowOfScores(total);
    std::fill(scores + this->old_.count, scores + this->old_.padded, kHidden);
    std::fill(scores + this->old_.padded + this->Recent(query), scores + total, kHidden);
    const Vector log_sum = Broadcast(input.log_sums[query]);
    Vector sum = {}, whole = {};
    for (int64_t j = 0; j < total; j += kLanes) {
      const Vector probability = ExpOfDifference(Load(scores + j), log_sum);
      Store(scores + j, probability);
      sum += probability * Load(slopes + j);
      whole += probability;
    }
    // Of these very numbers, so that slopes add up to 0 as they should.
    const Vector mean = Broadcast(Sum(sum) / Sum(whole));
    for (int64_t j = 0; j < total; j += kLanes) Store(slopes + j, Load(scores + j) * (Load(slopes + j) - mean));
  }

  // The queries of a block with a bias, into biased_queries_.
  void Biased(int64_t first, int64_t rows, const float *bias) {
    const int64_t k = head().k;
    biased_queries_.resize(kBlock * k);
    const float *const queries = head().queries + first * k;
    for (int64_t row = 0; row < rows; row++) {
      for (int64_t j = 0; j < k; j++) biased_queries_[row * k + j] = queries[row * k + j] + bias[j];
    }
  }

  // sums [k, columns] += leftᵀ [k, rows] · right [rows, columns]; whole panels of columns.
  void AddOverQueries(const float *left, int64_t left_stride, int64_t rows, const float *right, int64_t right_stride, int64_t columns, float *sums,
                      int64_t stride) {
    const int64_t k = head().k, steps = StepsOf<Number>(rows), left_steps = LeftStride<Number>(steps);
    transposed_.resize(RoundUp(k, kMostTileRows) * left_steps);
    PackLeft<Number>({Matrix({left}, left_stride, left_stride), true}, k, rows, 0, k, 0, steps, transposed_.data(), left_steps);
    const LeftRows<Number> over_queries(transposed_.data(), left_steps);
    const auto add = [&](int64_t column, const Factors<Number> &factors) {
      MultiplyVectors<Number>(factors, k, {}, [&](int64_t within) {
        return [=, to = sums + column + within](int64_t row, Vector sum) { Store(to + row * stride, Load(to + row * stride) + sum); };
      });
    };
    if constexpr (Number::kPerStep == 1) {
      for (int64_t column = 0; column < columns; column += kPanel) {
        add(column, {over_queries.Row(0), left_steps, right + column, right_stride, steps});
      }
    } else {
      const Operand pairs{Matrix({right}, right_stride, right_stride)};
      panel_.resize(Panels<Number>{nullptr, steps}.length());
      for (int64_t column = 0; column < columns; column += kPanel) {
        PackRight<Number>(pairs, rows, columns, 0, steps, column / kPanel, panel_.data());
        add(column, Panels<Number>{panel_.data(), steps}.Times(over_queries, 0, 0, steps));
      }
    }
  }

  // What positions of one table are computed from: the columns that it reaches, and the tier behind which it begins.
  struct Reach {
    const float *bias;
    int64_t column;
    const Tier &tier;
    int64_t count, start;
    bool compressed;
  };

  void Positions(int64_t first, int64_t rows, int64_t total, const Reach &reach, const PositionTable<Number> &table, float *bias_gradient,
                 float *keys_gradient, const HeadGradientOutput &output) {
    const int64_t k = head().k, columns = PositionColumns(reach.tier.slots, head().n);
    const int64_t start = reach.start + reach.tier.slots - reach.tier.filled, lead = start % Number::kPerStep;
    // Query r and visible slot j meet at column lead + rows - 1 - r + j of the stretch.
    const int64_t length = lead + (reach.compressed ? reach.count + rows - 1 : reach.count), width = RoundUp(length, kPanel);
    shifted_.assign(rows * width, 0.0f);
    for (int64_t row = 0; row < rows; row++) {
      const int64_t count = reach.compressed ? reach.count : this->Recent(first + row);
      std::copy_n(slopes_.data() + row * Base::RowOfScores(total) + reach.column, count, shifted_.data() + row * width + lead + rows - 1 - row);
    }
    Biased(first, rows, reach.bias);
    AddOverQueries(biased_queries_.data(), k, rows, shifted_.data(), width, width, keys_gradient + start - lead, columns);

    ForTiles<Number>(rows, [&](int64_t row, auto count, int used) {
      // A tile's rows reach a part of the stretch.
      const int64_t from = (lead + rows - row - used) / Number::kPerStep * Number::kPerStep;
      const int64_t reached = std::min(length, lead + rows - 1 - row + reach.count) - from;
      const LeftRows<Number> left(shifted_.data() + row * width + from, used, reached, width, left_);
      for (int64_t column = 0; column < k_padded_; column += kPanel) {
        const auto factors = table.down.Times(left, column / kPanel, (start - lead + from) / Number::kPerStep, StepsOf<Number>(reached));
        StoreTile<Number, decltype(count)::value>(factors, {}, {queries_gradient_.data() + row * k_padded_ + column, k_padded_});
      }
    });
    AddQueries(first, rows, bias_gradient, false, output);
  }

  // Adds queries_gradient_ to the gradients of queries, or begins them with it, and to that of a bias.
  void AddQueries(int64_t first, int64_t rows, float *bias, bool begin, const HeadGradientOutput &output) {
    const int64_t k = head().k;
    for (int64_t row = 0; row < rows; row++) {
      const float *const from = queries_gradient_.data() + row * k_padded_;
      float *const to = output.queries + (first + row) * k;
      for (int64_t j = 0; j < k; j++) {
        to[j] = begin ? from[j] : to[j] + from[j];
        bias[j] += from[j];
      }
    }
  }

  // Gradients of columns [k, columns] to the slots that they belong to.
  void WriteColumns(const Lines<float> &gradient, const Results (&to)[3]) {
    const AttentionHead<Number> &of = head();
    WriteTier(gradient.data(), of.compressed, to[0]);
    WriteTier(gradient.data() + this->old_.padded, of.memory, to[1]);
    WriteTier(gradient.data() + this->old_.padded + of.memory.filled, of.segment, to[2]);
  }
  void WriteTier(const float *from, const Tier &tier, const Results &to) {
    // Whole lines of the cache are written one after the other.
    constexpr int64_t kAtOnce = std::max(kLanes, kNumbersOfLine);
    alignas(64) float part[kLanes][kAtOnce];
    for (int64_t slot = 0; slot < tier.filled; slot += kLanes) {
      for (int64_t j = 0; j < head().k; j += kAtOnce) {
        const int64_t width = std::min(kAtOnce, RoundUp(head().k - j, kLanes));
        // Columns behind the last one are read, and not used.
        for (int64_t i = 0; i < width; i += kLanes) TransposeSquare(from + (j + i) * all_ + slot, all_, &part[0][i], kAtOnce);
        for (int64_t s = 0; s < std::min(kLanes, tier.filled - slot); s++) {
          for (int64_t i = 0; i < width; i += kLanes) to.Write(tier.slots - tier.filled + slot + s, j + i, Load(part[s] + i));
        }
      }
    }
  }

  // Keys as panels of k, with steps of columns.
  void PackKeysDown() {
    const int64_t k = head().k, steps = StepsOf<Number>(all_);
    const Panels<Number> panels{nullptr, steps};
    keys_down_.resize(k_padded_ / kPanel * panels.length());
    if constexpr (Number::kScaled) {
      none_.assign(k, 0.0f);
      const auto key = [&](int64_t i) { return this->columns_[i].key == nullptr ? none_.data() : this->columns_[i].key; };
      PackScaledColumns<Number>(key, all_, k, 0, steps, keys_down_.data());
    } else {
      this->PackDown(&Slot::key, keys_down_.data());
    }
  }

  int64_t all_ = 0, k_padded_ = 0;
  Lines<Step> values_across_, keys_down_, left_, transposed_, panel_;
  Lines<float> none_, value_scales_, slopes_, keys_gradient_, values_gradient_, biased_queries_, queries_gradient_, shifted_;
};

}  // namespace palimpsest
