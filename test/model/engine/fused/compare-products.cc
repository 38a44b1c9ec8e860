// Computes the same by each way to multiply that the processor has, and prints a line of JSON for each comparison: by which way, of what, how
// far it is from what is expected as a part of its length, and whether what must have the same bits has them: rows, however many are computed
// at once, and products, however their factors lie.

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "attention-gradient.h"
#include "dense.h"
#include "fixed-point-tiles.h"
#include "product.h"
#include "relative-attention.h"
#include "thread-pool.h"
#include "tiles.h"

using namespace palimpsest;

using Numbers = Lines<float>;

// Draws numbers from -0.5 to 0.5, the same ones each time.
class Draw {
 public:
  Numbers operator()(int64_t count) {
    Numbers numbers(count);
    for (float &number : numbers) {
      state_ = state_ * 1664525u + 1013904223u;
      number = static_cast<float>(state_ >> 8) / (1 << 24) - 0.5f;
    }
    return numbers;
  }

 private:
  uint32_t state_ = 1;
};

double Distance(const Numbers &given, const Numbers &expected) {
  double difference = 0, length = 0;
  for (size_t i = 0; i < expected.size(); i++) {
    difference += std::pow(static_cast<double>(given[i]) - expected[i], 2);
    length += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(difference / length);
}

bool Begins(const Numbers &whole, const Numbers &part) { return std::memcmp(whole.data(), part.data(), part.size() * sizeof(float)) == 0; }

void Print(const char *by, const std::string &what, double distance, bool alike = true) {
  std::printf("{\"by\": \"%s\", \"what\": \"%s\", \"distance\": %g, \"alike\": %s}\n", by, what.c_str(), distance, alike ? "true" : "false");
}

struct Sizes {
  int64_t rows, inner, columns;
};

// x [rows, inner] · w [inner, columns]
Numbers Exact(const Numbers &x, const Numbers &w, const Sizes &sizes) {
  Numbers result(sizes.rows * sizes.columns);
  for (int64_t i = 0; i < sizes.rows; i++) {
    for (int64_t j = 0; j < sizes.columns; j++) {
      double sum = 0;
      for (int64_t k = 0; k < sizes.inner; k++) sum += static_cast<double>(x[i * sizes.inner + k]) * w[k * sizes.columns + j];
      result[i * sizes.columns + j] = static_cast<float>(sum);
    }
  }
  return result;
}

Numbers Transposed(const Numbers &from, int64_t rows, int64_t columns) {
  Numbers to(from.size());
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
  }
  return to;
}

// By packed panels, as in inference.
template <typename Number>
Numbers ByPanels(const Numbers &x, const Numbers &w, const Sizes &sizes) {
  using Step = typename Number::Step;
  const auto [rows, inner, columns] = sizes;
  const int64_t panels = (columns + kPanel - 1) / kPanel, steps = StepsOf<Number>(inner);
  Lines<Step> packed(panels * Panels<Number>{nullptr, steps}.length());
  PackPanels<Number>(w.data(), inner, columns, columns, 1, packed.data());
  Numbers result(rows * columns);
  ForRowBlocks<Number>(rows, [&, inner = inner, columns = columns](int64_t first, int64_t count) {
    Lines<Step> scratch;
    const LeftRows<Number> left(x.data() + first * inner, count, inner, inner, scratch);
    Multiply<Number>(left, count, {packed.data(), steps}, panels, [&](int64_t column) {
      return [=, to = result.data() + first * columns + column](int64_t row, Vector sums) { StoreFirst(to + row * columns, sums, columns - column); };
    });
  });
  return result;
}

// By a product that packs both factors, as in training.
template <typename Number>
Numbers ByProduct(const Operand &x, const Operand &w, const Sizes &sizes) {
  Numbers result(sizes.rows * sizes.columns);
  Product<Number>(x, w, sizes.rows, sizes.inner, sizes.columns, [&](int64_t column, int64_t) {
    return [=, &sizes, to = result.data() + column, filled = sizes.columns - column](int64_t row, Vector sums) {
      StoreFirst(to + row * sizes.columns, sums, filled);
    };
  });
  return result;
}

// The factors of a product, and what it is.
struct Example {
  Sizes sizes;
  Numbers x, w, expected;
  std::string size;
  // The same with fewer rows.
  Sizes fewer;

  explicit Example(const Sizes &sizes) : Example(sizes, Draw(), "") {}

  template <typename Numbering>
  Example(const Sizes &sizes, Numbering number, const std::string &kind) : sizes(sizes), fewer{(sizes.rows + 1) / 2, sizes.inner, sizes.columns} {
    x = number(sizes.rows * sizes.inner);
    w = number(sizes.inner * sizes.columns);
    expected = Exact(x, w, sizes);
    size = std::to_string(sizes.rows) + "," + std::to_string(sizes.inner) + "," + std::to_string(sizes.columns) + kind;
  }
};

