// Products of float32 by the matrix unit's products of bytes, which it computes twice as fast as those of bfloat16.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "matrix-product.h"
#include "matrix-unit.h"
#include "packing.h"
#include "simd.h"

namespace palimpsest {

#ifdef PALIMPSEST_MATRIX_UNIT

// Numbers as whole ones of 24 bits, three bytes with signs, times a scale that a row of the left factor shares, or a column of the right one
// (Ozaki et al. 2012, Numerical Algorithms 59). Sums of bytes' products are exact; of nine products, three are no more than what is rounded off.
struct FixedPointTiles : MatrixUnit {
  using Step = uint32_t;
  static constexpr int64_t kPerStep = 4;
  static constexpr int64_t kParts = 3;
  static constexpr int kTileRows = 32;
  static constexpr int64_t kRowsTogether = 16;
  static constexpr int64_t kStepsTogether = kSide;
  static constexpr bool kMatrixUnit = true;
  static constexpr bool kScaled = true;
  // Whose results of one panel are kept at once.
  static constexpr int64_t kRowsOfPanel = 128;

  // The numbers of a row by their greatest: what a whole number of them counts for, in products of bytes, and how many whole numbers 1 is.
  struct Scale {
    float unit, inverse;

    // None, which makes results so, where a number is not finite.
    static Scale Of(const float *from, int64_t length) {
      __m512 greatest = _mm512_setzero_ps();
      __mmask16 broken = 0;
      for (int64_t i = 0; i < length; i += kLanes) {
        constexpr int kNotFinite = 0x99;
        const __m512 numbers = LoadPart(from + i, length - i);
        broken |= _mm512_fpclass_ps_mask(numbers, kNotFinite);
        greatest = _mm512_max_ps(greatest, _mm512_abs_ps(numbers));
      }
      const float most = broken != 0 ? std::numeric_limits<float>::quiet_NaN() : _mm512_reduce_max_ps(greatest);
      // Numbers so small that this is infinite become what the processor makes of those that are out of range, whose lower bytes are 0.
      return {most / kMost * 0x10000, kMost / most};
    }
  };

  // Stores `steps` steps of a row of numbers, filled up with 0, its parts `apart`, and returns what a whole number of them counts for.
  static float StoreScaled(const float *from, int64_t length, int64_t steps, Step *to, int64_t apart) {
    const Scale scale = Scale::Of(from, length);
    uint8_t *const to_bytes = reinterpret_cast<uint8_t *>(to);
    for (int64_t i = 0; i < steps * kPerStep; i += kLanes) {
      const Bytes bytes(LoadPart(from + i, length - i), scale.inverse);
      for (int64_t part = 0; part < kParts; part++) {
        _mm_storeu_si128(reinterpret_cast<__m128i *>(to_bytes + part * apart * kPerStep + i), _mm512_cvtepi32_epi8(bytes.parts[part]));
      }
    }
    return scale.unit;
  }

  // Packs a panel whose columns are the first numbers of rows, each with a scale of its own; those that are missing, and what fills the steps up, are 0.
  static void PackPanel(const std::vector<const float *> &rows, const float *inverses, int64_t filled, Step *to) {
    const int64_t count = static_cast<int64_t>(rows.size()), steps = RoundUp(count, kStepsTogether * kPerStep) / kPerStep;
    for (int64_t j = 0; j < kPanel; j += kLanes) {
      for (int64_t s = 0; s < steps; s++, to += kLanes * kParts) {
        __m512i words[kParts] = {};
        for (int64_t byte = 0; byte < kPerStep; byte++) {
          const int64_t row = s * kPerStep + byte;
          if (row >= count || rows[row] == nullptr) continue;
          const Bytes bytes(LoadPart(rows[row] + j, filled - j), inverses[row]);
          for (int64_t part = 0; part < kParts; part++) {
            const __m512i lowest = _mm512_and_si512(bytes.parts[part], _mm512_set1_epi32(0xff));
            words[part] = _mm512_or_si512(words[part], _mm512_slli_epi32(lowest, static_cast<unsigned>(8 * byte)));
          }
        }
        for (int64_t part = 0; part < kParts; part++) _mm512_storeu_si512(to + part * kLanes, words[part]);
      }
    }
  }

  // to = begin + left · right.
  template <int rows>
  static void Multiply(const Factors<FixedPointTiles> &factors, Sums<const float> begin, Sums<float> to) {
    static_assert(rows == 16 || rows == 32, "rows of one tile or two");
    StorePanel(factors, 0, rows, begin, to);
  }

  // to = begin + left · right for rows from `first` on, with room for whole tiles: all of them by one half of the columns, which stays in the first
  // level of cache meanwhile, then by the other.
  static void StorePanel(const Factors<FixedPointTiles> &factors, int64_t first, int64_t rows, Sums<const float> begin, Sums<float> to) {
    for (int64_t column = 0; column < kPanel; column += kSide) {
      for (int64_t row = first; row < first + rows; row += kSide) {
        const Sums<float> square{to.first + row * to.stride + column, to.stride};
        const Sums<const float> before{begin.first == nullptr ? nullptr : begin.first + row * begin.stride + column, begin.stride};
        MultiplySquare(factors, row, column, 0, before, square);
        for (int64_t from = kMostSteps; from < factors.steps; from += kMostSteps) {
          MultiplySquare(factors, row, column, from, {square.first, square.stride}, square);
        }
      }
    }
  }

