// Attention of a segment over compressed memory, memory and itself (docs/model.md, "One step"), a block of queries at a time:
// scores, relative shift, mask and softmax of a block never leave the processor's cache, and keys that no query of the block may
// see are not computed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "lines.h"
#include "matrix-product.h"
#include "packing.h"
#include "simd.h"

namespace palimpsest {

// One tier of keys: `slots` in all, of which the last `filled` may be seen.
struct Tier {
  const float *keys;    // [slots, k]
  const float *values;  // [slots, k]
  int64_t slots;
  int64_t filled;
};

template <typename Number>
struct AttentionHead {
  const float *queries;  // [n, k]
  const float *content_bias, *position_bias, *compressed_position_bias;  // [k]
  const typename Number::Step *position_keys;             // of PackPositionKeys, for n_m slots
  const typename Number::Step *compressed_position_keys;  // of PackPositionKeys, for n_cm slots
  Tier compressed, memory, segment;
  int64_t n, k;
  float *output;  // first element; rows are `output_stride` apart
  int64_t output_stride;
  float *log_sums = nullptr;  // [n], the logarithm of each query's sum of e^score, if it is wanted
  // Sums of all queries' weights of what may be seen of memory and of the segment, of whole panels, which are added to; if they are wanted.
  float *received = nullptr;
};

// Columns of a tier's position keys: one for each distance, one that the relative shift passes over, and room for whole panels.
inline int64_t PositionColumns(int64_t slots, int64_t n) { return RoundUp(slots + n + 1 + kMostTileRows + kPanel, kLanes); }

// What 16 columns of position keys take.
template <typename Number>
int64_t PositionStride(int64_t k) {
  return kLanes * (StepsOf<Number>(k) * Number::kParts + (Number::kScaled ? 1 : 0));
}

// One head's position keys [k, width], in the order in which HeadAttention reads them: [PositionColumns / kLanes, steps of k, parts,
// kLanes], behind them the scales of all columns, if they have any.
template <typename Number>
void PackPositionKeys(const float *keys, int64_t k, int64_t width, typename Number::Step *to) {
  using Step = typename Number::Step;
  const int64_t columns = PositionColumns(width - 1, 0), steps = StepsOf<Number>(k);
  if constexpr (Number::kScaled) {
    float *const units = reinterpret_cast<float *>(to + columns * steps * Number::kParts);
    const int64_t of_vector = kLanes * steps * Number::kParts;
    std::fill_n(to, columns / kLanes * PositionStride<Number>(k), Step{});
    Number::ForSquares([&](int64_t i) { return keys + i * width; }, k, width, units, [&](int64_t column, int64_t s, const auto &square) {
      StoreSquare<Number>(square, to + column / kLanes * of_vector + s * kLanes * Number::kParts, kLanes * Number::kParts);
    });
  } else {
    for (int64_t column = 0; column < columns; column += kLanes) {
      const int64_t filled = std::clamp<int64_t>(width - column, 0, kLanes);
      for (int64_t s = 0; s < steps; s++, to += kLanes) {
        const int64_t row = s * Number::kPerStep;
        if (filled < kLanes) std::fill_n(to, kLanes, Step{});
        for (int64_t j = 0; j < filled; j++) StoreStep<Number>(keys + row * width + column + j, k - row, width, to + j);
      }
    }
  }
}

// Queries at once: their scores stay in the second level of cache while the keys pass through the first.
template <typename Number>
constexpr int64_t kQueryBlock = 2 * Number::kTileRows;

// The attention of one head of one document, with the scratch that one thread needs for it. Attends from at most `kQueries` queries at once.
template <typename Number, int64_t kQueries = kQueryBlock<Number>>
class HeadAttention {
 public:
  // Brings keys and values into the order in which queries `first` to `end` read them.
  void Open(const AttentionHead<Number> &head, int64_t end) {
    OpenScores(head, end);
    if (Number::kPerStep > 1) weights_.resize(kQueries * RowOfWeights(columns_.size()));
    // In float32, values already lie as products read them, but for the last columns of odd heads.
    packs_values_ = Number::kPerStep > 1 || head.k % kPanel != 0;
    if (!packs_values_) return;
    values_.resize(RoundUp(head.k, kPanel) / kPanel * ValuePanel());
    PackDown(&Slot::value, values_.data());
  }

