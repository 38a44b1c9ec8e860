// Bringing numbers into the order in which products read them.
#pragma once

#include <algorithm>
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

// One step of `count` numbers that lie `stride` apart; what is missing of it is 0.
template <typename Number>
typename Number::Step MakeStep(const float *from, int64_t count, int64_t stride) {
  if constexpr (Number::kPerStep == 1) {
    return *from;
  } else {
    return RoundToBfloat16(*from) | (count > 1 ? RoundToBfloat16(from[stride]) << 16 : 0);
  }
}

// The steps of two neighbouring vectors.
template <typename Number>
inline void StoreSteps(typename Number::Step *to, Vector first, Vector second) {
  if constexpr (Number::kPerStep == 1) {
    Store(to, first);
    Store(to + kLanes, second);
  } else {
#ifdef __AVX512BF16__
    const __m512bh both = _mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
    std::memcpy(to, &both, sizeof both);
#endif
  }
}

// A row of numbers as steps.
template <typename Number>
void ToSteps(const float *from, int64_t length, typename Number::Step *to) {
  int64_t i = 0;
  for (; i + 2 * kLanes <= length; i += 2 * kLanes) StoreSteps<Number>(to + i / Number::kPerStep, Load(from + i), Load(from + i + kLanes));
  for (; i < length; i += Number::kPerStep) to[i / Number::kPerStep] = MakeStep<Number>(from + i, length - i, 1);
}

// Rows of steps `stride` apart, so that a tile's rows do not fall on the same lines of the cache.
inline int64_t LeftStride(int64_t steps) { return RoundUp(steps, kLanes) + kLanes; }

// Rows of numbers as rows of steps, with room for whole tiles, for the left side of a product; in float32 they are that already.
template <typename Number>
class LeftRows {
 public:
  LeftRows(const float *from, int64_t rows, int64_t length, int64_t stride, Lines<typename Number::Step> &scratch) {
    if constexpr (Number::kPerStep == 1) {
      steps_ = from;
      stride_ = stride;
    } else {
      stride_ = LeftStride(StepsOf<Number>(length));
      const int64_t size = RoundUp(rows, kMostTileRows) * stride_;
      if (static_cast<int64_t>(scratch.size()) < size) scratch.resize(size);
      for (int64_t row = 0; row < rows; row++) ToSteps<Number>(from + row * stride, length, scratch.data() + row * stride_);
      steps_ = scratch.data();
    }
  }
  const typename Number::Step *Row(int64_t row) const { return steps_ + row * stride_; }
  int64_t stride() const { return stride_; }

 private:
  const typename Number::Step *steps_;
  int64_t stride_;
};

// A matrix whose numbers lie `row_stride` and `column_stride` apart, as panels: [columns / kPanel][steps of rows][kPanel].
template <typename Number>
void PackPanels(const float *from, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride,
                typename Number::Step *to) {
  const int64_t steps = StepsOf<Number>(rows);
  for (int64_t first = 0; first < columns; first += kPanel) {
    const int64_t filled = std::min(kPanel, columns - first);
    for (int64_t s = 0; s < steps; s++, to += kPanel) {
      const int64_t row = s * Number::kPerStep;
      const float *const step = from + row * row_stride + first * column_stride;
      for (int64_t j = 0; j < filled; j++) to[j] = MakeStep<Number>(step + j * column_stride, rows - row, row_stride);
      std::fill(to + filled, to + kPanel, typename Number::Step{});
    }
  }
}

}  // namespace palimpsest
