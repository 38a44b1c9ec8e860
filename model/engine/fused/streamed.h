// Results written past the cache where they would leave it before they are read: the processor need not read the lines first that are written over.
#pragma once

#include <cstdint>

#include "simd.h"

namespace palimpsest {

// Tensors of more numbers are written so.
constexpr int64_t kStreamed = (2 << 20) / sizeof(float);

// Whether the vectors of a panel fill lines of the cache: parts of lines that are written past it take longer than through it.
#ifdef __AVX__
constexpr bool kStreams = true;
#else
constexpr bool kStreams = false;
#endif

constexpr int64_t kNumbersOfLine = 16;

inline bool BeginsLine(const float *memory) { return reinterpret_cast<uintptr_t>(memory) % (kNumbersOfLine * sizeof(float)) == 0; }

// Stores a vector past the cache; it is seen by other threads from EndStream on.
inline void Stream(float *to, Vector vector) {
#if defined(__AVX512F__)
  _mm512_stream_ps(to, (__m512)vector);
#elif defined(__AVX__)
  _mm256_stream_ps(to, (__m256)vector);
#else
  Store(to, vector);
#endif
}

inline void EndStream() {
#ifdef __AVX__
  _mm_sfence();
#endif
}

// A matrix that vectors of results are written to, those of a large tensor past the cache.
class Results {
 public:
  Results() = default;
  // `numbers` are those of the whole tensor.
  Results(float *first, int64_t columns, int64_t numbers)
      : first_(first), columns_(columns), streamed_(kStreams && numbers > kStreamed && columns % kNumbersOfLine == 0 && BeginsLine(first)) {}

  void Write(int64_t row, int64_t column, Vector numbers) const {
    float *const to = first_ + row * columns_ + column;
    if (streamed_) Stream(to, numbers);
    else StoreFirst(to, numbers, columns_ - column);
  }

 private:
  float *first_ = nullptr;
  int64_t columns_ = 0;
  bool streamed_ = false;
};

}  // namespace palimpsest
