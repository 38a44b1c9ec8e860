// Takes ids about the end of what 32 bits hold, with some of the first in use, and says which they are.
#include "tensor-ids.h"

#include <cstdio>
#include <unordered_map>

int main() {
  std::unordered_map<int32_t, int> used{{0, 0}, {2, 0}, {3, 0}, {2147483646, 0}};
  int32_t next = 2147483645;
  std::printf("[");
  for (int i = 0; i < 4; i++) {
    const int32_t id = palimpsest::NextTensorId(used, &next);
    used.insert({id, 0});
    std::printf("%d, ", id);
  }
  used.erase(0);
  next = 2147483647;
  std::printf("%d]\n", palimpsest::NextTensorId(used, &next));
}
