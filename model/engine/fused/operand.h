// Factors of products where they lie: matrices, of blocks of columns or whole, or their transposes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "lines.h"

namespace palimpsest {

// Numbers whose columns lie in blocks of `width`: element (row, column) is blocks[column / width][row * stride + column % width].
struct Matrix {
  Matrix(const float *from, int64_t columns) : blocks{from}, width(columns), stride(columns) {}
  Matrix(std::vector<const float *> from, int64_t of_block, int64_t row_stride)
      : blocks(std::move(from)), width(of_block), stride(row_stride) {}
  // `count` neighbours of a row, from where they lie or copied to `scratch`.
  const float *Part(int64_t row, int64_t column, int64_t count, float *scratch) const {
    const float *const start = blocks[column / width] + row * stride + column % width;
    if (column % width + count <= width) return start;
    for (int64_t i = 0; i < count;) {
      const int64_t within = (column + i) % width, of_block = std::min(width - within, count - i);
      std::memcpy(scratch + i, blocks[(column + i) / width] + row * stride + within, of_block * sizeof(float));
      i += of_block;
    }
    return scratch;
  }
  // Where `height` rows of `length` neighbours lie, `stride` apart, if all of them are in `rows`, `columns` and one block; else null.
  const float *Whole(int64_t row, int64_t height, int64_t rows, int64_t column, int64_t length, int64_t columns) const {
    if (row + height > rows || column + length > columns || column % width + length > width) return nullptr;
    return blocks[column / width] + row * stride + column % width;
  }
  std::vector<const float *> blocks;
  int64_t width, stride;
};

// A factor: a matrix or its transpose.
struct Operand {
  Matrix matrix;
  bool transposed = false;
};

// Numbers of a row from where they lie or copied; those that are asked for next take their place.
inline const float *Copied(const Matrix &from, int64_t row, int64_t column, int64_t count) {
  thread_local Lines<float> copy;
  if (static_cast<int64_t>(copy.size()) < count) copy.resize(count);
  return from.Part(row, column, count, copy.data());
}

}  // namespace palimpsest
