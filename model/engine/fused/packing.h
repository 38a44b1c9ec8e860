// Bringing numbers into the order in which products read them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "lines.h"
#include "matrix-product.h"

namespace palimpsest {

inline int64_t RoundUp(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

// Packed numbers as TensorFlow holds them: it has no kernels of its own for pairs, so their bits go as whole numbers.
template <typename Number>
using PackedType = std::conditional_t<Number::kPerStep == 1, float, int32_t>;

template <typename Number>
int64_t StepsOf(int64_t length) {
  return RoundUp((length + Number::kPerStep - 1) / Number::kPerStep, Number::kStepsTogether);
}

// The nearest bfloat16, ties to even; numbers that are not finite stay so.
inline uint32_t RoundToBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// The step of two neighbours.
inline uint32_t PairOf(float even, float odd) { return RoundToBfloat16(even) | RoundToBfloat16(odd) << 16; }

// Stores one step of `count` numbers that lie `stride` apart; what is missing of it is 0.
template <typename Number>
void StoreStep(const float *from, int64_t count, int64_t stride, typename Number::Step *to) {
  if constexpr (Number::kPerStep == 1) *to = *from;
  else *to = PairOf(*from, count > 1 ? from[stride] : 0.0f);
}

// The steps of two neighbouring vectors.
template <typename Number>
inline void StoreSteps(typename Number::Step *to, Vector first, Vector second) {
  if constexpr (Number::kPerStep == 1) {
    Store(to, first);
    Store(to + kLanes, second);
  } else {
#ifdef __AVX512BF16__
    _mm512_storeu_si512(to, (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first));
#endif
  }
}

// A row of numbers as steps.
template <typename Number>
void ToSteps(const float *from, int64_t length, typename Number::Step *to) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= length; i += 2 * kLanes) StoreSteps<Number>(to + i / Number::kPerStep, Load(from + i), Load(from + i + kLanes));
  for (; i < length; i += Number::kPerStep) StoreStep<Number>(from + i, length - i, 1, to + i / Number::kPerStep);
}

// Steps of two rows of `count` numbers, number by number; without a second row of the pair, of the first and 0. In float32, a copy.
template <typename Number>
void PairRows(const float *even, const float *odd, int64_t count, typename Number::Step *to) {
  int64_t j = 0;
  if constexpr (Number::kPerStep == 1) {
    for (; j + kLanes <= count; j += kLanes) Store(to + j, Load(even + j));
    for (; j < count; j++) to[j] = even[j];
  } else {
#ifdef __AVX512BF16__
    for (; j + kLanes <= count; j += kLanes) {
      const Vector second = odd == nullptr ? Vector{} : Load(odd + j);
      const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)Load(even + j));
      const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(both));
      const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)), 16);
      _mm512_storeu_si512(to + j, _mm512_or_si512(low, high));
    }
#endif
    for (; j < count; j++) to[j] = PairOf(even[j], odd == nullptr ? 0.0f : odd[j]);
  }
}

// Rows of steps so far apart that a tile's rows do not fall on the same lines of the cache.
template <typename Number>
int64_t LeftStride(int64_t steps) {
  return (RoundUp(steps, kLanes) + kLanes) * Number::kParts;
}

// Rows of numbers as rows of steps, with room for whole tiles, for the left side of a product; in float32 they are that already.
template <typename Number>
class LeftRows {
 public:
  LeftRows() = default;
  // Of rows that are packed already.
  LeftRows(const typename Number::Step *steps, int64_t stride) : steps_(steps), stride_(stride) {}
  LeftRows(const float *from, int64_t rows, int64_t length, int64_t stride, Lines<typename Number::Step> &scratch) {
    if constexpr (Number::kPerStep == 1) {
      steps_ = from;
      stride_ = stride;
    } else {
      stride_ = LeftStride<Number>(StepsOf<Number>(length));
      const int64_t size = RoundUp(rows, kMostTileRows) * stride_;
      if (static_cast<int64_t>(scratch.size()) < size) scratch.resize(size);
      for (int64_t row = 0; row < rows; row++) {
        auto *const to = scratch.data() + row * stride_;
        if constexpr (Number::kScaled) {
          const float scale = Number::StoreScaled(from + row * stride, length, StepsOf<Number>(length), to, stride_ / Number::kParts);
          std::memcpy(to + stride_ - 1, &scale, sizeof scale);
        } else {
          ToSteps<Number>(from + row * stride, length, to);
        }
      }
      steps_ = scratch.data();
    }
  }
  const typename Number::Step *Row(int64_t row) const { return steps_ + row * stride_; }
  int64_t stride() const { return stride_; }

