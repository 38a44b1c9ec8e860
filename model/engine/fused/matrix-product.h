// Products of matrices, a tile at a time. The right factor lies in panels: `kPanel` columns side by side, one step of the inner
// dimension after the other. A step is one number in float32; in bfloat16, a pair of neighbours. A number may be split into parts, which add
// up to it: a step of each lies behind the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "simd.h"

namespace palimpsest {

constexpr int kPanelVectors = 2;
constexpr int64_t kPanel = kPanelVectors * kLanes;
// As many rows as leave registers for a panel's step and for what it is multiplied with.
constexpr int kRegisterRows = kRegisters == 32 ? 12 : 6;
// Of all ways to multiply.
constexpr int kMostTileRows = 32;

// What nothing has to be made ready for.
struct NoPreparation {};

// How numbers of float32 are multiplied.
struct Float32 {
  using Step = float;
  static constexpr int64_t kPerStep = 1;
  static constexpr int64_t kParts = 1;
  static constexpr int kTileRows = kRegisterRows;
  // Of what blocks of rows are multiples.
  static constexpr int64_t kRowsTogether = 4;
  // Of a block, where both factors change: the more, the less often the right one is read.
  static constexpr int64_t kProductRows = 12 * kTileRows;
  // Of what the steps of packed rows and panels are multiples.
  static constexpr int64_t kStepsTogether = 1;
  static constexpr bool kMatrixUnit = false;
  // Whether numbers share a scale with those of their row or column.
  static constexpr bool kScaled = false;
  using Preparation = NoPreparation;
  using Factor = Vector;
  static Factor BroadcastStep(Step step) { return Broadcast(step); }
  static Factor LoadSteps(const Step *from) { return Load(from); }
  static Vector MultiplyAdd(Vector sum, Factor a, Factor b) { return a * b + sum; }
};

#ifdef __AVX512BF16__
// Pairs of bfloat16, added up in float32.
struct Bfloat16 {
  using Step = uint32_t;
  static constexpr int64_t kPerStep = 2;
  static constexpr int64_t kParts = 1;
  static constexpr int kTileRows = kRegisterRows;
  static constexpr int64_t kRowsTogether = 4;
  static constexpr int64_t kProductRows = 12 * kTileRows;
  static constexpr int64_t kStepsTogether = 1;
  static constexpr bool kMatrixUnit = false;
  static constexpr bool kScaled = false;
  using Preparation = NoPreparation;
  using Factor = __m512bh;
  static Factor BroadcastStep(Step step) { return (__m512bh)_mm512_set1_epi32(static_cast<int>(step)); }
  static Factor LoadSteps(const Step *from) { return (__m512bh)_mm512_loadu_si512(from); }
  static Vector MultiplyAdd(Vector sum, Factor a, Factor b) { return (Vector)_mm512_dpbf16_ps((__m512)sum, a, b); }
};
#endif

// What a panel's step takes, with all of its parts.
template <typename Number>
constexpr int64_t kPanelStride = kPanel * Number::kParts;

// Left: rows of steps, `left_stride` apart. Right: steps of a panel, `right_stride` apart, the second vector of each `second` behind its
// first. Parts share a stride evenly. A row's scale takes the place of the last of its steps, of which it has more than a product reads.
template <typename Number>
struct Factors {
  const typename Number::Step *left;
  int64_t left_stride;
  const typename Number::Step *right;
  int64_t right_stride;
  int64_t steps;
  int64_t second = kLanes;
  const float *column_scales = nullptr;
};

// Sums in memory, in rows `stride` apart; none where `first` is null.
template <typename T>
struct Sums {
  T *first = nullptr;
  int64_t stride = 0;
};

template <int rows>
using Tile = Vector[rows][kPanelVectors];

// tile += left · right.
template <typename Number, int rows>
inline __attribute__((always_inline)) void AddProduct(Tile<rows> &tile, const Factors<Number> &factors) {
  const auto [left, left_stride, right, right_stride, steps, second, column_scales] = factors;
  // Summed up in a copy, which nothing else refers to, so that it stays in registers.
  Tile<rows> sums;
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) sums[r][0] = tile[r][0], sums[r][1] = tile[r][1];
  // Two steps a turn: where a core runs another program beside it, fewer instructions count.
#pragma GCC unroll 2
  for (int64_t s = 0; s < steps; s++) {
    typename Number::Factor right0 = Number::LoadSteps(right + s * right_stride);
    typename Number::Factor right1 = Number::LoadSteps(right + s * right_stride + second);
    KeepInRegister(right0);
    KeepInRegister(right1);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      const typename Number::Factor factor = Number::BroadcastStep(left[r * left_stride + s]);
      sums[r][0] = Number::MultiplyAdd(sums[r][0], factor, right0);
      sums[r][1] = Number::MultiplyAdd(sums[r][1], factor, right1);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; r++) tile[r][0] = sums[r][0], tile[r][1] = sums[r][1];
}