  // Attends from queries `first` to `first + rows`.
  void Attend(int64_t first, int64_t rows) {
    const int64_t total = Scores(first, rows);
    if (head_->received != nullptr) AddReceived(first, rows, total);
    for (int64_t row = 0; row < rows; row += kWeighed) Softmax(row, std::min(kWeighed, rows - row), first + row, total);
    Mix(first, rows, total);
  }

 protected:
  using Step = typename Number::Step;
  static constexpr int kTileRows = Number::kTileRows;

  // Columns of scores: those in use, and whole panels of them.
  struct Region {
    int64_t count, padded;
  };
  struct Slot {
    const float *key = nullptr, *value = nullptr;
  };

  void OpenScores(const AttentionHead<Number> &head, int64_t end) {
    head_ = &head;
    steps_ = StepsOf<Number>(head.k);
    old_ = {head.compressed.filled, RoundUp(head.compressed.filled, kPanel)};
    recent_ = {head.memory.filled + end, RoundUp(head.memory.filled + end, kPanel)};
    const int64_t columns = old_.padded + recent_.padded;
    keys_.resize(columns * steps_ * Number::kParts);
    key_scales_.resize(columns);
    scores_.resize(kQueries * RowOfScores(columns));
    positions_.resize(kTileRows * (std::max(old_.padded, recent_.padded) + kTileRows + kLanes + kPanel));

    columns_.clear();
    AddColumns(head.compressed, head.compressed.filled);
    columns_.resize(old_.padded);
    AddColumns(head.memory, head.memory.filled);
    AddColumns({head.segment.keys, head.segment.values, end, end}, end);
    columns_.resize(columns);
    PackAcross(&Slot::key, keys_.data(), key_scales_.data());
  }

  // Scores of queries `first` to `first + rows`, without a mask, in rows RowOfScores apart. Returns how many columns each of them has.
  int64_t Scores(int64_t first, int64_t rows) {
    const AttentionHead<Number> &head = *head_;
    // Of the segment, nothing behind the block's last query.
    const int64_t recent_padded = RoundUp(head.memory.filled + first + rows, kPanel);
    const int64_t total = old_.padded + recent_padded;
    ForTiles<Number>(rows, [&](int64_t row, auto count, int used) {
      constexpr int kRows = decltype(count)::value;
      float *const scores = scores_.data() + row * RowOfScores(total);
      const float *const queries = head.queries + (first + row) * head.k;
      const LeftRows<Number> content = AddBias(queries, used, head.content_bias, for_content_);
      if (old_.count > 0) {
        AddPositions<kRows>(queries, used, first + row, head.compressed_position_bias, head.compressed_position_keys, head.compressed,
                            old_.count);
      }
      Content<kRows>(content, used, 0, old_.padded, scores, RowOfScores(total));
      AddPositions<kRows>(queries, used, first + row, head.position_bias, head.position_keys, head.memory,
                          head.memory.filled + first + row + used);
      Content<kRows>(content, used, old_.padded, recent_padded, scores + old_.padded, RowOfScores(total));
    });
    return total;
  }

  // Columns of the second region that a query sees.
  int64_t Recent(int64_t query) const { return head_->memory.filled + query + 1; }

  void AddColumns(const Tier &tier, int64_t filled) {
    for (int64_t slot = tier.slots - filled; slot < tier.slots; slot++) {
      columns_.push_back({tier.keys + slot * head_->k, tier.values + slot * head_->k});
    }
  }

  // Panels of columns, [columns / kPanel][steps of k][parts][kPanel], and the scales of all columns, if they have any.
  void PackAcross(const float *Slot::*part, Step *to, float *scales) {
    constexpr int64_t kStride = kPanelStride<Number>;
    const int64_t length = steps_ * Number::kParts;
    row_.resize(kPanel * length);
    for (size_t first = 0; first < columns_.size(); first += kPanel, to += kStride * steps_) {
      for (int64_t j = 0; j < kPanel; j++) {
        const float *const key = columns_[first + j].*part;
        Step *const row = row_.data() + j * length;
        if constexpr (Number::kScaled) scales[first + j] = Number::StoreScaled(key, key == nullptr ? 0 : head_->k, steps_, row, steps_);
        else if (key == nullptr) std::fill(row, row + length, Step{});
        else ToSteps<Number>(key, head_->k, row);
      }
      for (int64_t p = 0; p < Number::kParts; p++) {
        const Step *const from = row_.data() + p * steps_;
        Step *const of_part = to + p * kPanel;
        int64_t s = 0;
        for (; s + kLanes <= steps_; s += kLanes) {
          for (int64_t j = 0; j < kPanel; j += kLanes) TransposeSquare(from + j * length + s, length, of_part + s * kStride + j, kStride);
        }
        for (; s < steps_; s++) {
          for (int64_t j = 0; j < kPanel; j++) of_part[s * kStride + j] = from[j * length + s];
        }
      }
    }
  }

