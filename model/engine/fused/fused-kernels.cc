// Operations that TensorFlow has no single kernel for, registered with it when this file's library is loaded. Each does in one
// pass over memory what otherwise takes several, and multiplies by matrices that were packed for it once. On the processor, for
// inference: they have no gradients. Letters as in docs/model.md.

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "dense.h"
#include "fixed-point-tiles.h"
#include "kernel-call.h"
#include "lines.h"
#include "packing.h"
#include "relative-attention.h"
#include "thread-pool.h"
#include "tiles.h"

namespace palimpsest {
namespace {

// Scratch of one thread, which grows to what its largest task needs.
template <typename Number>
struct Scratch {
  Lines<typename Number::Step> left, activated;
  Lines<float> normalised, hidden, sums;

  static Scratch &OfThread() {
    thread_local Scratch scratch;
    return scratch;
  }
};

float *Room(Lines<float> &scratch, int64_t size) {
  if (static_cast<int64_t>(scratch.size()) < size) scratch.resize(size);
  return scratch.data();
}

// weights [K, N], or [N, K] if the attribute is 1 -> panels [N / kPanel, a panel's length]
template <typename Number>
void PackMatrix(Call &call) {
  const bool transposed = call.attribute() == 1;
  const int64_t rows = call.Size(0, transposed ? 1 : 0), columns = call.Size(0, transposed ? 0 : 1);
  const int64_t length = Panels<Number>{nullptr, StepsOf<Number>(rows)}.length();
  auto *const panels = call.Output<PackedType<Number>>(0, {(columns + kPanel - 1) / kPanel, length});
  PackPanels<Number>(call.Data(0), rows, columns, transposed ? 1 : columns, transposed ? rows : 1,
                     reinterpret_cast<typename Number::Step *>(panels));
}

// position keys [H, k, slots + n + 1] -> [H, PositionColumns(slots, n) / kLanes, PositionStride(k)]
template <typename Number>
void PackPositions(Call &call) {
  const int64_t heads = call.Size(0, 0), k = call.Size(0, 1), width = call.Size(0, 2);
  const int64_t vectors = PositionColumns(width - 1, 0) / kLanes, stride = PositionStride<Number>(k);
  auto *const to = reinterpret_cast<typename Number::Step *>(call.Output<PackedType<Number>>(0, {heads, vectors, stride}));
  for (int64_t h = 0; h < heads; h++) PackPositionKeys<Number>(call.Data(0) + h * k * width, k, width, to + h * vectors * stride);
}

// A packed matrix of K rows.
template <typename Number>
Panels<Number> PanelsOf(const Call &call, int input, int64_t rows) {
  return {call.Data<typename Number::Step>(input), StepsOf<Number>(rows)};
}

// x [S, d], gain [d], bias [d] -> [S, d]
void LayerNormalisation(Call &call) {
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1);
  float *const output = call.Output(0, {rows, width});
  ForRowBlocks<Float32>(rows, [&](int64_t first, int64_t count) {
    for (int64_t row = first; row < first + count; row++) {
      NormaliseRow(call.Data(0) + row * width, width, call.Data(1), call.Data(2), output + row * width);
    }
  });
}

// x [S, K], panels of [K, N], N as the attribute -> x · W [S, N]
template <typename Number>
void Dense(Call &call) {
  const int64_t rows = call.Size(0, 0), inner = call.Size(0, 1), columns = call.attribute();
  float *const output = call.Output(0, {rows, columns});
  ForRowBlocks<Number>(rows, [&](int64_t first, int64_t count) {
    const LeftRows<Number> left(call.Data(0) + first * inner, count, inner, inner, Scratch<Number>::OfThread().left);
    Multiply<Number>(left, count, PanelsOf<Number>(call, 1, inner), call.Size(1, 0),
                     [&](int64_t column) {
                       float *const to = output + first * columns + column;
                       return [=, filled = columns - column](int64_t row, Vector sums) { StoreFirst(to + row * columns, sums, filled); };
                     });
  });
}

// x [S, N], y [S, K], panels of [K, N] -> x + y · W [S, N]
template <typename Number>
void AddDense(Call &call) {
  const int64_t rows = call.Size(0, 0), columns = call.Size(0, 1), inner = call.Size(1, 1);
  const float *const x = call.Data(0);
  float *const output = call.Output(0, {rows, columns});
  ForRowBlocks<Number>(rows, [&](int64_t first, int64_t count) {
    const LeftRows<Number> left(call.Data(1) + first * inner, count, inner, inner, Scratch<Number>::OfThread().left);
    Multiply<Number>(left, count, PanelsOf<Number>(call, 2, inner), call.Size(2, 0),
                     [&](int64_t column) {
                       const int64_t offset = first * columns + column, filled = columns - column;
                       return [=](int64_t row, Vector sums) {
                         const int64_t at = offset + row * columns;
                         StoreFirst(output + at, LoadFirst(x + at, filled) + sums, filled);
                       };
                     });
  });
}

// Columns of a vector that go to one head, and where those of the first row go.
struct HeadPart {
  float *to;
  int64_t columns;
};

// rows [B, S, d], panels of matrices [d, d] side by side, H as the attribute -> the product with each matrix [H, B, S, k]
template <typename Number>
void ProjectHeads(Call &call) {
  const int64_t batch = call.Size(0, 0), length = call.Size(0, 1), width = call.Size(0, 2), heads = call.attribute();
  const int64_t k = width / heads, columns = width * call.outputs();
  std::vector<float *> outputs;
  for (int i = 0; i < call.outputs(); i++) outputs.push_back(call.Output(i, {heads, batch, length, k}));
  // The part of a row from a column on that goes to one head.
  const auto place = [&](int64_t first, int64_t column) {
    const int64_t within = column % width, h = within / k, offset = within % k;
    return HeadPart{outputs[column / width] + (h * batch * length + first) * k + offset, k - offset};
  };
  const auto project = [&](const auto &open) {
    ForRowBlocks<Number>(batch * length, [&](int64_t first, int64_t count) {
      const LeftRows<Number> left(call.Data(0) + first * width, count, width, width, Scratch<Number>::OfThread().left);
      Multiply<Number>(left, count, PanelsOf<Number>(call, 1, width), call.Size(1, 0), [&](int64_t column) { return open(first, column); });
    });
  };
  if (k % kLanes == 0) {
    return project([&](int64_t first, int64_t column) {
      float *const to = column < columns ? place(first, column).to : nullptr;
      return [=](int64_t row, Vector sums) {
        if (to != nullptr) Store(to + row * k, sums);
      };
    });
  }
  // A vector may reach over several heads, and matrices.
  project([&](int64_t first, int64_t column) {
    std::array<HeadPart, kLanes> parts;
    int64_t used = 0;
    const int64_t end = std::min(column + kLanes, columns);
    for (int64_t from = column; from < end; from += parts[used++].columns) {
      parts[used] = place(first, from);
      parts[used].columns = std::min(parts[used].columns, end - from);
    }
    return [parts, used, k](int64_t row, Vector sums) {
      float numbers[kLanes];
      Store(numbers, sums);
      const float *from = numbers;
      for (int64_t i = 0; i < used; from += parts[i++].columns) std::copy_n(from, parts[i].columns, parts[i].to + row * k);
    };
  });
}

// Hidden numbers of a row that are computed, and summed up, before the next: more in three parts leave no room in the second level of cache for the
// weights that they are multiplied by.
template <typename Number>
constexpr int64_t kHiddenAtOnce = Number::kParts > 1 ? 256 : std::numeric_limits<int32_t>::max();

enum FeedForwardInput { kX, kGain, kBias, kInner, kInnerBias, kOuter, kOuterBias };

// x [S, d], gain [d], bias [d], panels of [d, f], inner bias [f], panels of [f, d], outer bias [d]
// -> x + relu(LN(x) · W_inner + b_inner) · W_outer + b_outer [S, d]
template <typename Number>
void FeedForward(Call &call) {
  const int64_t rows = call.Size(kX, 0), width = call.Size(kX, 1), inner = call.Size(kInnerBias, 0);
  const float *const x = call.Data(kX), *const inner_bias = call.Data(kInnerBias), *const outer_bias = call.Data(kOuterBias);
  float *const output = call.Output(0, {rows, width});
  ForRowBlocks<Number>(rows, [&](int64_t first, int64_t count) {
    Scratch<Number> &scratch = Scratch<Number>::OfThread();
    // Rows a power of two apart would contend for the same few lines of the cache.
    const int64_t stride = RoundUp(std::min(inner, kHiddenAtOnce<Number>), kLanes) + kLanes;
    float *const normalised = Room(scratch.normalised, count * width), *const hidden = Room(scratch.hidden, count * stride);
    for (int64_t row = 0; row < count; row++) {
      NormaliseRow(x + (first + row) * width, width, call.Data(kGain), call.Data(kBias), normalised + row * width);
    }
    const LeftRows<Number> left(normalised, count, width, width, scratch.left);
    const Panels<Number> outer = PanelsOf<Number>(call, kOuter, inner);
    const int64_t outer_panels = call.Size(kOuter, 0);
    const int64_t sum_stride = outer_panels * kPanel;
    float *const sums = inner > kHiddenAtOnce<Number> ? Room(scratch.sums, RoundUp(count, kMostTileRows) * sum_stride) : nullptr;
    for (int64_t begin = 0; begin < inner; begin += kHiddenAtOnce<Number>) {
      const int64_t end = std::min(inner, begin + kHiddenAtOnce<Number>), length = end - begin;
      Panels<Number> inner_panels = PanelsOf<Number>(call, kInner, width);
      inner_panels.first += begin / kPanel * inner_panels.length();
      Multiply<Number>(left, count, inner_panels, (length + kPanel - 1) / kPanel, [&](int64_t column) {
        const int64_t filled = length - column;
        const Vector bias = LoadFirst(inner_bias + begin + column, filled);
        return [=](int64_t row, Vector sums) { StoreFirst(hidden + row * stride + column, Max(sums + bias, Vector{}), filled); };
      });
      const LeftRows<Number> activated(hidden, count, length, stride, scratch.activated);
      for (int64_t panel = 0; panel < outer_panels; panel++) {
        const Factors<Number> factors = outer.Times(activated, panel, begin / Number::kPerStep, StepsOf<Number>(length));
        const int64_t column = panel * kPanel;
        const Sums<const float> before{begin == 0 ? nullptr : sums + column, sum_stride};
        if (end < inner) {
          StorePanel<Number>(factors, count, before, {sums + column, sum_stride});
          continue;
        }
        MultiplyVectors<Number>(factors, count, before, [&](int64_t within) {
          const int64_t offset = first * width + column + within, filled = width - column - within;
          const Vector bias = LoadFirst(outer_bias + column + within, filled);
          return [=](int64_t row, Vector mixed) {
            const int64_t at = offset + row * width;
            StoreFirst(output + at, LoadFirst(x + at, filled) + (mixed + bias), filled);
          };
        });
      }
    }
  });
}

// hidden [S, d], panels of the transposed embedding [d, V], tokens int32 [S], V as the attribute
// -> -log2 softmax(hidden · embedding^T)[token] [S]
template <typename Number>
void Surprisal(Call &call) {
  constexpr int64_t kRows = 4 * Number::kTileRows, kChunkPanels = Number::kParts > 1 ? 8 : 16;
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1), vocabulary = call.attribute(), panels = call.Size(1, 0);
  const int64_t chunks = (panels + kChunkPanels - 1) / kChunkPanels, blocks = (rows + kRows - 1) / kRows;
  const int32_t *const tokens = call.Data<int32_t>(2);
  float *const output = call.Output(0, {rows});
  // Blocks of rows are packed once for all chunks.
  std::vector<Lines<typename Number::Step>> packed(blocks);
  std::vector<LeftRows<Number>> left(blocks);
  const auto rows_of = [&](int64_t block) { return std::min(kRows, rows - block * kRows); };
  ForTasks<Number>(blocks, [&](int64_t block) {
    left[block] = LeftRows<Number>(call.Data(0) + block * kRows * width, rows_of(block), width, width, packed[block]);
  });
  // Of each chunk of the vocabulary, a row's greatest logit, and the sum of e^(logit - greatest).
  std::vector<float> greatest(chunks * rows), sums(chunks * rows), chosen(rows);
  ForTasks<Number>(blocks * chunks, [&](int64_t task) {
    // A chunk stays in the cache while the rows pass.
    const int64_t chunk = task / blocks, block = task % blocks, first = block * kRows, count = rows_of(block);
    const int64_t begin = chunk * kChunkPanels, end = std::min(panels, begin + kChunkPanels);
    const int64_t columns = (end - begin) * kPanel, filled = std::min(columns, vocabulary - begin * kPanel);
    float *const logits = Room(Scratch<Number>::OfThread().hidden, kRows * columns);
    const Panels<Number> right = PanelsOf<Number>(call, 1, width);
    for (int64_t panel = begin; panel < end; panel++) {
      StorePanel<Number>(right.Times(left[block], panel, 0, right.steps), count, {}, {logits + (panel - begin) * kPanel, columns});
    }
    for (int64_t row = 0; row < count; row++) {
      float *const of_row = logits + row * columns;
      const int64_t token = tokens[first + row] - begin * kPanel;
      if (token >= 0 && token < filled) chosen[first + row] = of_row[token];
      std::fill(of_row + filled, of_row + columns, -1e30f);
      Vector most = Load(of_row);
      for (int64_t j = kLanes; j < columns; j += kLanes) most = Max(most, Load(of_row + j));
      const float top = Greatest(most);
      Vector sum = {};
      for (int64_t j = 0; j < columns; j += kLanes) sum += ExpOfDifference(Load(of_row + j), Broadcast(top));
      greatest[chunk * rows + first + row] = top;
      sums[chunk * rows + first + row] = Sum(sum);
    }
  });
  for (int64_t row = 0; row < rows; row++) {
    float top = greatest[row];
    for (int64_t chunk = 1; chunk < chunks; chunk++) top = std::max(top, greatest[chunk * rows + row]);
    float sum = 0;
    for (int64_t chunk = 0; chunk < chunks; chunk++) sum += sums[chunk * rows + row] * std::exp(greatest[chunk * rows + row] - top);
    constexpr float kLn2 = 0.693147181f;
    // A broken model's token has no logit; it must not look like a good one.
    const bool known = tokens[row] >= 0 && tokens[row] < vocabulary;
    output[row] = known ? (top + std::log(sum) - chosen[row]) / kLn2 : std::numeric_limits<float>::quiet_NaN();
  }
}

