// Ids of tensors for tfjs-node's addon, whose own counter leaves the numbers that JavaScript takes for ids after 2^31 tensors.
#pragma once

#include <cstdint>
#include <limits>

namespace palimpsest {

// The id of a new tensor: 0 to 2^31 - 1, none that `used`, a map by ids, holds. `next` is where to look first, and goes on at 0 after the last.
template <typename Map>
int32_t NextTensorId(const Map &used, int32_t *next) {
  int32_t id;
  do {
    id = *next;
    *next = id == std::numeric_limits<int32_t>::max() ? 0 : id + 1;
  } while (used.find(id) != used.end());
  return id;
}

}  // namespace palimpsest
