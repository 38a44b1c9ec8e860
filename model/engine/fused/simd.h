// Vectors of the processor that the addon is compiled for, and what kernels compute on them.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __AVX__
#include <immintrin.h>
#endif

namespace palimpsest {

#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
constexpr int kRegisters = 32;
#elif defined(__AVX__)
constexpr int64_t kLanes = 8;
constexpr int kRegisters = 16;
#elif defined(__aarch64__)
constexpr int64_t kLanes = 4;
constexpr int kRegisters = 32;
#else
constexpr int64_t kLanes = 4;
constexpr int kRegisters = 16;
#endif

using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));
using Integers = int32_t __attribute__((vector_size(kLanes * sizeof(int32_t))));

inline Vector Load(const float *from) {
  Vector vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

inline Integers LoadWhole(const int32_t *from) {
  Integers vector;
  std::memcpy(&vector, from, sizeof vector);
  return vector;
}

inline Vector ToNumbers(Integers whole) { return __builtin_convertvector(whole, Vector); }

inline float OfBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline void Store(float *to, Vector vector) { std::memcpy(to, &vector, sizeof vector); }

// The first `count` numbers of a vector; those behind them are 0.
inline Vector LoadFirst(const float *from, int64_t count) {
  if (count >= kLanes) return Load(from);
  float numbers[kLanes] = {};
  if (count > 0) std::memcpy(numbers, from, count * sizeof(float));
  return Load(numbers);
}

inline void StoreFirst(float *to, Vector vector, int64_t count) {
  if (count >= kLanes) return Store(to, vector);
  float numbers[kLanes];
  Store(numbers, vector);
  if (count > 0) std::memcpy(to, numbers, count * sizeof(float));
}

// Compilers would read what is used several times from memory at each use.
template <typename AnyVector>
inline __attribute__((always_inline)) void KeepInRegister(AnyVector &vector) {
#ifdef __aarch64__
  asm("" : "+w"(vector));
#else
  asm("" : "+v"(vector));
#endif
}

inline Vector Broadcast(float value) { return value - Vector{}; }

inline Vector Max(Vector a, Vector b) { return a > b ? a : b; }

inline float Greatest(Vector vector) {
#ifdef __AVX512F__
  return _mm512_reduce_max_ps((__m512)vector);
#else
  float greatest = vector[0];
  for (int64_t i = 1; i < kLanes; i++) greatest = vector[i] > greatest ? vector[i] : greatest;
  return greatest;
#endif
}

inline float Sum(Vector vector) {
#ifdef __AVX512F__
  return _mm512_reduce_add_ps((__m512)vector);
#else
  float sum = 0;
  for (int64_t i = 0; i < kLanes; i++) sum += vector[i];
  return sum;
#endif
}

// e^(x - y) for differences of at most 88; 0 below -87. Within 1.6 units in the last place, times |x - y| where that is more than 1: what rounding the
// difference costs as well.
inline Vector ExpOfDifference(Vector x, Vector y) {
  constexpr float kLog2E = 1.44269504f, kLeast = -125.0f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to whole numbers
  Vector power = x * kLog2E - y * kLog2E;
#ifndef __AVX512F__
  const Integers tiny = power < kLeast;
  power = tiny ? Broadcast(kLeast) : power;
#endif
  const Vector shifted = power + kRound;
  const Vector n = shifted - kRound;
  const Vector f = power - n;  // |f| <= 1/2
  // 2^f, within 2.6e-9 of it (Remez's algorithm).
  Vector p = f * 1.55946770e-4f + 1.34066438e-3f;
  p = p * f + 9.61769298e-3f;
  p = p * f + 5.55031055e-2f;
  p = p * f + 2.40226528e-1f;
  p = p * f + 6.93147215e-1f;
  p = p * f + 1.0f;
#ifdef __AVX512F__
  const __mmask16 not_tiny = _mm512_cmp_ps_mask((__m512)power, _mm512_set1_ps(kLeast), _CMP_NLT_UQ);
  return (Vector)_mm512_maskz_scalef_ps(not_tiny, (__m512)p, (__m512)n);
#else
  Integers bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  Integers result;
  std::memcpy(&result, &p, sizeof result);
  result += bits << 23;  // the low bits of `shifted` hold n
  std::memcpy(&p, &result, sizeof p);
  return tiny ? Vector{} : p;
#endif
}

// Exchanges rows and columns of a square of 32-bit numbers: to[j * to_stride + i] = from[i * from_stride + j].
template <typename T>
inline void TransposeSquare(const T *from, int64_t from_stride, T *to, int64_t to_stride) {
  static_assert(sizeof(T) == sizeof(float), "squares are of 32-bit numbers");
  Integers rows[kLanes], swapped[kLanes];
#pragma GCC unroll 16
  for (int64_t i = 0; i < kLanes; i++) std::memcpy(&rows[i], from + i * from_stride, sizeof rows[i]);
#if defined(__AVX__) && !defined(__AVX512F__)
  // Within halves of vectors first: across them takes two instructions in place of one.
  const auto exchange = [](Integers a, Integers b, Integers low, Integers high, Integers &first, Integers &second) {
    first = __builtin_shuffle(a, b, low);
    second = __builtin_shuffle(a, b, high);
  };
  constexpr Integers kLow = {0, 8, 1, 9, 4, 12, 5, 13}, kHigh = {2, 10, 3, 11, 6, 14, 7, 15};
  constexpr Integers kLowPairs = {0, 1, 8, 9, 4, 5, 12, 13}, kHighPairs = {2, 3, 10, 11, 6, 7, 14, 15};
  constexpr Integers kLowHalf = {0, 1, 2, 3, 8, 9, 10, 11}, kHighHalf = {4, 5, 6, 7, 12, 13, 14, 15};
#pragma GCC unroll 4
  for (int64_t i = 0; i < kLanes; i += 2) exchange(rows[i], rows[i + 1], kLow, kHigh, swapped[i], swapped[i + 1]);
#pragma GCC unroll 2
  for (int64_t i = 0; i < kLanes; i += 4) {
    exchange(swapped[i], swapped[i + 2], kLowPairs, kHighPairs, rows[i], rows[i + 1]);
    exchange(swapped[i + 1], swapped[i + 3], kLowPairs, kHighPairs, rows[i + 2], rows[i + 3]);
  }
#pragma GCC unroll 4
  for (int64_t i = 0; i < kLanes / 2; i++) {
    exchange(rows[i], rows[i + kLanes / 2], kLowHalf, kHighHalf, swapped[i], swapped[i + kLanes / 2]);
  }
  std::memcpy(rows, swapped, sizeof rows);
#else
  // Each round puts rows that lie half a square apart beside each other, number by number.
  Integers low, high;
  for (int64_t i = 0; i < kLanes; i++) {
    low[i] = static_cast<int32_t>(i / 2 + i % 2 * kLanes);
    high[i] = static_cast<int32_t>(kLanes / 2 + i / 2 + i % 2 * kLanes);
  }
  for (int64_t round = 1; round < kLanes; round *= 2) {
    for (int64_t i = 0; i < kLanes / 2; i++) {
      swapped[2 * i] = __builtin_shuffle(rows[i], rows[i + kLanes / 2], low);
      swapped[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + kLanes / 2], high);
    }
    std::memcpy(rows, swapped, sizeof rows);
  }
#endif
#pragma GCC unroll 16
  for (int64_t j = 0; j < kLanes; j++) std::memcpy(to + j * to_stride, &rows[j], sizeof rows[j]);
}

}  // namespace palimpsest