void Copy(const float *from, int64_t count, float *to, bool streamed) {
  int64_t i = 0;
  if (kStreams && streamed && BeginsLine(to)) {
    for (; i + kNumbersOfLine <= count; i += kNumbersOfLine) {
      for (int64_t j = 0; j < kNumbersOfLine; j += kLanes) Stream(to + i + j, Load(from + i + j));
    }
    EndStream();
  }
  std::copy_n(from + i, count - i, to + i);
}

// Three memories [.., S, w], what is added to each [.., E, w] -> the last S slots of both, memory first, of each [.., S, w]
void AppendSlots(Call &call) {
  constexpr int kTensors = 3;
  struct Append {
    const float *memory, *added;
    float *output;
    int64_t outer, slots, width, extra;
  };
  std::array<Append, kTensors> appends;
  std::vector<std::pair<int, int64_t>> tasks;
  for (int i = 0; i < kTensors; i++) {
    const std::vector<int64_t> shape = call.Shape(i);
    const int rank = call.Rank(i);
    int64_t outer = 1;
    for (int axis = 0; axis < rank - 2; axis++) outer *= shape[axis];
    appends[i] = {call.Data(i), call.Data(kTensors + i), call.Output(i, shape), outer, shape[rank - 2], shape[rank - 1],
                  call.Size(kTensors + i, rank - 2)};
    for (int64_t part = 0; part < outer; part++) tasks.emplace_back(i, part);
  }
  ThreadPool::Shared().For(static_cast<int64_t>(tasks.size()), [&](int64_t task) {
    const auto [tensor, part] = tasks[task];
    const auto &[memory, added, output, outer, slots, width, extra] = appends[tensor];
    const int64_t kept = std::max<int64_t>(0, slots - extra);
    const bool streamed = outer * slots * width > kStreamed;
    float *const out = output + part * slots * width;
    Copy(memory + ((part + 1) * slots - kept) * width, kept * width, out, streamed);
    Copy(added + ((part + 1) * extra - (slots - kept)) * width, (slots - kept) * width, out + kept * width, streamed);
  });
}

