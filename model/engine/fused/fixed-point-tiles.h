// Products of float32 by the matrix unit's products of bytes, which it computes twice as fast as those of bfloat16.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
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
  static constexpr int64_t kProductRows = 2 * kTileRows;
  static constexpr int64_t kStepsTogether = kSide;
  static constexpr bool kMatrixUnit = true;
  static constexpr bool kScaled = true;

  // What a whole number counts for, in products of bytes, and how many whole numbers 1 is.
  struct Scale {
    float unit, inverse;

    // Of the numbers of a row.
    static Scale Of(const float *from, int64_t length) {
      Magnitude even, odd;
      int64_t i = 0;
      for (; i + 2 * kLanes <= length; i += 2 * kLanes) {
        even.Add(Load(from + i));
        odd.Add(Load(from + i + kLanes));
      }
      for (; i < length; i += kLanes) even.Add(LoadFirst(from + i, length - i));
      even.Add(odd);
      return even.ToScale();
    }
  };

  // The greatest magnitude in each lane, by its bits, which are in the same order; those of numbers that are not finite are above all others.
  class Magnitude {
   public:
    void Add(Vector numbers) { AddBits(_mm512_and_si512((__m512i)numbers, _mm512_set1_epi32(0x7fffffff))); }
    void Add(const Magnitude &other) { AddBits(other.bits_); }
    // Of numbers that are positive, or not finite.
    void AddPositive(Vector numbers) { AddBits((__m512i)numbers); }
    // Of a number that is not finite, one that makes results so. Of numbers so small that `inverse` is infinite, what the processor makes of
    // those that are out of range: its lower bytes are 0.
    Scale ToScale() const {
      const float most = OfBits(_mm512_reduce_max_epu32(bits_));
      return {most / kMost * 0x10000, kMost / most};
    }
    // The same for each lane.
    Vector Units() const { return (Vector)bits_ / kMost * 0x10000; }
    Vector Inverses() const { return kMost / (Vector)bits_; }

   private:
    void AddBits(__m512i bits) { bits_ = _mm512_max_epu32(bits_, bits); }

    __m512i bits_ = _mm512_setzero_si512();
  };

  // Stores `steps` steps of a row of numbers, filled up with 0, its parts `apart`, and returns what a whole number of them counts for.
  static float StoreScaled(const float *from, int64_t length, int64_t steps, Step *to, int64_t apart) {
    const Scale scale = Scale::Of(from, length);
    StoreWhole(from, length, scale, steps, to, apart);
    return scale.unit;
  }

  // The same by a given scale.
  static void StoreWhole(const float *from, int64_t length, Scale scale, int64_t steps, Step *to, int64_t apart) {
    const Vector inverse = Broadcast(scale.inverse);
    const auto store = [&](int64_t first, const auto &load) {
      __m512i numbers[kPerStep], parts[kParts];
      for (int64_t i = 0; i < kPerStep; i++) numbers[i] = ToBytes(load(first + i * kLanes), inverse);
      SortBytes(numbers, parts);
      for (int64_t part = 0; part < kParts; part++) _mm512_storeu_si512(to + part * apart + first / kPerStep, parts[part]);
    };
    constexpr int64_t kAtOnce = kPerStep * kLanes;
    int64_t first = 0;
    for (; first + kAtOnce <= length; first += kAtOnce) store(first, [&](int64_t i) { return Load(from + i); });
    for (; first < steps * kPerStep; first += kAtOnce) store(first, [&](int64_t i) { return LoadFirst(from + i, length - i); });
  }

  // Packs steps of a vector of columns, `stride` apart, the first `filled` of which count: row(i) are numbers of row i, 0 where there are none, that share
  // a scale.
  template <typename Row>
  static void StoreRowsDown(const Row &row, const float *inverses, int64_t rows, int64_t filled, Step *to, int64_t stride) {
    for (int64_t s = 0; s * kPerStep < RoundUp(rows, kStepsTogether * kPerStep); s++) {
      const auto whole = [&](int64_t i) {
        const float *const from = i < rows ? row(i) : nullptr;
        return from == nullptr ? _mm512_setzero_si512() : ToBytes(LoadFirst(from, filled), Broadcast(inverses[i]));
      };
      StoreStepDown(whole, s, to + s * stride, kLanes);
    }
  }

  // Calls visit(column, step, bytes of a square of steps and columns) for all squares of columns, in the order in which memory lies: row(i) are numbers of
  // row i. Each column has a scale of its own, whose unit goes to `units`.
  template <typename Row, typename Visit>
  static void ForSquares(const Row &row, int64_t rows, int64_t columns, float *units, const Visit &visit) {
    // As many vectors at once as registers.
    constexpr int64_t kAtOnce = 8;
    for (int64_t first = 0; first < columns; first += kAtOnce * kLanes) {
      const int64_t filled = std::min(columns - first, kAtOnce * kLanes);
      Magnitude most[kAtOnce];
      for (int64_t i = 0; i < rows; i++) {
        const float *const from = row(i) + first;
        if (filled == kAtOnce * kLanes) {
#pragma GCC unroll 8
          for (int64_t v = 0; v < kAtOnce; v++) most[v].Add(Load(from + v * kLanes));
        } else {
          for (int64_t v = 0; v * kLanes < filled; v++) most[v].Add(LoadFirst(from + v * kLanes, filled - v * kLanes));
        }
      }
      for (int64_t v = 0; v * kLanes < filled; v++) Store(units + first + v * kLanes, most[v].Units());
      for (int64_t s = 0; s * kPerStep < rows; s += kSide) {
        for (int64_t column = 0; column < filled; column += kLanes) {
          alignas(64) Step square[kParts][kSide][kLanes];
          const Vector inverses = most[column / kLanes].Inverses();
          const auto whole = [&](int64_t i) {
            return i < rows ? ToBytes(LoadFirst(row(i) + first + column, filled - column), inverses) : _mm512_setzero_si512();
          };
          for (int64_t i = 0; i < kSide; i++) StoreStepDown(whole, s + i, square[0][i], kSide * kLanes);
          visit(first + column, s, square);
        }
      }
    }
  }

  // to = begin + left · right.
  template <int rows>
  static void Multiply(const Factors<FixedPointTiles> &factors, Sums<const float> begin, Sums<float> to) {
    static_assert(rows == 16 || rows == 32, "rows of one tile or two");
    StorePanel(factors, rows, begin, to);
  }

  static void StorePanel(const Factors<FixedPointTiles> &factors, int64_t rows, Sums<const float> begin, Sums<float> to) {
    for (int64_t column = 0; column < kPanel; column += kSide) {
      MultiplyVector(factors, column, rows, begin, [=](int64_t row, Vector sums) { Store(to.first + row * to.stride + column, sums); });
    }
  }

  // Calls write with each row and its sums, begin + left · right, of a vector of columns from `column` on. What is read of the right factor stays in the
  // first level of cache meanwhile.
  template <typename Write>
  static void MultiplyVector(const Factors<FixedPointTiles> &factors, int64_t column, int64_t rows, Sums<const float> begin, const Write &write) {
    if (factors.steps == kSide) MultiplySquares<true>(factors, column, rows, begin, write);
    else MultiplySquares<false>(factors, column, rows, begin, write);
  }

 private:
  // The greatest that leaves the first byte its sign, however it is rounded.
  static constexpr float kMost = 0x7f7f00;
  // Sums of more products of bytes may not fit into 32 bits.
  static constexpr int64_t kMostSteps = 8192;

  // Whole numbers in the three lower bytes of each lane. A byte has its sign: what it is too much or too little goes to the one above it.
  static __m512i ToBytes(Vector numbers, Vector inverse) {
    const __m512i halves = _mm512_set1_epi32(0x808080);
    return _mm512_xor_si512(_mm512_add_epi32(_mm512_cvtps_epi32((__m512)(numbers * inverse)), halves), halves);
  }

  // One step of a vector of columns: whole(i) are the whole numbers of row i.
  template <typename Whole>
  static void StoreStepDown(const Whole &whole, int64_t step, Step *to, int64_t apart) {
    __m512i numbers[kPerStep], parts[kParts];
    for (int64_t i = 0; i < kPerStep; i++) numbers[i] = whole(step * kPerStep + i);
    PairBytes(numbers, parts);
    for (int64_t part = 0; part < kParts; part++) _mm512_storeu_si512(to + part * apart, parts[part]);
  }

  // The bytes of numbers that follow each other, the upper ones of all first.
  static void SortBytes(const __m512i (&numbers)[kPerStep], __m512i (&parts)[kParts]) {
    // Of four neighbours, side by side.
    const __m512i by_part = _mm512_broadcast_i32x4(_mm_setr_epi8(2, 6, 10, 14, 1, 5, 9, 13, 0, 4, 8, 12, -1, -1, -1, -1));
    const __m512i upper = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
    const __m512i lowest = _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0);
    __m512i sorted[kPerStep];
    for (int64_t i = 0; i < kPerStep; i++) sorted[i] = _mm512_shuffle_epi8(numbers[i], by_part);
    const __m512i first = _mm512_permutex2var_epi32(sorted[0], upper, sorted[1]), second = _mm512_permutex2var_epi32(sorted[2], upper, sorted[3]);
    const __m512i first_lowest = _mm512_permutex2var_epi32(sorted[0], lowest, sorted[1]);
    const __m512i second_lowest = _mm512_permutex2var_epi32(sorted[2], lowest, sorted[3]);
    parts[0] = _mm512_shuffle_i64x2(first, second, 0x44);
    parts[1] = _mm512_shuffle_i64x2(first, second, 0xee);
    parts[2] = _mm512_shuffle_i64x2(first_lowest, second_lowest, 0x44);
  }

  // The bytes of numbers of four rows, those of each lane together, the upper ones first.
  static void PairBytes(const __m512i (&numbers)[kPerStep], __m512i (&parts)[kParts]) {
    // (mask & a) | (~mask & b)
    constexpr int kSelect = 0xca;
    const __m512i even_bytes = _mm512_set1_epi32(0x00ff00ff), lower = _mm512_set1_epi32(0xffff);
    const auto pair = [&](__m512i a, __m512i b) { return _mm512_ternarylogic_epi32(even_bytes, a, _mm512_slli_epi32(b, 8), kSelect); };
    const auto pair_odd = [&](__m512i a, __m512i b) { return _mm512_ternarylogic_epi32(even_bytes, _mm512_srli_epi32(a, 8), b, kSelect); };
    const auto join = [&](__m512i a, __m512i b) { return _mm512_ternarylogic_epi32(lower, a, _mm512_slli_epi32(b, 16), kSelect); };
    const __m512i first = pair(numbers[0], numbers[1]), second = pair(numbers[2], numbers[3]);
    parts[0] = _mm512_ternarylogic_epi32(lower, _mm512_srli_epi32(first, 16), second, kSelect);
    parts[1] = join(pair_odd(numbers[0], numbers[1]), pair_odd(numbers[2], numbers[3]));
    parts[2] = join(first, second);
  }

  // Of what is to be computed: rows and a vector of columns.
  struct Square {
    Factors<FixedPointTiles> factors;
    int64_t row, rows, column;
  };

  // Sums of bytes' products that are as much to be shifted, the longest of them in two, as a product waits for the sum before it; but for a single
  // tile of steps, a fourth sum is not worth storing.
  template <bool single>
  static constexpr int kSums = single ? 3 : 4;
  template <bool single>
  using SquareSums = int32_t[kSums<single>][kSide * kSide];

  // A vector of columns, square by square.
  template <bool single, typename Write>
  static void MultiplySquares(const Factors<FixedPointTiles> &factors, int64_t column, int64_t rows, Sums<const float> begin, const Write &write) {
    alignas(64) float kept[kSide * kSide];
    if constexpr (single) LoadColumns(factors, column);
    for (int64_t row = 0; row < rows; row += kSide) {
      const Square square{factors, row, std::min(kSide, rows - row), column};
      Sums<const float> before{begin.first == nullptr ? nullptr : begin.first + row * begin.stride + column, begin.stride};
      int64_t from = 0;
      if constexpr (!single) {
        for (; from + kMostSteps < factors.steps; from += kMostSteps) {
          MultiplySquare<single>(square, from, before, [&](int64_t r, Vector sums) { Store(kept + (r - row) * kSide, sums); });
          before = {kept, kSide};
        }
      }
      MultiplySquare<single>(square, from, before, write);
    }
  }

  // Calls write with each row and begin + what the steps from `from` on give.
  template <bool single, typename Write>
  static void MultiplySquare(const Square &square, int64_t from, Sums<const float> begin, Write write) {
    alignas(64) SquareSums<single> sums;
    if constexpr (single) SumSingle(square, sums);
    else SumSquare(square, from, sums);
    const auto [factors, row, rows, column] = square;
    const Step *const row_scales = factors.left + (row + 1) * factors.left_stride - 1;
    const Vector column_scales = Load(factors.column_scales + column);
    for (int64_t r = 0; r < rows; r++) {
      const auto sum = [&](int i) { return LoadWhole(sums[i] + r * kSide); };
      constexpr float kByte = 1.0f / 256;
      Integers lowest = sum(2);
      if constexpr (!single) lowest += sum(3);
      const Vector lower = ToNumbers(sum(1)) + ToNumbers(lowest) * kByte;
      const Vector product = (ToNumbers(sum(0)) + lower * kByte) * (column_scales * OfBits(row_scales[r * factors.left_stride]));
      write(row + r, begin.first == nullptr ? product : Load(begin.first + r * begin.stride) + product);
    }
  }

  // Tiles 5 to 7 are the parts of a vector of columns, for all rows that a single tile of their steps is multiplied with.
  static void LoadColumns(const Factors<FixedPointTiles> &factors, int64_t column) {
    const Step *const right = factors.right + column / kSide * factors.second;
    const int64_t part = factors.right_stride / kParts, stride = factors.right_stride * sizeof(Step);
    // The compiler does not know what tiles are loaded from.
    asm volatile("" ::: "memory");
    _tile_loadd(5, right, stride);
    _tile_loadd(6, right + part, stride);
    _tile_loadd(7, right + 2 * part, stride);
  }

  // Tiles 0 to 2 are sums, 3 and 4 rows of the left factor.
  static void SumSingle(const Square &square, SquareSums<true> &sums) {
    const Step *const left = square.factors.left + square.row * square.factors.left_stride;
    const int64_t part = square.factors.left_stride / kParts, stride = square.factors.left_stride * sizeof(Step);
    constexpr int64_t kSumStride = kSide * sizeof(Step);
    asm volatile("" ::: "memory");
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_loadd(3, left, stride);
    _tile_loadd(4, left + part, stride);
    _tile_dpbssd(2, 3, 7);
    _tile_dpbssd(1, 3, 6);
    _tile_dpbssd(0, 3, 5);
    _tile_dpbssd(2, 4, 6);
    _tile_loadd(3, left + 2 * part, stride);
    _tile_dpbssd(1, 4, 5);
    _tile_dpbssd(2, 3, 5);
    _tile_stored(0, sums[0], kSumStride);
    _tile_stored(1, sums[1], kSumStride);
    _tile_stored(2, sums[2], kSumStride);
    asm volatile("" ::: "memory");
  }

  // Tiles 0 to 3 are sums, 4 and 5 rows of the left factor, 6 and 7 columns of the right one.
  static void SumSquare(const Square &square, int64_t from, SquareSums<false> &sums) {
    const auto [all_left, left_stride, all_right, right_stride, all_steps, second, column_scales] = square.factors;
    const Step *const left = all_left + square.row * left_stride + from;
    const Step *const right = all_right + from * right_stride + square.column / kSide * second;
    const int64_t steps = std::min(kMostSteps, all_steps - from), left_part = left_stride / kParts, right_part = right_stride / kParts;
    constexpr int64_t kBytes = sizeof(Step);
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
    // Every other square takes its steps backwards: it begins with what the one before it has left in the first level of cache.
    const bool backwards = square.row / kSide % 2 == 1;
    const int64_t begin = backwards ? steps - kSide : 0, end = backwards ? 0 : steps - kSide, by = backwards ? -kSide : kSide;
    load_first_left(begin);
    load_left(1, begin);
    load_first_right(begin);
    load_right(1, begin);
    for (int64_t s = begin;;) {
      // Each tile is loaded anew as soon as the last of the products that need it has begun.
      _tile_dpbssd(0, 4, 6);
      _tile_dpbssd(1, 4, 7);
      _tile_dpbssd(2, 5, 7);
      load_right(2, s);
      _tile_dpbssd(1, 5, 6);
      load_left(2, s);
      _tile_dpbssd(3, 4, 7);
      if (s == end) break;
      s += by;
      load_first_left(s);
      load_right(1, s);
      _tile_dpbssd(2, 5, 6);
      load_first_right(s);
      load_left(1, s);
    }
    _tile_dpbssd(2, 5, 6);
    _tile_stored(0, sums[0], kSide * kBytes);
    _tile_stored(1, sums[1], kSide * kBytes);
    _tile_stored(2, sums[2], kSide * kBytes);
    _tile_stored(3, sums[3], kSide * kBytes);
    asm volatile("" ::: "memory");
  }
};

#endif

// Calls visit with the fastest way to multiply in float32 here.
template <typename Visit>
void WithFloat32(const Visit &visit) {
#ifdef PALIMPSEST_MATRIX_UNIT
  if (FixedPointTiles::Granted()) return visit(FixedPointTiles());
#endif
  visit(Float32());
}

}  // namespace palimpsest