template <typename Number>
void ComparePanels(const char *by, const Example &example) {
  const auto &[sizes, x, w, expected, size, fewer] = example;
  const Numbers panels = ByPanels<Number>(x, w, sizes);
  Print(by, "panels " + size, Distance(panels, expected), Begins(panels, ByPanels<Number>(x, w, fewer)));
}

template <typename Number>
void CompareProducts(const char *by, const Example &example) {
  const auto &[sizes, x, w, expected, size, fewer] = example;
  const auto [rows, inner, columns] = sizes;
  const Numbers x_down = Transposed(x, rows, inner), w_down = Transposed(w, inner, columns);
  const Operand left{Matrix(x.data(), inner)}, right{Matrix(w.data(), columns)};
  const Numbers product = ByProduct<Number>(left, right, sizes);
  Print(by, "product " + size, Distance(product, expected), Begins(product, ByProduct<Number>(left, right, fewer)));
  const Numbers turned = ByProduct<Number>({Matrix(x_down.data(), rows), true}, {Matrix(w_down.data(), inner), true}, sizes);
  Print(by, "product of transposed factors " + size, Distance(turned, expected), Begins(turned, product));
}

// One head of one document.
struct Document {
  int64_t n, k, slots, filled, compressed_slots, compressed_filled;
};

// The values that a head mixes, and all its gradients, one after the other. The key of one of the segment's slots may be broken.
template <typename Number>
Numbers Attend(const Document &document, int64_t broken = -1) {
  using Step = typename Number::Step;
  const auto [n, k, slots, filled, compressed_slots, compressed_filled] = document;
  const typename Number::Preparation prepared;
  Draw draw;
  const Numbers queries = draw(n * k), biases = draw(3 * k), slope = draw(n * k);
  const int64_t all_slots[] = {compressed_slots, slots, n}, all_filled[] = {compressed_filled, filled, n};
  Numbers rows[6];
  Tier tiers[3];
  for (int i = 0; i < 3; i++) {
    rows[2 * i] = draw(all_slots[i] * k);
    rows[2 * i + 1] = draw(all_slots[i] * k);
    tiers[i] = {rows[2 * i].data(), rows[2 * i + 1].data(), all_slots[i], all_filled[i]};
  }
  if (broken >= 0) rows[4][broken * k] = std::numeric_limits<float>::quiet_NaN();
  Lines<Step> across[2], down[2];
  Numbers position_keys[2];
  const auto width_of = [&](int i) { return all_slots[1 - i] + n + 1; };
  for (int i = 0; i < 2; i++) {
    const int64_t width = width_of(i);
    position_keys[i] = draw(k * width);
    across[i].resize(PositionColumns(width - 1, 0) / kLanes * PositionStride<Number>(k));
    PackPositionKeys<Number>(position_keys[i].data(), k, width, across[i].data());
  }
  Numbers mixed(n * k), log_sums(n);
  const AttentionHead<Number> head{queries.data(),   biases.data(), biases.data() + k, biases.data() + 2 * k, across[0].data(), across[1].data(),
                                   tiers[0],         tiers[1],      tiers[2],          n,                     k,                mixed.data(),
                                   k,                log_sums.data()};
  HeadAttention<Number> attention;
  attention.Open(head, n);
  constexpr int64_t kBlock = kQueryBlock<Number>;
  for (int64_t first = 0; first < n; first += kBlock) attention.Attend(first, std::min(kBlock, n - first));
  PositionTable<Number> tables[2];
  for (int i = 0; i < 2; i++) {
    const int64_t width = width_of(i), steps = StepsOf<Number>(PositionColumns(width - 1, 0));
    const int64_t panel = Panels<Number>{nullptr, steps}.length();
    down[i].resize(RoundUp(k, kPanel) / kPanel * panel + kBehindPositions<Number>);
    for (int64_t first = 0; first < k; first += kPanel) {
      const Operand keys{Matrix(position_keys[i].data(), width), true};
      PackRight<Number>(keys, width, k, 0, steps, first / kPanel, down[i].data() + first / kPanel * panel);
    }
    tables[i] = {across[i].data(), {down[i].data(), steps}};
  }
  Numbers gradients[13];
  const auto room = [&](int i, int64_t size) {
    gradients[i].assign(size, 0.0f);
    return gradients[i].data();
  };
  HeadGradientOutput output;
  output.queries = room(0, n * k);
  for (int i = 0; i < 3; i++) {
    // As if they were parts of a tensor that is written past the cache, but for what they are compared with.
    const bool compared = std::is_same<Number, Float32>::value;
    output.keys[i] = Results(room(1 + i, all_slots[i] * k), k, compared ? 0 : kStreamed + 1);
    output.values[i] = Results(room(4 + i, all_slots[i] * k), k, all_slots[i] * k);
  }
  output.content_bias = room(7, k);
  for (int i = 0; i < 2; i++) {
    output.position_bias[i] = room(8 + i, k);
    output.position_keys[i] = room(10 + i, k * PositionColumns(all_slots[1 - i], n));
  }
  HeadGradient<Number> gradient;
  gradient.Run(head, tables, {slope.data(), k, log_sums.data()}, output);
  for (const Numbers &numbers : gradients) mixed.insert(mixed.end(), numbers.begin(), numbers.end());
  return mixed;
}

