// Bringing numbers into the order in which products read them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "lines.h"
#include "matrix-product.h"

namespace palimpsest {

inline int64_t RoundUp(int64_t count, int64_t multiple) { return (count + multiple - 1) / multiple * multiple; }

// Packed numbers as TensorFlow holds them: it has no kernels of its own for pairs, so their bits go as whole numbers.
template <typename Number>
using PackedType = std::conditional_t<Number::kPerStep == 1, float, int32_t>;

template <typename Number>
int64_t StepsOf(int64_t length) {
  return (length + Number::kPerStep - 1) / Number::kPerStep;
}

// The nearest bfloat16, ties to even; numbers that are not finite stay so.
inline uint32_t RoundToBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// The number that a bfloat16 stands for, its bits in the upper half.
inline float OfBfloat16(uint32_t upper) {
  float value;
  std::memcpy(&value, &upper, sizeof value);
  return value;
}

// Stores one step of two numbers, its parts `apart`: each part is the nearest to what those before it leave.
template <typename Number>
void StorePair(float even, float odd, typename Number::Step *to, int64_t apart) {
  for (int64_t part = 0; part < Number::kParts; part++) {
    const uint32_t low = RoundToBfloat16(even), high = RoundToBfloat16(odd) << 16;
    to[part * apart] = low | high;
    even -= OfBfloat16(low << 16);
    odd -= OfBfloat16(high);
  }
}

// Stores one step of `count` numbers that lie `stride` apart; what is missing of it is 0.
template <typename Number>
void StoreStep(const float *from, int64_t count, int64_t stride, typename Number::Step *to, int64_t apart) {
  if constexpr (Number::kPerStep == 1) *to = *from;
  else StorePair<Number>(*from, count > 1 ? from[stride] : 0.0f, to, apart);
}

// The steps of two neighbouring vectors.
template <typename Number>
inline void StoreSteps(typename Number::Step *to, int64_t apart, Vector first, Vector second) {
  if constexpr (Number::kPerStep == 1) {
    Store(to, first);
    Store(to + kLanes, second);
  } else {
#ifdef __AVX512BF16__
    for (int64_t part = 0; part < Number::kParts; part++) {
      const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
      _mm512_storeu_si512(to + part * apart, both);
      if (part + 1 == Number::kParts) return;
      first -= (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(both)), 16);
      second -= (Vector)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)), 16);
    }
#endif
  }
}

// A row of numbers as steps.
template <typename Number>
void ToSteps(const float *from, int64_t length, typename Number::Step *to, int64_t apart) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= length; i += 2 * kLanes) {
    StoreSteps<Number>(to + i / Number::kPerStep, apart, Load(from + i), Load(from + i + kLanes));
  }
  for (; i < length; i += Number::kPerStep) StoreStep<Number>(from + i, length - i, 1, to + i / Number::kPerStep, apart);
}

// Steps of two rows of `count` numbers, number by number; without a second row of the pair, of the first and 0. In float32, a copy.
template <typename Number>
void PairRows(const float *even, const float *odd, int64_t count, typename Number::Step *to, int64_t apart) {
  int64_t j = 0;
  if constexpr (Number::kPerStep == 1) {
    for (; j + kLanes <= count; j += kLanes) Store(to + j, Load(even + j));
    for (; j < count; j++) to[j] = even[j];
  } else {
#ifdef __AVX512BF16__
    for (; j + kLanes <= count; j += kLanes) {
      Vector first = Load(even + j), second = odd == nullptr ? Vector{} : Load(odd + j);
      for (int64_t part = 0; part < Number::kParts; part++) {
        const __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
        const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(both));
        const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1)), 16);
        _mm512_storeu_si512(to + part * apart + j, _mm512_or_si512(low, high));
        if (part + 1 == Number::kParts) break;
        first -= (Vector)_mm512_slli_epi32(low, 16);
        second -= (Vector)high;
      }
    }
#endif
    for (; j < count; j++) StorePair<Number>(even[j], odd == nullptr ? 0.0f : odd[j], to + j, apart);
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
  LeftRows(const float *from, int64_t rows, int64_t length, int64_t stride, Lines<typename Number::Step> &scratch) {
    if constexpr (Number::kPerStep == 1) {
      steps_ = from;
      stride_ = stride;
    } else {
      stride_ = LeftStride<Number>(StepsOf<Number>(length));
      const int64_t size = RoundUp(rows, kMostTileRows) * stride_;
      if (static_cast<int64_t>(scratch.size()) < size) scratch.resize(size);
      for (int64_t row = 0; row < rows; row++) {
        ToSteps<Number>(from + row * stride, length, scratch.data() + row * stride_, stride_ / Number::kParts);
      }
      steps_ = scratch.data();
    }
  }
  const typename Number::Step *Row(int64_t row) const { return steps_ + row * stride_; }
  int64_t stride() const { return stride_; }

 private:
  const typename Number::Step *steps_;
  int64_t stride_;
};

// A matrix whose numbers lie `row_stride` and `column_stride` apart, as panels: [columns / kPanel][steps of rows][parts][kPanel].
template <typename Number>
void PackPanels(const float *from, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride,
                typename Number::Step *to) {
  const int64_t steps = StepsOf<Number>(rows);
  for (int64_t first = 0; first < columns; first += kPanel) {
    const int64_t filled = std::min(kPanel, columns - first);
    for (int64_t s = 0; s < steps; s++, to += kPanelStride<Number>) {
      const int64_t row = s * Number::kPerStep;
      const float *const step = from + row * row_stride + first * column_stride;
      if (filled < kPanel) std::fill_n(to, kPanelStride<Number>, typename Number::Step{});
      for (int64_t j = 0; j < filled; j++) StoreStep<Number>(step + j * column_stride, rows - row, row_stride, to + j, kPanel);
    }
  }
}

}  // namespace palimpsest
