// Products of matrices, a tile at a time. The right factor lies in panels: `kPanel` columns side by side, one step of the inner
// dimension after the other. A step is one number in float32; in bfloat16, a pair of neighbours.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "simd.h"

namespace palimpsest {

constexpr int kPanelVectors = 2;
constexpr int64_t kPanel = kPanelVectors * kLanes;
// As many rows as leave registers for a panel's step and for what it is multiplied with.
constexpr int kTileRows = kRegisters == 32 ? 12 : 6;

// How numbers of float32 are multiplied.
struct Float32 {
  using Step = float;
  static constexpr int64_t kPerStep = 1;
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
  using Factor = __m512bh;
  static Factor BroadcastStep(Step step) { return (__m512bh)_mm512_set1_epi32(static_cast<int>(step)); }
  static Factor LoadSteps(const Step *from) { return (__m512bh)_mm512_loadu_si512(from); }
  static Vector MultiplyAdd(Vector sum, Factor a, Factor b) { return (Vector)_mm512_dpbf16_ps((__m512)sum, a, b); }
};
#endif

template <int rows>
using Tile = Vector[rows][kPanelVectors];

// tile += left · right. Left: `rows` rows of steps, `left_stride` apart. Right: steps of a panel, `right_stride` apart, the second
// vector of each `second` behind its first.
template <typename Number, int rows>
inline __attribute__((always_inline)) void MultiplyTile(Tile<rows> &tile, const typename Number::Step *left, int64_t left_stride,
                                                        const typename Number::Step *right, int64_t right_stride, int64_t steps,
                                                        int64_t second = kLanes) {
  for (int64_t s = 0; s < steps; s++) {
    const typename Number::Factor right0 = Number::LoadSteps(right + s * right_stride);
    const typename Number::Factor right1 = Number::LoadSteps(right + s * right_stride + second);
#pragma GCC unroll 12
    for (int r = 0; r < rows; r++) {
      const typename Number::Factor factor = Number::BroadcastStep(left[r * left_stride + s]);
      tile[r][0] = Number::MultiplyAdd(tile[r][0], factor, right0);
      tile[r][1] = Number::MultiplyAdd(tile[r][1], factor, right1);
    }
  }
}

// Calls visit(first row, count as a constant) for as few tiles as cover `rows` rows. Each row is computed alike in all of them.
template <typename Visit>
inline void ForTiles(int64_t rows, const Visit &visit) {
  int64_t row = 0;
  for (; row + kTileRows <= rows; row += kTileRows) visit(row, std::integral_constant<int, kTileRows>());
  if (kTileRows > 8 && row + 8 <= rows) visit(row, std::integral_constant<int, 8>()), row += 8;
  if (row + 4 <= rows) visit(row, std::integral_constant<int, 4>()), row += 4;
  if (row + 2 <= rows) visit(row, std::integral_constant<int, 2>()), row += 2;
  if (row < rows) visit(row, std::integral_constant<int, 1>());
}

}  // namespace palimpsest
