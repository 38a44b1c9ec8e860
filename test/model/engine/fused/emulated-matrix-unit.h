// The matrix unit (AMX) in software, for processors that lack it: included before all else, it takes the place of the compiler's intrinsics and
// of the kernel's permission. It ends the program where the unit would: a tile is used by a thread that has not set its tiles up.
#pragma once

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace emulated {

constexpr int kTiles = 8, kRows = 16, kRowBytes = 64, kNumbers = kRowBytes / 4;

struct Unit {
  bool ready = false;
  alignas(64) uint8_t tiles[kTiles][kRows][kRowBytes];
};

inline Unit &OfThread() {
  static thread_local Unit unit;
  return unit;
}

inline uint8_t (&Tile(int tile))[kRows][kRowBytes] {
  if (OfThread().ready) return OfThread().tiles[tile];
  std::fputs("A tile is used by a thread that has not set its tiles up\n", stderr);
  std::abort();
}

// Of the only shapes that are used: palette 1, all tiles whole.
inline void Load(const void *shapes) {
  const uint8_t *const bytes = static_cast<const uint8_t *>(shapes);
  bool whole = bytes[0] == 1;
  for (int tile = 0; tile < kTiles; tile++) whole &= bytes[16 + 2 * tile] == kRowBytes && bytes[48 + tile] == kRows;
  if (!whole) std::abort();
  OfThread().ready = true;
  std::memset(OfThread().tiles, 0, sizeof OfThread().tiles);
}

inline void LoadTile(int tile, const void *from, int64_t stride) {
  for (int row = 0; row < kRows; row++) std::memcpy(Tile(tile)[row], static_cast<const uint8_t *>(from) + row * stride, kRowBytes);
}

inline void StoreTile(int tile, void *to, int64_t stride) {
  for (int row = 0; row < kRows; row++) std::memcpy(static_cast<uint8_t *>(to) + row * stride, Tile(tile)[row], kRowBytes);
}

template <typename Sum, typename SumOfPair>
void Multiply(int sums, int left, int right, const SumOfPair &multiply_add) {
  for (int row = 0; row < kRows; row++) {
    Sum added[kNumbers] = {};
    for (int k = 0; k < kNumbers; k++) {
      for (int column = 0; column < kNumbers; column++) multiply_add(added[column], Tile(left)[row] + 4 * k, Tile(right)[k] + 4 * column);
    }
    for (int column = 0; column < kNumbers; column++) {
      auto number = added[column].Total();
      decltype(number) before;
      std::memcpy(&before, Tile(sums)[row] + 4 * column, 4);
      number += before;
      std::memcpy(Tile(sums)[row] + 4 * column, &number, 4);
    }
  }
}

// Of the first numbers of pairs, and of the second.
struct PairSums {
  float first = 0, second = 0;
  float Total() const { return first + second; }
};

inline float Bfloat16(const uint8_t *from) {
  uint32_t bits = 0;
  std::memcpy(reinterpret_cast<uint8_t *>(&bits) + 2, from, 2);
  float number;
  std::memcpy(&number, &bits, 4);
  return number;
}

inline void MultiplyPairs(int sums, int left, int right) {
  Multiply<PairSums>(sums, left, right, [](PairSums &sum, const uint8_t *a, const uint8_t *b) {
    sum.first += Bfloat16(a) * Bfloat16(b);
    sum.second += Bfloat16(a + 2) * Bfloat16(b + 2);
  });
}

// Wraps, as the unit does.
struct WholeSum {
  uint32_t sum = 0;
  uint32_t Total() const { return sum; }
};

inline void MultiplyBytes(int sums, int left, int right) {
  Multiply<WholeSum>(sums, left, right, [](WholeSum &sum, const uint8_t *a, const uint8_t *b) {
    for (int i = 0; i < 4; i++) sum.sum += static_cast<uint32_t>(static_cast<int8_t>(a[i]) * static_cast<int8_t>(b[i]));
  });
}

}  // namespace emulated

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#undef _tile_dpbssd
#define _tile_loadconfig(shapes) emulated::Load(shapes)
#define _tile_release() static_cast<void>(emulated::OfThread().ready = false)
#define _tile_loadd(tile, from, stride) emulated::LoadTile(tile, from, stride)
#define _tile_stored(tile, to, stride) emulated::StoreTile(tile, to, stride)
#define _tile_zero(tile) static_cast<void>(std::memset(emulated::Tile(tile), 0, sizeof emulated::Tile(tile)))
#define _tile_dpbf16ps(sums, left, right) emulated::MultiplyPairs(sums, left, right)
#define _tile_dpbssd(sums, left, right) emulated::MultiplyBytes(sums, left, right)
#define syscall(...) 0L