// Calls write(row of the tile, first vector, second vector) with begin + left · right for the first `used` rows of a tile.
template <typename Number, int rows, typename Used, typename Write>
inline __attribute__((always_inline)) void MultiplyTile(const Factors<Number> &factors, Used used, Sums<const float> begin,
                                                        const Write &write) {
  if constexpr (Number::kMatrixUnit) {
    alignas(64) float sums[rows * kPanel];
    Number::template Multiply<rows>(factors, begin, {sums, kPanel});
    for (int r = 0; r < used; r++) write(r, Load(sums + r * kPanel), Load(sums + r * kPanel + kLanes));
  } else {
    Tile<rows> tile = {};
    if (begin.first != nullptr) {
#pragma GCC unroll 12
      for (int r = 0; r < rows; r++) {
        tile[r][0] = Load(begin.first + r * begin.stride);
        tile[r][1] = Load(begin.first + r * begin.stride + kLanes);
      }
    }
    AddProduct<Number, rows>(tile, factors);
    // Unrolled, so that the tile stays in registers from its first to its last use.
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) write(r, tile[r][0], tile[r][1]);
  }
}

// to = begin + left · right for a tile; what rows that are not used get is of no meaning.
template <typename Number, int rows>
inline void StoreTile(const Factors<Number> &factors, Sums<const float> begin, Sums<float> to) {
  if constexpr (Number::kMatrixUnit) {
    Number::template Multiply<rows>(factors, begin, to);
  } else {
    MultiplyTile<Number, rows>(factors, rows, begin, [to](int r, Vector a, Vector b) {
      Store(to.first + r * to.stride, a);
      Store(to.first + r * to.stride + kLanes, b);
    });
  }
}

template <int rows>
using Rows = std::integral_constant<int, rows>;

// Calls visit(first row, a tile's rows as a constant, how many of them are used) for as few tiles as cover `rows` rows. Each row is
// computed alike in all of them. Left factors have room for all rows of a tile.
template <typename Number, typename Visit>
inline void ForTiles(int64_t rows, const Visit &visit) {
  constexpr int kTileRows = Number::kTileRows;
  int64_t row = 0;
  if constexpr (Number::kMatrixUnit) {
    for (; row < rows; row += kTileRows) {
      const int used = static_cast<int>(std::min<int64_t>(kTileRows, rows - row));
      if (used > kTileRows / 2) visit(row, Rows<kTileRows>(), used);
      else visit(row, Rows<kTileRows / 2>(), used);
    }
  } else {
    const auto all = [&](auto count) { visit(row, count, count), row += count; };
    // A tile of two rows takes as long as one of four, since each of its sums waits for the one before: eight rows are twice four, not six and two.
    constexpr int64_t kTwice = kTileRows == 6 ? 8 : 0;
    while (row + kTileRows <= rows && rows - row != kTwice) all(Rows<kTileRows>());
    if (kTileRows > 8 && row + 8 <= rows) all(Rows<8>());
    while (row + 4 <= rows) all(Rows<4>());
    if (row + 2 <= rows) all(Rows<2>());
    if (row < rows) all(Rows<1>());
  }
}

// Calls write(row, first vector, second vector) with begin + left · right for each of `rows` rows.
template <typename Number, typename Write>
inline void MultiplyPanel(const Factors<Number> &factors, int64_t rows, Sums<const float> begin, const Write &write) {
  ForTiles<Number>(rows, [&](int64_t row, auto count, auto used) {
    Factors<Number> of_tile = factors;
    of_tile.left += row * factors.left_stride;
    const Sums<const float> from{begin.first == nullptr ? nullptr : begin.first + row * begin.stride, begin.stride};
    MultiplyTile<Number, decltype(count)::value>(of_tile, used, from, [&](int r, Vector a, Vector b) { write(row + r, a, b); });
  });
}

// Calls open(first column) for each vector of a panel's columns, and what that gives with each of `rows` rows and its sums, begin + left · right.
template <typename Number, typename Open>
inline void MultiplyVectors(const Factors<Number> &factors, int64_t rows, Sums<const float> begin, const Open &open) {
  if constexpr (Number::kScaled) {
    for (int64_t column = 0; column < kPanel; column += kLanes) Number::MultiplyVector(factors, column, rows, begin, open(column));
  } else {
    const auto first = open(0), second = open(kLanes);
    MultiplyPanel<Number>(factors, rows, begin, [first, second](int64_t row, Vector a, Vector b) {
      first(row, a);
      second(row, b);
    });
  }
}

// to = begin + left · right for `rows` rows, with room for all rows of a tile behind them.
template <typename Number>
inline void StorePanel(const Factors<Number> &factors, int64_t rows, Sums<const float> begin, Sums<float> to) {
  if constexpr (Number::kScaled) return Number::StorePanel(factors, rows, begin, to);
  ForTiles<Number>(rows, [&](int64_t row, auto count, auto) {
    Factors<Number> of_tile = factors;
    of_tile.left += row * factors.left_stride;
    const Sums<const float> from{begin.first == nullptr ? nullptr : begin.first + row * begin.stride, begin.stride};
    StoreTile<Number, decltype(count)::value>(of_tile, from, {to.first + row * to.stride, to.stride});
  });
}

}  // namespace palimpsest