  // Panels of k, [k / kPanel][steps of columns][parts][kPanel].
  void PackDown(const float *Slot::*part, Step *to) {
    const int64_t k = head_->k, steps = StepsOf<Number>(columns_.size());
    // A scale is one slot's alone, so that no query's result depends on what it does not see.
    if constexpr (Number::kScaled) {
      value_units_.resize(columns_.size());
      value_inverses_.resize(columns_.size());
      for (size_t i = 0; i < columns_.size(); i++) {
        const float *const value = columns_[i].*part;
        const auto scale = Number::Scale::Of(value, value == nullptr ? 0 : k);
        value_units_[i] = scale.unit;
        value_inverses_[i] = scale.inverse;
      }
    }
    for (int64_t first = 0; first < k; first += kPanel) {
      if constexpr (Number::kScaled) {
        for (int64_t column = first; column < first + kPanel; column += kLanes, to += steps * kLanes * Number::kParts) {
          const auto row = [&](int64_t i) { return columns_[i].*part == nullptr ? nullptr : columns_[i].*part + column; };
          Number::StoreRowsDown(row, value_inverses_.data(), columns_.size(), k - column, to, kLanes * Number::kParts);
        }
      } else {
        const int64_t filled = std::min(kPanel, k - first);
        for (size_t column = 0; column < columns_.size(); column += Number::kPerStep, to += kPanelStride<Number>) {
          const auto of_slot = [&](size_t i) {
            static const float zeros[kPanel] = {};
            const float *const value = i < columns_.size() ? columns_[i].*part : nullptr;
            return value == nullptr ? zeros : value + first;
          };
          if (filled < kPanel) std::fill_n(to, kPanelStride<Number>, Step{});
          PairRows<Number>(of_slot(column), of_slot(column + 1), filled, to);
        }
      }
    }
  }

  // What the relative positions of one tier contribute to a tile's scores, into positions_. Query r of the tile and the tier's
  // visible slot j meet at column offset_ + j + used - 1 - r: a tile begins where a vector of the table does.
  template <int kRows>
  void AddPositions(const float *queries, int used, int64_t first, const float *bias, const Step *position_keys, const Tier &tier,
                    int64_t count) {
    const AttentionHead<Number> &head = *head_;
    const int64_t columns = PositionColumns(tier.slots, head.n);
    const int64_t start = head.n - first - used + 1 + tier.slots - tier.filled;
    offset_ = start % kLanes;
    // What lies behind the table's end belongs to keys that come after their queries.
    const int64_t window = RoundUp(std::min(offset_ + count + used - 1, columns - kPanel - (start - offset_)), kPanel);
    stride_ = RoundUp(count, kPanel) + kTileRows + kLanes + kPanel;
    const int64_t length = steps_ * Number::kParts;
    const Step *const table = position_keys + (start - offset_) * length;
    const float *const scales = reinterpret_cast<const float *>(position_keys + columns * length) + start - offset_;
    const LeftRows<Number> left = AddBias(queries, used, bias, for_positions_);
    for (int64_t column = 0; column < window; column += kPanel) {
      const Factors<Number> factors{left.Row(0), left.stride(), table + column * length, kLanes * Number::kParts,
                                    steps_,      kLanes * length, Number::kScaled ? scales + column : nullptr};
      StoreTile<Number, kRows>(factors, {}, {positions_.data() + column, stride_});
    }
  }

  // Scores of whole panels of columns from `begin` on, begun with what positions contribute.
  template <int kRows>
  void Content(const LeftRows<Number> &left, int used, int64_t begin, int64_t columns, float *scores, int64_t stride) {
    const Step *const keys = keys_.data() + begin * steps_ * Number::kParts;
    const float *const scales = key_scales_.data() + begin;
    // Each query's contributions begin a column before those of the query before it.
    const Sums<const float> shifted{positions_.data() + offset_ + used - 1, stride_ - 1};
    for (int64_t column = 0; column < columns; column += kPanel) {
      const Factors<Number> factors{left.Row(0), left.stride(), keys + column * steps_ * Number::kParts, kPanelStride<Number>,
                                    steps_,      kLanes,        scales + column};
      StoreTile<Number, kRows>(factors, {shifted.first + column, shifted.stride}, {scores + column, stride});
    }
  }