 private:
  // The greatest that leaves the first byte its sign, however it is rounded.
  static constexpr float kMost = 0x7f7f00;
  // Sums of more products of bytes may not fit into 32 bits.
  static constexpr int64_t kMostSteps = 8192;

  static __m512 LoadPart(const float *from, int64_t count) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << std::clamp<int64_t>(count, 0, kLanes)) - 1), from);
  }

  // Whole numbers in three bytes, each the lowest of a lane. A byte has its sign: what it is too much or too little goes to the one before it.
  struct Bytes {
    __m512i parts[kParts];

    Bytes(__m512 numbers, float inverse) {
      const __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(numbers, _mm512_set1_ps(inverse)));
      const auto upper = [](__m512i lower) { return _mm512_srai_epi32(_mm512_add_epi32(lower, _mm512_set1_epi32(0x80)), 8); };
      parts[2] = whole;
      parts[1] = upper(whole);
      parts[0] = upper(parts[1]);
    }
  };

  // A square of results, by steps from `from` on. Tiles 0 to 3 are sums, 4 and 5 rows of the left factor, 6 and 7 columns of the right one.
  static void MultiplySquare(const Factors<FixedPointTiles> &factors, int64_t row, int64_t column, int64_t from, Sums<const float> begin,
                             Sums<float> to) {
    const auto [all_left, left_stride, all_right, right_stride, all_steps, second, column_scales] = factors;
    const Step *const left = all_left + row * left_stride + from;
    const Step *const right = all_right + from * right_stride + column / kSide * second;
    const int64_t steps = std::min(kMostSteps, all_steps - from), left_part = left_stride / kParts, right_part = right_stride / kParts;
    constexpr int64_t kBytes = sizeof(Step);
    // The compiler does not know what tiles are loaded from.
    asm volatile("" ::: "memory");
    const auto load_first_left = [&](int64_t s) { _tile_loadd(4, left + s, left_stride * kBytes); };
    const auto load_left = [&](int64_t part, int64_t s) { _tile_loadd(5, left + part * left_part + s, left_stride * kBytes); };
    const auto load_first_right = [&](int64_t s) { _tile_loadd(6, right + s * right_stride, right_stride * kBytes); };
    const auto load_right = [&](int64_t part, int64_t s) {
      _tile_loadd(7, right + part * right_part + s * right_stride, right_stride * kBytes);
    };
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    load_first_left(0);
    load_left(1, 0);
    load_first_right(0);
    load_right(1, 0);
    for (int64_t s = 0;;) {
      // Each tile is loaded anew as soon as the last of the products that need it has begun. What is as much to be shifted is summed up together, the
      // longest of these sums in two, as a product waits for the sum before it.
      _tile_dpbssd(0, 4, 6);
      _tile_dpbssd(1, 4, 7);
      _tile_dpbssd(2, 5, 7);
      load_right(2, s);
      _tile_dpbssd(1, 5, 6);
      load_left(2, s);
      _tile_dpbssd(3, 4, 7);
      const int64_t next = s + kSide;
      if (next == steps) break;
      load_first_left(next);
      load_right(1, next);
      _tile_dpbssd(2, 5, 6);
      load_first_right(next);
      load_left(1, next);
      s = next;
    }
    _tile_dpbssd(2, 5, 6);
    alignas(64) int32_t sums[4][kSide * kSide];
    _tile_stored(0, sums[0], kSide * kBytes);
    _tile_stored(1, sums[1], kSide * kBytes);
    _tile_stored(2, sums[2], kSide * kBytes);
    _tile_stored(3, sums[3], kSide * kBytes);
    asm volatile("" ::: "memory");
    const Vector scales = Load(column_scales + column);
    for (int64_t r = 0; r < kSide; r++) {
      const auto sum = [&](int i) { return LoadWhole(sums[i] + r * kSide); };
      constexpr float kByte = 1.0f / 256;
      const Vector lower = ToNumbers(sum(1)) + ToNumbers(sum(2) + sum(3)) * kByte;
      const Vector product = (ToNumbers(sum(0)) + lower * kByte) * (scales * OfBits(left[(r + 1) * left_stride - 1 - from]));
      Store(to.first + r * to.stride, begin.first == nullptr ? product : Load(begin.first + r * begin.stride) + product);
    }
  }
};

#endif

// Calls visit with the fastest way to multiply in float32 here, in inference.
template <typename Visit>
void WithInferenceFloat32(const Visit &visit) {
#ifdef PALIMPSEST_MATRIX_UNIT
  if (FixedPointTiles::Granted()) return visit(FixedPointTiles());
#endif
  visit(Float32());
}

}  // namespace palimpsest