template <typename Number>
void CompareAttention(const char *by, const Document &document) {
  const std::string size = std::to_string(document.n) + "," + std::to_string(document.k);
  const Numbers given = Attend<Number>(document);
  Print(by, "attention " + size, Distance(given, Attend<Float32>(document)));
}

// A score that is not a number makes results so, of those queries that see it.
template <typename Number>
void CompareBroken(const char *by) {
  const Document document{51, 22, 85, 60, 30, 17};
  constexpr int64_t kBroken = 40;
  const Numbers mixed = Attend<Number>(document, kBroken);
  bool as_expected = true;
  for (int64_t i = 0; i < document.n * document.k; i++) as_expected &= std::isfinite(mixed[i]) == (i / document.k < kBroken);
  Print(by, "attention to a broken key", 0, as_expected);
}

const Example examples[] = {Example({1, 1, 1}),    Example({3, 17, 5}),    Example({33, 31, 33}),
                            Example({48, 64, 96}), Example({75, 100, 70}), Example({200, 2100, 40})};

// What numbers that share a scale may get wrong: sums that are too large for whole numbers, greatest numbers that leave the others few digits,
// rows and columns that are 0, tiny or not finite.
template <typename Number>
void CompareScaled(const char *by) {
  // Bytes of 126, 127 and 127, where the greatest number is 1: the first of each row of the left factor, and the first row of the right one.
  const Sizes long_sizes{3, 50000, 40};
  const auto great = [&](int64_t count) {
    Numbers numbers(count, 8290175.0f / 8355584.0f);
    for (int64_t i = 0; i < count; i++) {
      if (i < long_sizes.columns || i % long_sizes.inner == 0) numbers[i] = 1;
    }
    return numbers;
  };
  ComparePanels<Number>(by, Example(long_sizes, great, " of great bytes"));
  const auto uneven = [](int64_t count) {
    Numbers numbers = Draw()(count);
    for (size_t i = 0; i < numbers.size(); i += 97) numbers[i] *= 30;
    return numbers;
  };
  ComparePanels<Number>(by, Example({70, 500, 70}, uneven, " of uneven numbers"));
  const auto rows = [](int64_t count) {
    Numbers numbers = Draw()(count);
    for (size_t i = 0; i < numbers.size(); i++) numbers[i] *= i / 64 % 3 == 0 ? 0.0f : i / 64 % 3 == 1 ? 1e-35f : 1e15f;
    return numbers;
  };
  ComparePanels<Number>(by, Example({48, 64, 64}, rows, " of rows that differ"));
  const Sizes sizes{5, 100, 40};
  Numbers x = Draw()(sizes.rows * sizes.inner), w = Draw()(sizes.inner * sizes.columns);
  x[1 * sizes.inner + 99] = std::numeric_limits<float>::infinity();
  x[3 * sizes.inner] = std::numeric_limits<float>::quiet_NaN();
  w[50 * sizes.columns + 33] = -std::numeric_limits<float>::infinity();
  const Numbers result = ByPanels<Number>(x, w, sizes);
  bool as_expected = true;
  for (int64_t i = 0; i < static_cast<int64_t>(result.size()); i++) {
    const int64_t row = i / sizes.columns, column = i % sizes.columns;
    as_expected &= std::isfinite(result[i]) == (row != 1 && row != 3 && column != 33);
  }
  Print(by, "numbers that are not finite", 0, as_expected);
}

template <typename Number>
void Compare(const char *by) {
  for (const Example &example : examples) {
    ComparePanels<Number>(by, example);
    CompareProducts<Number>(by, example);
  }
  for (const Document &document : {Document{1, 2, 1, 1, 0, 0}, {51, 22, 85, 60, 30, 17}, {148, 64, 200, 200, 84, 84}, {70, 34, 0, 0, 40, 9}}) {
    CompareAttention<Number>(by, document);
  }
  CompareBroken<Number>(by);
}

int main() {
  Compare<Float32>("float32 by vectors");
#ifdef __AVX512BF16__
  Compare<Bfloat16>("bfloat16 by vectors");
#endif
#ifdef PALIMPSEST_MATRIX_UNIT
  if (Bfloat16Tiles::Granted()) {
    Compare<FixedPointTiles>("float32 by bytes");
    CompareScaled<FixedPointTiles>("float32 by bytes");
    Compare<Bfloat16Tiles>("bfloat16 by tiles");
  }
#endif
}