// Tensors [.., rows of its own, ..], and places, each a tensor and one of its rows, int32 [R, 2] -> those rows [.., R, ..]; rows lie along the
// axis "size".
void GatherRows(Call &call) {
  const int tensors = call.inputs() - 1;
  const int64_t axis = call.attribute(), rows = call.Size(tensors, 0);
  const int32_t *const places = call.Data<int32_t>(tensors);
  std::vector<int64_t> shape = call.Shape(0);
  int64_t outer = 1, size = 1;
  for (int i = 0; i < call.Rank(0); i++) {
    if (i != axis) (i < axis ? outer : size) *= shape[i];
  }
  for (int64_t row = 0; row < rows; row++) {
    const int32_t tensor = places[2 * row], place = places[2 * row + 1];
    if (tensor < 0 || tensor >= tensors || place < 0 || place >= call.Size(tensor, static_cast<int>(axis))) {
      return call.Fail("Cannot gather rows as each place must be in a tensor");
    }
  }
  shape[axis] = rows;
  float *const output = call.Output(0, shape);
  const bool streamed = outer * rows * size > kStreamed;
  ThreadPool::Shared().For(outer * rows, [&](int64_t task) {
    const int64_t part = task / rows, row = task % rows;
    const int32_t tensor = places[2 * row], place = places[2 * row + 1];
    const int64_t from = part * call.Size(tensor, static_cast<int>(axis)) + place;
    Copy(call.Data(tensor) + from * size, size, output + task * size, streamed);
  });
}

