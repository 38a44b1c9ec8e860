// Products by the matrix unit's products of bfloat16, where processor and kernel grant it; elsewhere by vectors.
#pragma once

#include "matrix-product.h"
#include "matrix-unit.h"

namespace palimpsest {

#ifdef PALIMPSEST_MATRIX_UNIT

// Pairs of bfloat16 in tiles: 16 rows of 16 steps at once, times 16 steps of 16 columns. A number is split into `parts` of 8 bits each.
template <int parts>
struct Tiles : MatrixUnit {
  using Step = uint32_t;
  static constexpr int64_t kPerStep = 2;
  static constexpr int64_t kParts = parts;
  static constexpr int kTileRows = 32;
  static constexpr int64_t kRowsTogether = 16;
  // Results of numbers in one part take longer to write than to compute: the fewer rows, the longer are the stretches of memory that are
  // written along.
  static constexpr int64_t kProductRows = (parts == 1 ? 2 : 4) * kTileRows;
  static constexpr int64_t kStepsTogether = 1;
  static constexpr bool kMatrixUnit = true;
  static constexpr bool kScaled = false;

  // to = begin + left · right. Tiles 0 to 3 are sums, 4 and 5 rows of the left factor, 6 and 7 columns of the right one.
  template <int rows>
  static void Multiply(const Factors<Tiles> &factors, Sums<const float> begin, Sums<float> to) {
    static_assert(rows == 16 || rows == 32, "rows of one tile or two");
    const auto [left, left_stride, right, right_stride, steps, second, column_scales] = factors;
    const int64_t whole = steps / kSide * kSide;
    const int64_t left_part = left_stride / parts, right_part = right_stride / parts;
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
    const auto load_left = [&](int64_t part, int64_t s) { _tile_loadd(4, left + part * left_part + s, left_stride * kBytes); };
    const auto load_lower_left = [&](int64_t part, int64_t s) {
      if constexpr (rows == 32) _tile_loadd(5, left + part * left_part + s + kSide * left_stride, left_stride * kBytes);
    };
    const auto load_right = [&](int64_t part, int64_t s) {
      _tile_loadd(6, right + part * right_part + s * right_stride, right_stride * kBytes);
    };
    const auto load_second_right = [&](int64_t part, int64_t s) {
      _tile_loadd(7, right + part * right_part + s * right_stride + second, right_stride * kBytes);
    };
    // Products of the loaded tiles. Each tile is loaded anew as soon as the last of the products that need it has begun.
    const auto then_right = [&](int64_t part, int64_t s) {
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (rows == 32) _tile_dpbf16ps(2, 5, 6);
      load_right(part, s);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (rows == 32) _tile_dpbf16ps(3, 5, 7);
      load_second_right(part, s);
    };
    const auto then_left = [&](int64_t part, int64_t s) {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      load_left(part, s);
      if constexpr (rows == 32) {
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        load_lower_left(part, s);
      }
    };
    if (whole > 0) {
      load_left(0, 0);
      load_lower_left(0, 0);
      load_right(parts - 1, 0);
      load_second_right(parts - 1, 0);
    }
    for (int64_t s = 0; s < whole; s += kSide) {
      const int64_t next = std::min(s + kSide, whole - kSide);
      if constexpr (parts == 3) {
        // Those products of parts that count in float32; from one to the next, one factor changes.
        then_right(1, s);
        then_left(1, s);
        then_right(0, s);
        then_left(2, s);
        then_left(0, s);
      }
      then_right(parts - 1, next);
      load_left(0, next);
      load_lower_left(0, next);
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
      const Step *const row = left + r * left_stride + whole, *const column = right + whole * right_stride;
      for (int64_t both = parts - 1; both >= 0; both--) {
        for (int64_t part = 0; part <= both; part++) {
          StoreTile<Bfloat16, 1>({row + part * left_part, 0, column + (both - part) * right_part, right_stride, steps - whole, second},
                                 {sums, 0}, {sums, 0});
        }
      }
    }
  }
};

using Bfloat16Tiles = Tiles<1>;
// Three times 8 bits are the 24 of float32; of nine products of parts, three are no more than what float32 rounds off.
using Float32Tiles = Tiles<3>;

#endif

// Calls visit with the fastest way to multiply in float32 here.
template <typename Visit>
void WithFloat32(const Visit &visit) {
#ifdef PALIMPSEST_MATRIX_UNIT
  if (Float32Tiles::Granted()) return visit(Float32Tiles());
#endif
  visit(Float32());
}

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
