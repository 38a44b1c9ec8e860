// Products by the matrix unit's products of bfloat16, where processor and kernel grant it; elsewhere by vectors.
#pragma once

#include "matrix-product.h"
#include "matrix-unit.h"

namespace palimpsest {

#ifdef PALIMPSEST_MATRIX_UNIT

// Pairs of bfloat16 in tiles: 16 rows of 16 steps at once, times 16 steps of 16 columns.
struct Bfloat16Tiles : MatrixUnit {
  using Step = uint32_t;
  static constexpr int64_t kPerStep = 2;
  static constexpr int64_t kParts = 1;
  static constexpr int kTileRows = 32;
  static constexpr int64_t kRowsTogether = 16;
  // Results take longer to write than to compute: the fewer rows, the longer are the stretches of memory that are written along.
  static constexpr int64_t kProductRows = 2 * kTileRows;
  static constexpr int64_t kStepsTogether = 1;
  static constexpr bool kMatrixUnit = true;
  static constexpr bool kScaled = false;

  // to = begin + left · right. Tiles 0 to 3 are sums, 4 and 5 rows of the left factor, 6 and 7 columns of the right one.
  template <int rows>
  static void Multiply(const Factors<Bfloat16Tiles> &factors, Sums<const float> begin, Sums<float> to) {
    static_assert(rows == 16 || rows == 32, "rows of one tile or two");
    const auto [left, left_stride, right, right_stride, steps, second, column_scales] = factors;
    const int64_t whole = steps / kSide * kSide;
    constexpr int64_t kBytes = sizeof(float);
    // The compiler does not know what tiles are loaded from.
    asm volatile("" ::: "memory");
    if (begin.first == nullptr) {
      _tile_zero(0);
      _tile_zero(1);
      if constexpr (rows == 32) {
        _tile_zero(2);
        _tile_zero(3);
      }
    } else {
      _tile_loadd(0, begin.first, begin.stride * kBytes);
      _tile_loadd(1, begin.first + kSide, begin.stride * kBytes);
      if constexpr (rows == 32) {
        _tile_loadd(2, begin.first + kSide * begin.stride, begin.stride * kBytes);
        _tile_loadd(3, begin.first + kSide * begin.stride + kSide, begin.stride * kBytes);
      }
    }
    const auto load_left = [&](int64_t s) {
      _tile_loadd(4, left + s, left_stride * kBytes);
      if constexpr (rows == 32) _tile_loadd(5, left + s + kSide * left_stride, left_stride * kBytes);
    };
    const auto load_right = [&](int64_t s) { _tile_loadd(6, right + s * right_stride, right_stride * kBytes); };
    const auto load_second_right = [&](int64_t s) { _tile_loadd(7, right + s * right_stride + second, right_stride * kBytes); };
    if (whole > 0) {
      load_left(0);
      load_right(0);
      load_second_right(0);
    }
    for (int64_t s = 0; s < whole; s += kSide) {
      // Each tile is loaded anew as soon as the last of the products that need it has begun.
      const int64_t next = std::min(s + kSide, whole - kSide);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (rows == 32) _tile_dpbf16ps(2, 5, 6);
      load_right(next);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (rows == 32) _tile_dpbf16ps(3, 5, 7);
      load_second_right(next);
      load_left(next);
    }
    _tile_stored(0, to.first, to.stride * kBytes);
    _tile_stored(1, to.first + kSide, to.stride * kBytes);
    if constexpr (rows == 32) {
      _tile_stored(2, to.first + kSide * to.stride, to.stride * kBytes);
      _tile_stored(3, to.first + kSide * to.stride + kSide, to.stride * kBytes);
    }
    if (whole == steps) return;
    // The last steps, which fill no tile, by vectors.
    for (int r = 0; r < rows; r++) {
      float *const sums = to.first + r * to.stride;
      StoreTile<Bfloat16, 1>({left + r * left_stride + whole, 0, right + whole * right_stride, right_stride, steps - whole, second}, {sums, 0},
                             {sums, 0});
    }
  }
};

#endif

// Calls visit with the fastest way to multiply in bfloat16 here, if there is one.
template <typename Visit>
void WithBfloat16(const Visit &visit) {
#ifdef PALIMPSEST_MATRIX_UNIT
  if (Bfloat16Tiles::Granted()) return visit(Bfloat16Tiles());
#endif
#ifdef __AVX512BF16__
  visit(Bfloat16());
#endif
}

}  // namespace palimpsest