// hidden [B, n, d], lengths int32 [B] -> the sum of each document's first vectors [B, d]
void SumTokens(Call &call) {
  const int64_t batch = call.Size(0, 0), n = call.Size(0, 1), width = call.Size(0, 2);
  const int32_t *const lengths = call.Data<int32_t>(1);
  float *const output = call.Output(0, {batch, width});
  ThreadPool::Shared().For(batch, [&](int64_t document) {
    float *const sum = output + document * width;
    std::fill(sum, sum + width, 0.0f);
    for (int64_t token = 0; token < std::min<int64_t>(n, lengths[document]); token++) {
      const float *const vector = call.Data(0) + (document * n + token) * width;
      for (int64_t i = 0; i < width; i++) sum[i] += vector[i];
    }
  });
}

enum AttentionInput {
  kQueries,                 // [H, B, n, k]
  kContentBias,             // [H, 1, k]
  kPositionBias,            // [H, 1, k]
  kPositionKeys,            // of PackPositions
  kCompressedPositionBias,  // [H, 1, k]
  kCompressedPositionKeys,  // of PackPositions
  kCompressedKeys,          // [H, B, n_cm, k]
  kCompressedValues,        // [H, B, n_cm, k]
  kMemoryKeys,              // [H, B, n_m, k]
  kMemoryValues,            // [H, B, n_m, k]
  kSegmentKeys,             // [H, B, n, k]
  kSegmentValues,           // [H, B, n, k]
  kCounts,                  // v_m and v_cm of each document, int32 [B, 2]
};

