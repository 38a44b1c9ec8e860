// Results written past the cache where they would leave it before they are read: the processor need not read the lines first that are written over.
#pragma once

#include <cstdint>

#include "simd.h"

namespace palimpsest {

// Tensors of more numbers are written so.
constexpr int64_t kStreamed = (2 << 20) / sizeof(float);

// A matrix that vectors of results are written to. What is written past the cache is seen by other threads from EndStream on.
class Results {
 public:
  Results() = default;
  // `numbers` are those of the whole tensor.
  Results(float *first, int64_t columns, int64_t numbers)
      : first_(first), columns_(columns),
        streamed_(numbers > kStreamed && columns % kLanes == 0 && reinterpret_cast<uintptr_t>(first) % sizeof(Vector) == 0) {}

  void Write(int64_t row, int64_t column, Vector numbers) const {
    float *const to = first_ + row * columns_ + column;
#ifdef __AVX512F__
    if (streamed_) return _mm512_stream_ps(to, (__m512)numbers);
#endif
    StoreFirst(to, numbers, columns_ - column);
  }

 private:
  float *first_ = nullptr;
  int64_t columns_ = 0;
  bool streamed_ = false;
};

inline void EndStream() {
#ifdef __AVX512F__
  _mm_sfence();
#endif
}

}  // namespace palimpsest
