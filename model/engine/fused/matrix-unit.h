// The matrix unit of x86 processors (AMX), which has eight tiles of 16 rows of 64 bytes.
#pragma once

#include <cstdint>

#if defined(__AMX_TILE__) && defined(__AMX_BF16__) && defined(__AMX_INT8__) && defined(__AVX512BF16__) && defined(__linux__)
#define PALIMPSEST_MATRIX_UNIT
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace palimpsest {

#ifdef PALIMPSEST_MATRIX_UNIT

struct MatrixUnit {
  // Rows of a tile, and numbers of 32 bits in each.
  static constexpr int64_t kSide = 16;

  // Asks the kernel to let this process use tiles, whose state it would otherwise not keep when threads take turns.
  static bool Granted() {
    constexpr int kRequestPermission = 0x1023, kTileData = 18;
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }

  // Sets this thread's tiles up, and gives them back, as TensorFlow's products use them on the same threads.
  class Preparation {
   public:
    Preparation() {
      static constexpr Shapes shapes;
      _tile_loadconfig(&shapes);
    }
    ~Preparation() { _tile_release(); }
    Preparation(const Preparation &) = delete;
    Preparation &operator=(const Preparation &) = delete;

   private:
    struct alignas(64) Shapes {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    };
  };
};

#endif

}  // namespace palimpsest