// -> [B * n, H * k], and if it has two outputs what memory and segment received, summed over queries, mean over heads [B, n_m + n]
template <typename Number>
void RelativeAttention(Call &call) {
  using Step = typename Number::Step;
  const int64_t heads = call.Size(kQueries, 0), batch = call.Size(kQueries, 1), n = call.Size(kQueries, 2), k = call.Size(kQueries, 3);
  const int64_t compressed = call.Size(kCompressedKeys, 2), memory = call.Size(kMemoryKeys, 2);
  const int64_t stride = PositionStride<Number>(k);
  const int64_t columns = PositionColumns(memory, n), compressed_columns = PositionColumns(compressed, n);
  if (call.Size(kPositionKeys, 1) * kLanes != columns ||
      (compressed > 0 && call.Size(kCompressedPositionKeys, 1) * kLanes != compressed_columns) ||
      call.Size(kCounts, 0) != batch) {
    return call.Fail("Cannot attend as position keys and counts must go with the memories");
  }
  float *const output = call.Output(0, {batch * n, heads * k});
  const int32_t *const counts = call.Data<int32_t>(kCounts);
  // Each task brings keys and values into order anew: queries are split no more than it takes to give every thread some.
  constexpr int64_t kBlock = kQueryBlock<Number>;
  const int64_t pairs = heads * batch, blocks = (n + kBlock - 1) / kBlock;
  // What is received is summed up in the order of queries.
  const bool receives = call.outputs() > 1;
  const int64_t parts = receives ? 1 : std::min(blocks, std::max<int64_t>(1, ThreadPool::Shared().threads() / pairs));
  const int64_t seen = memory + n, received_stride = RoundUp(seen, kPanel);
  Lines<float> received(receives ? pairs * received_stride : 0);
  ForTasks<Number>(pairs * parts, [&](int64_t task) {
    // The last queries see the most keys: they go first, so that no thread is left with them at the end.
    const int64_t part = parts - 1 - task / pairs, pair = task % pairs, h = pair / batch, b = pair % batch;
    const auto tier = [&](int keys, int64_t slots, int64_t filled) {
      const int64_t offset = pair * slots * k;
      return Tier{call.Data(keys) + offset, call.Data(keys + 1) + offset, slots, filled};
    };
    const AttentionHead<Number> head{
        call.Data(kQueries) + pair * n * k,
        call.Data(kContentBias) + h * k,
        call.Data(kPositionBias) + h * k,
        call.Data(kCompressedPositionBias) + h * k,
        call.Data<Step>(kPositionKeys) + h * columns / kLanes * stride,
        call.Data<Step>(kCompressedPositionKeys) + h * compressed_columns / kLanes * stride,
        tier(kCompressedKeys, compressed, counts[2 * b + 1]),
        tier(kMemoryKeys, memory, counts[2 * b]),
        tier(kSegmentKeys, n, n),
        n,
        k,
        output + b * n * heads * k + h * k,
        heads * k,
        nullptr,
        receives ? received.data() + pair * received_stride : nullptr,
    };
    thread_local HeadAttention<Number> attention;
    const int64_t begin = part * blocks / parts * kBlock, end = std::min(n, (part + 1) * blocks / parts * kBlock);
    attention.Open(head, end);
    for (int64_t first = begin; first < end; first += kBlock) attention.Attend(first, std::min(kBlock, end - first));
  });
  if (!receives) return;
  float *const means = call.Output(1, {batch, seen});
  std::fill_n(means, batch * seen, 0.0f);
  for (int64_t b = 0; b < batch; b++) {
    const int64_t unseen = memory - counts[2 * b];
    float *const mean = means + b * seen;
    for (int64_t h = 0; h < heads; h++) {
      const float *const sums = received.data() + (h * batch + b) * received_stride;
      for (int64_t slot = unseen; slot < seen; slot++) mean[slot] += sums[slot - unseen];
    }
    for (int64_t slot = unseen; slot < seen; slot++) mean[slot] /= static_cast<float>(heads);
  }
}