  // Queries with a bias.
  struct Biased {
    Lines<float> numbers;
    Lines<Step> steps;
  };

  LeftRows<Number> AddBias(const float *queries, int used, const float *bias, Biased &biased) {
    const int64_t k = head_->k;
    biased.numbers.resize(kTileRows * k);
    for (int r = 0; r < used; r++) {
      for (int64_t j = 0; j < k; j++) biased.numbers[r * k + j] = queries[r * k + j] + bias[j];
    }
    return LeftRows<Number>(biased.numbers.data(), used, k, k, biased.steps);
  }

  // Rows that are weighed together: while the greatest number of one is searched for among the lanes of a vector, the next one's numbers are read.
  static constexpr int64_t kWeighed = 4;

  // Turns scores of `rows` rows, the first of them that of a query, into weights, e^(score - greatest), and notes 1 / their sum.
  void Softmax(int64_t first, int64_t rows, int64_t query, int64_t total) {
    const int64_t length = RowOfWeights(total);
    float *const scores = scores_.data() + first * RowOfScores(total);
    Step *const weights = Weights() + first * length;
    float greatest[kWeighed], sums[kWeighed];
    for (int64_t r = 0; r < rows; r++) greatest[r] = HideUnseen(scores + r * RowOfScores(total), query + r, total);
    if constexpr (Number::kScaled) {
      typename Number::Magnitude heaviest[kWeighed];
      for (int64_t r = 0; r < rows; r++) {
        float *const of_row = scores + r * RowOfScores(total);
        typename Number::Magnitude most;
        const auto weigh = [&](int64_t j, Vector weight) {
          const Vector scaled = weight * Load(value_units_.data() + j);
          most.AddPositive(scaled);
          Store(of_row + j, scaled);
        };
        sums[r] = Exponentials(of_row, total, Broadcast(greatest[r]), [&](int64_t j, Vector first, Vector second) {
          weigh(j, first);
          weigh(j + kLanes, second);
        });
        heaviest[r] = most;
      }
      for (int64_t r = 0; r < rows; r++) {
        const auto scale = heaviest[r].ToScale();
        Number::StoreWhole(scores + r * RowOfScores(total), total, scale, StepsOf<Number>(total), weights + r * length, length / Number::kParts);
        std::memcpy(weights + (r + 1) * length - 1, &scale.unit, sizeof scale.unit);
      }
    } else {
      for (int64_t r = 0; r < rows; r++) {
        sums[r] = Exponentials(scores + r * RowOfScores(total), total, Broadcast(greatest[r]), [&](int64_t j, Vector first, Vector second) {
          StoreSteps<Number>(weights + r * length + j / Number::kPerStep, first, second);
        });
      }
    }
    for (int64_t r = 0; r < rows; r++) {
      inverse_sums_[first + r] = 1.0f / sums[r];
      if (head_->log_sums != nullptr) head_->log_sums[query + r] = greatest[r] + std::log(sums[r]);
    }
  }

  // Weights of one query after the other, so that sums do not depend on what else is attended to at once. They are computed once more for this: products
  // take them in other forms.
  void AddReceived(int64_t first, int64_t rows, int64_t total) {
    for (int64_t row = 0; row < rows; row++) {
      float *const scores = scores_.data() + row * RowOfScores(total);
      const Vector greatest = Broadcast(HideUnseen(scores, first + row, total));
      const float inverse_sum = 1.0f / Exponentials(scores, total, greatest, [](int64_t, Vector, Vector) {});
      float *const received = head_->received;
      const auto add = [=](int64_t at, Vector weights) { Store(received + at, Load(received + at) + weights * inverse_sum); };
      Exponentials(scores, total, greatest, [&](int64_t j, Vector first_weights, Vector second_weights) {
        if (j < old_.padded) return;
        add(j - old_.padded, first_weights);
        add(j - old_.padded + kLanes, second_weights);
      });
    }
  }

