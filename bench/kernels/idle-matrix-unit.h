// The matrix unit (AMX) without its products, for processors that lack it: included before all else, it leaves of each instruction the memory that it
// reads and writes. What kernels then take is what they would if products cost nothing; results are of no meaning.
#pragma once

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace idle {

constexpr int kRows = 16;

inline __attribute__((always_inline)) void LoadTile(const void *from, int64_t stride) {
  const char *row = static_cast<const char *>(from);
#pragma GCC unroll 4
  for (int i = 0; i < kRows; i += 4, row += 4 * stride) {
    // "inline" lets the compiler count this as one instruction, as the unit's is.
    asm volatile inline(
        "vmovdqu64 (%0), %%zmm31\n\tvmovdqu64 (%0,%1,1), %%zmm31\n\tvmovdqu64 (%0,%1,2), %%zmm31\n\tvmovdqu64 (%0,%2,1), %%zmm31" ::"r"(row),
        "r"(stride), "r"(3 * stride)
        : "xmm31");
  }
}

inline __attribute__((always_inline)) void StoreTile(void *to, int64_t stride) {
  const __m512i ones = _mm512_set1_epi32(1);
  for (int row = 0; row < kRows; row++) _mm512_storeu_si512(static_cast<char *>(to) + row * stride, ones);
}

// Results are whole numbers whether they should be or not. As numbers they are so small that the processor takes long for them, unless told to take them
// for 0.
inline void TakeTinyForZero() { _mm_setcsr(_mm_getcsr() | 0x8040); }

}  // namespace idle

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbf16ps
#undef _tile_dpbssd
#define _tile_loadconfig(shapes) (static_cast<void>(shapes), idle::TakeTinyForZero())
#define _tile_release() static_cast<void>(0)
#define _tile_loadd(tile, from, stride) idle::LoadTile(from, stride)
#define _tile_stored(tile, to, stride) idle::StoreTile(to, stride)
#define _tile_zero(tile) static_cast<void>(0)
#define _tile_dpbf16ps(sums, left, right) static_cast<void>(0)
#define _tile_dpbssd(sums, left, right) static_cast<void>(0)
#define syscall(...) 0L