// Operations that multiply, by the type in which they do so.
template <typename Number>
void RegisterProducts(const std::string &suffix) {
  const std::string packed = Number::kPerStep == 1 ? "float" : "int32";
  const std::vector<std::string> one = {"float"};
  const auto name = [&](const char *operation) { return "Palimpsest" + std::string(operation) + suffix; };
  Register<PackMatrix<Number>>(name("PackMatrix"), {one, {packed}});
  Register<PackPositions<Number>>(name("PackPositions"), {one, {packed}});
  Register<Dense<Number>>(name("Dense"), {{"float", packed}, one});
  Register<AddDense<Number>>(name("AddDense"), {{"float", "float", packed}, one});
  Register<ProjectHeads<Number>>(name("ProjectKeysValues"), {{"float", packed}, {"float", "float"}});
  Register<ProjectHeads<Number>>(name("ProjectQueriesKeysValues"), {{"float", packed}, {"float", "float", "float"}});
  Register<FeedForward<Number>>(name("FeedForward"), {{"float", "float", "float", packed, "float", packed, "float"}, one});
  Register<Surprisal<Number>>(name("Surprisal"), {{"float", packed, "int32"}, one});
  std::vector<std::string> attention(kCounts, "float");
  attention[kPositionKeys] = attention[kCompressedPositionKeys] = packed;
  attention.push_back("int32");
  Register<RelativeAttention<Number>>(name("RelativeAttention"), {attention, one});
  Register<RelativeAttention<Number>>(name("RelativeAttentionReceived"), {attention, {"float", "float"}});
}

// The engine allocates and frees tensors of megabytes at every step. By default, glibc gives such memory back to the system and gets it
// anew, page by page, which takes a tenth of a step.
void KeepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that it takes
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

const bool registered = [] {
  KeepFreedMemory();
  Register<LayerNormalisation>("PalimpsestLayerNormalisation", {{"float", "float", "float"}, {"float"}});
  Register<SumTokens>("PalimpsestSumTokens", {{"float", "int32"}, {"float"}});
  Register<AppendSlots>("PalimpsestAppendSlots", {std::vector<std::string>(6, "float"), std::vector<std::string>(3, "float")});
  Register<GatherRows>("PalimpsestGatherRows", {{"N * float", "int32"}, {"float"}});
  WithFloat32([](auto number) { RegisterProducts<decltype(number)>(""); });
  WithBfloat16([](auto number) { RegisterProducts<decltype(number)>("Bfloat16"); });
  return true;
}();

}  // namespace
}  // namespace palimpsest