  // Makes scores that a query must not see so small that their weights are 0; returns the greatest of the others.
  float HideUnseen(float *scores, int64_t query, int64_t total) const {
    constexpr float kHidden = -1e30f;
    std::fill(scores + old_.count, scores + old_.padded, kHidden);
    std::fill(scores + old_.padded + Recent(query), scores + total, kHidden);
    Vector greatest = Broadcast(kHidden), greatest_of_second = greatest;
    for (int64_t j = 0; j < total; j += kPanel) {
      greatest = Max(greatest, Load(scores + j));
      greatest_of_second = Max(greatest_of_second, Load(scores + j + kLanes));
    }
    return Greatest(Max(greatest, greatest_of_second));
  }

  // Calls visit(column, first vector, second vector) with e^(score - most) of each panel of a row; returns their sum.
  template <typename Visit>
  static float Exponentials(const float *scores, int64_t total, Vector most, const Visit &visit) {
    Vector sum = {}, sum_of_second = {};
    for (int64_t j = 0; j < total; j += kPanel) {
      const Vector first = ExpOfDifference(Load(scores + j), most), second = ExpOfDifference(Load(scores + j + kLanes), most);
      sum += first;
      sum_of_second += second;
      visit(j, first, second);
    }
    return Sum(sum + sum_of_second);
  }

  // From a row of scores to the next: an odd number of lines of the cache, so that a tile's rows do not contend for the same few.
  static int64_t RowOfScores(int64_t columns) { return columns + kLanes; }

  // What as many weights take in a row.
  static int64_t RowOfWeights(int64_t count) { return Number::kPerStep == 1 ? RowOfScores(count) : LeftStride<Number>(StepsOf<Number>(count)); }

  // What a panel of values takes.
  int64_t ValuePanel() const { return StepsOf<Number>(columns_.size()) * kPanelStride<Number>; }

  // Rows of weights; single numbers take the place of the scores.
  Step *Weights() {
    if constexpr (Number::kPerStep == 1) return scores_.data();
    else return weights_.data();
  }

  // Sums of values, weighted.
  void Mix(int64_t first, int64_t rows, int64_t total) {
    const AttentionHead<Number> &head = *head_;
    const int64_t steps = StepsOf<Number>(total), length = RowOfWeights(total);
    const Step *const weights = Weights();
    // Weights contain the scales of their slots.
    static const std::vector<float> ones(kPanel, 1.0f);
    for (int64_t column = 0; column < head.k; column += kPanel) {
      const auto open = [&](int64_t within) {
        return [=, output = head.output + first * head.output_stride + column + within](int64_t row, Vector sums) {
          StoreFirst(output + row * head.output_stride, sums * inverse_sums_[row], head.k - column - within);
        };
      };
      if (packs_values_) {
        const Step *const values = values_.data() + column / kPanel * ValuePanel();
        const Panels<Number> panel{values, StepsOf<Number>(columns_.size())};
        MultiplyVectors<Number>({weights, length, values, panel.kStride, steps, panel.second(), ones.data()}, rows, {}, open);
      } else if constexpr (Number::kPerStep == 1) {
        const auto first_vector = open(0), second_vector = open(kLanes);
        ForTiles<Number>(rows, [&](int64_t row, auto count, auto) {
          constexpr int kRows = decltype(count)::value;
          const Tier &old = head.compressed, &memory = head.memory;
          Tile<kRows> tile = {};
          const auto mix = [&](int64_t from, const Tier &tier, int64_t slot, int64_t columns) {
            AddProduct<Number, kRows>(tile, {weights + row * length + from, length, tier.values + slot * head.k + column, head.k, columns});
          };
          mix(0, old, old.slots - old.filled, old.filled);
          mix(old_.padded, memory, memory.slots - memory.filled, memory.filled);
          mix(old_.padded + memory.filled, head.segment, 0, first + rows);
#pragma GCC unroll 12
          for (int r = 0; r < kRows; r++) {
            first_vector(row + r, tile[r][0]);
            second_vector(row + r, tile[r][1]);
          }
        });
      }
    }
  }

  const AttentionHead<Number> *head_ = nullptr;
  int64_t steps_ = 0, stride_ = 0, offset_ = 0;
  Region old_ = {}, recent_ = {};
  bool packs_values_ = true;
  std::vector<Slot> columns_;
  Biased for_content_, for_positions_;
  Lines<Step> keys_, values_, weights_, row_;
  Lines<float> scores_, positions_, key_scales_, value_units_, value_inverses_;
  float inverse_sums_[kQueries];
};

}  // namespace palimpsest
