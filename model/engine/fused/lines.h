// Memory that begins with a line of the cache: loads of rows that lie across two lines take twice as long.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace palimpsest {

constexpr std::align_val_t kLine{64};

template <typename T>
struct LineAllocator {
  using value_type = T;
  LineAllocator() = default;
  template <typename Other>
  LineAllocator(const LineAllocator<Other> &) {}
  T *allocate(size_t count) { return static_cast<T *>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T *memory, size_t) { ::operator delete(memory, kLine); }
  bool operator==(const LineAllocator &) const { return true; }
  bool operator!=(const LineAllocator &) const { return false; }
};

template <typename T>
using Lines = std::vector<T, LineAllocator<T>>;

}  // namespace palimpsest