 private:
  const typename Number::Step *steps_ = nullptr;
  int64_t stride_ = 0;
};

// A matrix in the order in which a product reads it from the right: panels of `steps` steps. Of numbers with scales, a panel is its first vector of
// columns, step after step, then its second one, then the scales of all columns.
template <typename Number>
struct Panels {
  const typename Number::Step *first;
  int64_t steps;

  static constexpr int64_t kStride = (Number::kScaled ? kLanes : kPanel) * Number::kParts;
  // From a step of the first vector to that of the second.
  int64_t second() const { return Number::kScaled ? steps * kStride : kLanes; }
  // Of one panel.
  int64_t length() const { return steps * kPanelStride<Number> + (Number::kScaled ? kPanel : 0); }

  // What rows times `count` steps of a panel, from `begin` on, take.
  Factors<Number> Times(const LeftRows<Number> &left, int64_t panel, int64_t begin, int64_t count) const {
    const auto *const right = first + panel * length();
    const auto *const scales = Number::kScaled ? reinterpret_cast<const float *>(right + steps * kPanelStride<Number>) : nullptr;
    return {left.Row(0), left.stride(), right + begin * kStride, kStride, count, second(), scales};
  }
};

// Steps of a vector of columns, `stride` apart, each with its parts behind each other: from a square of each part.
template <typename Number>
void StoreSquare(const typename Number::Step (&square)[Number::kParts][kLanes][kLanes], typename Number::Step *to, int64_t stride) {
  for (int64_t s = 0; s < kLanes; s++) {
    for (int64_t part = 0; part < Number::kParts; part++) std::memcpy(to + s * stride + part * kLanes, square[part][s], sizeof square[part][s]);
  }
}

// A matrix whose numbers lie `row_stride` and `column_stride` apart, as panels; without scales, [columns / kPanel][steps of rows][parts][kPanel].
template <typename Number>
void PackPanels(const float *from, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride,
                typename Number::Step *to) {
  using Step = typename Number::Step;
  const int64_t steps = StepsOf<Number>(rows);
  const Panels<Number> panels{to, steps};
  const int64_t length = panels.length();
  std::vector<float> column(Number::kScaled ? rows : 0);
  Lines<Step> bytes(Number::kScaled ? steps * Number::kParts : 0);
  for (int64_t first = 0; first < columns; first += kPanel, to += length) {
    const int64_t filled = std::min(kPanel, columns - first);
    if (filled < kPanel) std::fill_n(to, length, Step{});
    if constexpr (Number::kScaled) {
      for (int64_t j = 0; j < filled; j++) {
        for (int64_t row = 0; row < rows; row++) column[row] = from[row * row_stride + (first + j) * column_stride];
        const float scale = Number::StoreScaled(column.data(), rows, steps, bytes.data(), steps);
        Step *const of_column = to + j / kLanes * panels.second() + j % kLanes;
        for (int64_t part = 0; part < Number::kParts; part++) {
          for (int64_t s = 0; s < steps; s++) of_column[s * panels.kStride + part * kLanes] = bytes[part * steps + s];
        }
        std::memcpy(to + steps * kPanelStride<Number> + j, &scale, sizeof scale);
      }
    } else {
      for (int64_t s = 0; s < steps; s++) {
        const int64_t row = s * Number::kPerStep;
        const float *const step = from + row * row_stride + first * column_stride;
        Step *const of_step = to + s * kPanelStride<Number>;
        for (int64_t j = 0; j < filled; j++) StoreStep<Number>(step + j * column_stride, rows - row, row_stride, of_step + j);
      }
    }
  }
}

}  // namespace palimpsest
