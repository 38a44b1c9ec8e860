// Times the kernels that a step in float32 consists of, on one core and out of its caches: one head's attention with full memories, at the sizes of
// configurations A and B, and products by packed matrices. The best of many calls, in microseconds, one line of JSON each.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <vector>

#include "dense.h"
#include "fixed-point-tiles.h"
#include "relative-attention.h"

namespace {

using namespace palimpsest;
using Numbers = std::vector<float>;

Numbers Random(int64_t size) {
  static std::mt19937 generator(1);
  std::normal_distribution<float> normal(0.0f, 0.1f);
  Numbers numbers(size);
  for (float &number : numbers) number = normal(generator);
  return numbers;
}

template <typename Work>
void Time(const char *what, int64_t rows, int64_t inner, int64_t columns, const Work &work) {
  constexpr int kCalls = 200;
  double best = 1e9;
  for (int i = 0; i < kCalls; i++) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  std::printf("{\"what\":\"%s\",\"rows\":%ld,\"inner\":%ld,\"columns\":%ld,\"microseconds\":%.1f}\n", what, static_cast<long>(rows),
              static_cast<long>(inner), static_cast<long>(columns), best);
}

// Of n queries over n_cm, n_m and n slots.
template <typename Number>
void TimeAttention(int64_t n, int64_t k, int64_t memory, int64_t compressed) {
  using Step = typename Number::Step;
  const Numbers queries = Random(n * k), biases = Random(3 * k), keys = Random((n + memory + compressed) * k), values = Random(keys.size());
  const auto pack = [&](int64_t slots) {
    Lines<Step> packed(PositionColumns(slots, n) / kLanes * PositionStride<Number>(k));
    PackPositionKeys<Number>(Random(k * (slots + n + 1)).data(), k, slots + n + 1, packed.data());
    return packed;
  };
  const Lines<Step> positions = pack(memory), compressed_positions = pack(compressed);
  const auto tier = [&](int64_t first, int64_t slots) { return Tier{keys.data() + first * k, values.data() + first * k, slots, slots}; };
  Numbers output(n * k);
  const AttentionHead<Number> head{queries.data(),
                                   biases.data(),
                                   biases.data() + k,
                                   biases.data() + 2 * k,
                                   positions.data(),
                                   compressed_positions.data(),
                                   tier(n + memory, compressed),
                                   tier(n, memory),
                                   tier(0, n),
                                   n,
                                   k,
                                   output.data(),
                                   k};
  HeadAttention<Number> attention;
  Time("attention", n, k, n + memory + compressed, [&] {
    attention.Open(head, n);
    for (int64_t first = 0; first < n; first += kQueryBlock<Number>) attention.Attend(first, std::min(kQueryBlock<Number>, n - first));
  });
}

template <typename Number>
void TimeProduct(int64_t rows, int64_t inner, int64_t columns) {
  using Step = typename Number::Step;
  const Numbers x = Random(rows * inner), w = Random(inner * columns);
  const int64_t panels = (columns + kPanel - 1) / kPanel, steps = StepsOf<Number>(inner);
  Lines<Step> packed(panels * Panels<Number>{nullptr, steps}.length()), scratch;
  PackPanels<Number>(w.data(), inner, columns, columns, 1, packed.data());
  Lines<float> output(rows * columns);
  Time("packing rows", rows, inner, columns, [&] { LeftRows<Number>(x.data(), rows, inner, inner, scratch); });
  const LeftRows<Number> left(x.data(), rows, inner, inner, scratch);
  Time("product", rows, inner, columns, [&] {
    Multiply<Number>(left, rows, {packed.data(), steps}, panels, [&](int64_t column) {
      return [=, to = output.data() + column](int64_t row, Vector sums) { StoreFirst(to + row * columns, sums, columns - column); };
    });
  });
}

}  // namespace

int main() {
  WithFloat32([](auto number) {
    using Number = decltype(number);
    const typename Number::Preparation prepared;
    TimeAttention<Number>(512, 64, 512, 128);
    TimeAttention<Number>(128, 64, 256, 256);
    TimeProduct<Number>(128, 512, 512);
    TimeProduct<Number>(128, 512, 2048);
    TimeProduct<Number>(128, 1024, 512);
    TimeProduct<Number>(128, 256, 1024);
  });
}
