// Operations of a training step that TensorFlow has no single kernel for, with their gradients; see fused-kernels.cc.

#include <cmath>
#include <limits>
#include <vector>

#include "attention-gradient.h"
#include "attention-reconstruction.h"
#include "dense.h"
#include "fixed-point-tiles.h"
#include "kernel-call.h"
#include "lines.h"
#include "product.h"
#include "relative-attention.h"
#include "streamed.h"
#include "thread-pool.h"
#include "tiles.h"

namespace palimpsest {
namespace {

// Rows that one task takes: enough work to be worth handing over.
constexpr int64_t kRowsAtOnce = 64;
constexpr int64_t kElementsAtOnce = 16384;

enum AttentionInput {
  kQueries,                 // [H, B, n, k]
  kContentBias,             // [H, 1, k]
  kPositionBias,            // [H, 1, k]
  kPositionKeys,            // [H, k, n_m + n + 1]
  kCompressedPositionBias,  // [H, 1, k]
  kCompressedPositionKeys,  // [H, k, n_cm + n + 1]
  kCompressedKeys,          // [H, B, n_cm, k]
  kCompressedValues,        // [H, B, n_cm, k]
  kMemoryKeys,              // [H, B, n_m, k]
  kMemoryValues,            // [H, B, n_m, k]
  kSegmentKeys,             // [H, B, n, k]
  kSegmentValues,           // [H, B, n, k]
  kCounts,                  // v_m and v_cm of each document, int32 [B, 2]
  kLogSums,                 // [H, B, n]; this and what follows for the gradient alone
  kMixedGradient,           // [B * n, H * k]
};

struct AttentionSizes {
  explicit AttentionSizes(const Call &call)
      : heads(call.Size(kQueries, 0)),
        batch(call.Size(kQueries, 1)),
        n(call.Size(kQueries, 2)),
        k(call.Size(kQueries, 3)),
        compressed(call.Size(kCompressedKeys, 2)),
        memory(call.Size(kMemoryKeys, 2)),
        width(call.Size(kPositionKeys, 2)),
        compressed_width(call.Size(kCompressedPositionKeys, 2)) {}
  bool Agree(const Call &call) const {
    return width == memory + n + 1 && (compressed == 0 || compressed_width == compressed + n + 1) && call.Size(kCounts, 0) == batch;
  }
  int64_t heads, batch, n, k, compressed, memory, width, compressed_width;
};

constexpr const char *kDisagree = "Cannot attend as position keys and counts must go with the memories";

// Position keys of all heads [H, k, width] in the orders in which products read them.
template <typename Number>
class PackedTables {
  using Step = typename Number::Step;

 public:
  PackedTables(const float *keys, int64_t heads, int64_t k, int64_t width, bool down)
      : k_(k), columns_(PositionColumns(width - 1, 0)), down_steps_(StepsOf<Number>(columns_)), k_panels_((k + kPanel - 1) / kPanel),
        across_(heads * OfAcross()), down_(down ? heads * OfDown() + kBehindPositions<Number> : 0) {
    ThreadPool::Shared().For(heads, [&](int64_t h) {
      const float *const of_head = keys + h * k * width;
      PackPositionKeys<Number>(of_head, k, width, across_.data() + h * OfAcross());
      const Operand transposed{Matrix(of_head, width), true};
      for (int64_t panel = 0; down && panel < k_panels_; panel++) {
        PackRight<Number>(transposed, width, k, 0, down_steps_, panel, down_.data() + h * OfDown() + panel * OfPanel());
      }
    });
  }
  PositionTable<Number> OfHead(int64_t h) const {
    return {across_.data() + h * OfAcross(), {down_.data() + h * OfDown(), down_steps_}};
  }

 private:
  // What a head's tables take.
  int64_t OfAcross() const { return columns_ / kLanes * PositionStride<Number>(k_); }
  int64_t OfPanel() const { return Panels<Number>{nullptr, down_steps_}.length(); }
  int64_t OfDown() const { return k_panels_ * OfPanel(); }

  int64_t k_, columns_, down_steps_, k_panels_;
  Lines<Step> across_, down_;
};

template <typename Number>
AttentionHead<Number> HeadOf(const Call &call, const AttentionSizes &sizes, int64_t pair, const PositionTable<Number> &table,
                             const PositionTable<Number> &compressed_table) {
  const int64_t h = pair / sizes.batch, b = pair % sizes.batch, k = sizes.k;
  const int32_t *counts = call.Data<int32_t>(kCounts);
  const auto tier = [&](int keys, int64_t slots, int64_t filled) {
    const int64_t offset = pair * slots * k;
    return Tier{call.Data(keys) + offset, call.Data(keys + 1) + offset, slots, filled};
  };
  return AttentionHead<Number>{
      call.Data(kQueries) + pair * sizes.n * k,
      call.Data(kContentBias) + h * k,
      call.Data(kPositionBias) + h * k,
      call.Data(kCompressedPositionBias) + h * k,
      table.across,
      compressed_table.across,
      tier(kCompressedKeys, sizes.compressed, counts[2 * b + 1]),
      tier(kMemoryKeys, sizes.memory, counts[2 * b]),
      tier(kSegmentKeys, sizes.n, sizes.n),
      sizes.n,
      k,
      nullptr,
      0,
  };
}

// -> mixed values [B * n, H * k], logarithms of the queries' sums [H, B, n]
template <typename Number>
void Attention(Call &call) {
  const AttentionSizes sizes(call);
  if (!sizes.Agree(call)) return call.Fail(kDisagree);
  const int64_t stride = sizes.heads * sizes.k;
  float *mixed = call.Output(0, {sizes.batch * sizes.n, stride});
  float *log_sums = call.Output(1, {sizes.heads, sizes.batch, sizes.n});
  const PackedTables<Number> table(call.Data(kPositionKeys), sizes.heads, sizes.k, sizes.width, false);
  const PackedTables<Number> compressed(call.Data(kCompressedPositionKeys), sizes.heads, sizes.k, sizes.compressed_width, false);
  ForTasks<Number>(sizes.heads * sizes.batch, [&](int64_t pair) {
    const int64_t h = pair / sizes.batch, b = pair % sizes.batch;
    AttentionHead<Number> head = HeadOf<Number>(call, sizes, pair, table.OfHead(h), compressed.OfHead(h));
    head.output = mixed + b * sizes.n * stride + h * sizes.k;
    head.output_stride = stride;
    head.log_sums = log_sums + pair * sizes.n;
    thread_local HeadAttention<Number> attention;
    constexpr int64_t kBlock = kQueryBlock<Number>;
    attention.Open(head, sizes.n);
    for (int64_t first = 0; first < sizes.n; first += kBlock) attention.Attend(first, std::min(kBlock, sizes.n - first));
  });
}

// What all documents share has its gradients added up over as many documents at once, and then over those sums: in an order that does not
// depend on threads.
constexpr int64_t kDocumentsAtOnce = 4;

// -> gradients of the first twelve inputs, in their order
template <typename Number>
void AttentionGradient(Call &call) {
  const AttentionSizes sizes(call);
  if (!sizes.Agree(call)) return call.Fail(kDisagree);
  const int64_t heads = sizes.heads, k = sizes.k, stride = heads * k;
  float *outputs[kCounts];
  for (int i = 0; i < kCounts; i++) outputs[i] = call.Output(i, call.Shape(i));
  const PackedTables<Number> table(call.Data(kPositionKeys), heads, k, sizes.width, true);
  const PackedTables<Number> compressed(call.Data(kCompressedPositionKeys), heads, k, sizes.compressed_width, true);
  const int shared[] = {kContentBias, kPositionBias, kCompressedPositionBias, kPositionKeys, kCompressedPositionKeys};
  const int64_t columns[] = {1, 1, 1, PositionColumns(sizes.width - 1, 0), PositionColumns(sizes.compressed_width - 1, 0)};
  int64_t offsets[6] = {0};
  for (int i = 0; i < 5; i++) offsets[i + 1] = offsets[i] + k * columns[i];
  const int64_t groups = (sizes.batch + kDocumentsAtOnce - 1) / kDocumentsAtOnce;
  thread_local Lines<float> kept;
  kept.resize(heads * groups * offsets[5]);
  float *const sums = kept.data();
  ForTasks<Number>(heads * groups, [&](int64_t task) {
    const int64_t h = task / groups, first = task % groups * kDocumentsAtOnce;
    float *const sum = sums + task * offsets[5];
    std::fill_n(sum, offsets[5], 0.0f);
    const PositionTable<Number> tables[] = {table.OfHead(h), compressed.OfHead(h)};
    for (int64_t b = first; b < std::min(sizes.batch, first + kDocumentsAtOnce); b++) {
      const int64_t pair = h * sizes.batch + b, offset = b * sizes.n * stride + h * k;
      const AttentionHead<Number> head = HeadOf<Number>(call, sizes, pair, tables[0], tables[1]);
      const auto slots = [&](int output, const Tier &tier) {
        float *const start = outputs[output] + pair * tier.slots * k;
        std::fill_n(start, (tier.slots - tier.filled) * k, 0.0f);
        return Results(start, k, heads * sizes.batch * tier.slots * k);
      };
      thread_local HeadGradient<Number> gradient;
      gradient.Run(head, tables,
                   {call.Data(kMixedGradient) + offset, stride, call.Data(kLogSums) + pair * sizes.n},
                   {outputs[kQueries] + pair * sizes.n * k,
                    {slots(kCompressedKeys, head.compressed), slots(kMemoryKeys, head.memory), slots(kSegmentKeys, head.segment)},
                    {slots(kCompressedValues, head.compressed), slots(kMemoryValues, head.memory), slots(kSegmentValues, head.segment)},
                    sum + offsets[0],
                    {sum + offsets[1], sum + offsets[2]},
                    {sum + offsets[3], sum + offsets[4]}});
    }
  });
  ThreadPool::Shared().For(heads * 5, [&](int64_t task) {
    const int64_t h = task / 5, i = task % 5;
    const int64_t width = i < 3 ? 1 : call.Size(shared[i], 2);
    float *const total = outputs[shared[i]] + h * k * width;
    for (int64_t row = 0; row < k; row++) {
      float *const to = total + row * width;
      std::fill_n(to, width, 0.0f);
      for (int64_t group = 0; group < groups; group++) {
        const float *const from = sums + (h * groups + group) * offsets[5] + offsets[i] + row * columns[i];
        for (int64_t j = 0; j < width; j++) to[j] += from[j];
      }
    }
  });
}

// left · right
template <typename Number>
void StoreProduct(const Operand &x, const Operand &slope, int64_t inner, int64_t rows, int64_t columns, float *output) {
  const Results results(output, columns, rows * columns);
  Product<Number>(x, slope, rows, inner, columns, [&](int64_t column, int64_t) {
    return [=](int64_t row, Vector sums) { results.Write(row, column, sums); };
  });
}

// x [S, K], W [K, N], or [N, K] if the attribute is 1 -> x · W [S, N]
template <typename Number>
void TrainingDense(Call &call) {
  const bool transposed = call.attribute() == 1;
  const int64_t rows = call.Size(0, 0), inner = call.Size(0, 1), columns = call.Size(1, transposed ? 0 : 1);
  StoreProduct<Number>({Matrix(call.Data(0), inner)}, {Matrix(call.Data(1), call.Size(1, 1)), transposed}, inner, rows, columns,
                       call.Output(0, {rows, columns}));
}

// x [S, K], W [K, N], bias [N] -> x · W + bias [S, N]; max(0, x · W + bias) if the attribute is 1
template <typename Number>
void TrainingDenseBias(Call &call) {
  const bool rectified = call.attribute() == 1;
  const int64_t rows = call.Size(0, 0), inner = call.Size(0, 1), columns = call.Size(1, 1);
  const Results results(call.Output(0, {rows, columns}), columns, rows * columns);
  const Vector least = Broadcast(rectified ? 0.0f : -std::numeric_limits<float>::infinity());
  Product<Number>({Matrix(call.Data(0), inner)}, {Matrix(call.Data(1), columns)}, rows, inner, columns, [&](int64_t column, int64_t) {
    const Vector bias = LoadFirst(call.Data(2) + column, columns - column);
    return [=](int64_t row, Vector sums) { results.Write(row, column, Max(least, sums + bias)); };
  });
}

// x [S, K], W [K, N], y [S, N] -> y + x · W [S, N]
template <typename Number>
void TrainingAddDense(Call &call) {
  const int64_t rows = call.Size(0, 0), inner = call.Size(0, 1), columns = call.Size(1, 1);
  const Results results(call.Output(0, {rows, columns}), columns, rows * columns);
  const float *const before = call.Data(2);
  Product<Number>({Matrix(call.Data(0), inner)}, {Matrix(call.Data(1), columns)}, rows, inner, columns, [&](int64_t column, int64_t) {
    return [=](int64_t row, Vector sums) {
      results.Write(row, column, LoadFirst(before + row * columns + column, columns - column) + sums);
    };
  });
}

// x [S, K], W [K, N], bias [N], y [S, N] -> y + x · W + bias [S, N]
template <typename Number>
void TrainingAddDenseBias(Call &call) {
  const int64_t rows = call.Size(0, 0), inner = call.Size(0, 1), columns = call.Size(1, 1);
  const Results results(call.Output(0, {rows, columns}), columns, rows * columns);
  const float *const before = call.Data(3);
  Product<Number>({Matrix(call.Data(0), inner)}, {Matrix(call.Data(1), columns)}, rows, inner, columns, [&](int64_t column, int64_t) {
    const Vector bias = LoadFirst(call.Data(2) + column, columns - column);
    return [=](int64_t row, Vector sums) {
      results.Write(row, column, LoadFirst(before + row * columns + column, columns - column) + (sums + bias));
    };
  });
}

// table [w, d], W [d, d], H as the attribute -> (table · W)ᵀ by head, behind a column of zeros [H, k, w + 1]
void TrainingPositionKeys(Call &call) {
  const int64_t distances = call.Size(0, 0), width = call.Size(0, 1), heads = call.attribute(), stride = distances + 1;
  float *const output = call.Output(0, {heads, width / heads, stride});
  for (int64_t row = 0; row < width; row++) output[row * stride] = 0.0f;
  Product<Float32>({Matrix(call.Data(1), width), true}, {Matrix(call.Data(0), width), true}, width, width, distances, [&](int64_t column, int64_t) {
    return [=, to = output + 1 + column, filled = distances - column](int64_t row, Vector sums) { StoreFirst(to + row * stride, sums, filled); };
  });
}

// table [w, d], gradient of position keys [H, k, w + 1] -> tableᵀ · gradientᵀ [d, d]
void PositionKeysGradient(Call &call) {
  const int64_t distances = call.Size(0, 0), width = call.Size(0, 1), stride = distances + 1;
  float *const output = call.Output(0, {width, width});
  StoreProduct<Float32>({Matrix(call.Data(0), width), true}, {Matrix({call.Data(1) + 1}, stride, stride), true}, distances, width, width,
                            output);
}

// gradient [S, N], W [K, N], relu(..) [S, K] -> gradient · Wᵀ where relu(..) is above 0, else 0 [S, K]
template <typename Number>
void RectifiedGradient(Call &call) {
  const int64_t rows = call.Size(0, 0), inner = call.Size(0, 1), columns = call.Size(1, 0);
  const Results results(call.Output(0, {rows, columns}), columns, rows * columns);
  const float *const positive = call.Data(2);
  Product<Number>({Matrix(call.Data(0), inner)}, {Matrix(call.Data(1), inner), true}, rows, inner, columns, [&](int64_t column, int64_t) {
    return [=](int64_t row, Vector sums) {
      results.Write(row, column, LoadFirst(positive + row * columns + column, columns - column) > 0.0f ? sums : Vector{});
    };
  });
}

// x [S, K], gradient [S, N] -> xᵀ · gradient [K, N]
template <typename Number>
void WeightGradient(Call &call) {
  const int64_t inner = call.Size(0, 0), rows = call.Size(0, 1), columns = call.Size(1, 1);
  StoreProduct<Number>({Matrix(call.Data(0), rows), true}, {Matrix(call.Data(1), columns)}, inner, rows, columns,
                           call.Output(0, {rows, columns}));
}

// [S, N] -> sums over S [N]
void ColumnSums(Call &call) {
  const int64_t rows = call.Size(0, 0), columns = call.Size(0, 1);
  const float *const from = call.Data(0);
  float *const output = call.Output(0, {columns});
  const int64_t tasks = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  std::vector<float> sums(tasks * columns);
  ThreadPool::Shared().For(tasks, [&](int64_t task) {
    float *const sum = sums.data() + task * columns;
    for (int64_t row = task * kRowsAtOnce; row < std::min(rows, (task + 1) * kRowsAtOnce); row++) {
      for (int64_t j = 0; j < columns; j++) sum[j] += from[row * columns + j];
    }
  });
  std::fill_n(output, columns, 0.0f);
  for (int64_t task = 0; task < tasks; task++) {
    for (int64_t j = 0; j < columns; j++) output[j] += sums[task * columns + j];
  }
}

// Projections by head, p tensors [H, B, S, k] from input `first` on, as a matrix [B * S, p * H * k].
Matrix ByHead(const Call &call, int first, int parts) {
  const int64_t heads = call.Size(first, 0), rows = call.Size(first, 1) * call.Size(first, 2), k = call.Size(first, 3);
  std::vector<const float *> blocks;
  for (int part = 0; part < parts; part++) {
    for (int64_t h = 0; h < heads; h++) blocks.push_back(call.Data(first + part) + h * rows * k);
  }
  return Matrix(blocks, k, k);
}

// rows [B, S, d], matrices [d, d] side by side, H as the attribute -> the product with each matrix [H, B, S, k]
template <typename Number>
void TrainingProjectHeads(Call &call) {
  const int64_t batch = call.Size(0, 0), length = call.Size(0, 1), width = call.Size(0, 2), heads = call.attribute();
  const int64_t k = width / heads, rows = batch * length, columns = call.Size(1, 1);
  std::vector<float *> blocks;
  for (int part = 0; part < call.outputs(); part++) {
    float *const output = call.Output(part, {heads, batch, length, k});
    for (int64_t h = 0; h < heads; h++) blocks.push_back(output + h * rows * k);
  }
  const auto project = [&](const auto &open) {
    Product<Number>({Matrix(call.Data(0), width)}, {Matrix(call.Data(1), columns)}, rows, width, columns, open);
  };
  if (k % kPanel == 0) {
    return project([&](int64_t column, int64_t) {
      return [results = Results(blocks[column / k], k, rows * width), of_head = column % k](int64_t row, Vector sums) { results.Write(row, of_head, sums); };
    });
  }
  // A vector may reach over several heads.
  project([&](int64_t column, int64_t) {
    return [=, &blocks](int64_t row, Vector sums) {
      float numbers[kLanes];
      Store(numbers, sums);
      for (int64_t j = column; j < std::min(column + kLanes, columns); j++) blocks[j / k][row * k + j % k] = numbers[j - column];
    };
  });
}

// rows [B, S, d], gradients of their projections [H, B, S, k] each -> gradient of the matrices side by side [d, p * d]
template <typename Number, int parts>
void ProjectHeadsWeightGradient(Call &call) {
  const int64_t inner = call.Size(0, 0) * call.Size(0, 1), width = call.Size(0, 2), columns = parts * width;
  StoreProduct<Number>({Matrix(call.Data(0), width), true}, {ByHead(call, 1, parts)}, inner, width, columns,
                           call.Output(0, {width, columns}));
}

// matrices side by side [d, p * d], gradients of projections [H, B, S, k] each -> gradient of the rows [B, S, d]
template <typename Number, int parts>
void ProjectHeadsRowsGradient(Call &call) {
  const int64_t width = call.Size(0, 0), inner = call.Size(0, 1), batch = call.Size(1, 1), length = call.Size(1, 2);
  StoreProduct<Number>({ByHead(call, 1, parts)}, {Matrix(call.Data(0), inner), true}, inner, batch * length, width,
                           call.Output(0, {batch, length, width}));
}

// hidden [S, d], embedding [V, d], targets int32 [S], weights [S] -> Σ weight · nats [], nats of each target [S], gradients of the sum by
// hidden [S, d] and embedding [V, d]. The logits of some rows at a time are in memory, [V, rows], so that few panels pass all of the embedding, and
// their exponentials are multiplied as they are: what turns these into probabilities goes into the other factor or the result.
template <typename Number>
void NextTokenLoss(Call &call) {
  constexpr int64_t kRows = 512;
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1), vocabulary = call.Size(1, 0);
  const int64_t padded = RoundUp(std::min(kRows, rows), kPanel);
  // An odd number of lines of the cache, so that what lies below each other does not contend for the same few.
  const int64_t stride = padded + kLanes;
  const float *const hidden = call.Data(0), *const embedding = call.Data(1), *const weights = call.Data(3);
  const int32_t *const targets = call.Data<int32_t>(2);
  float *const loss = call.Output(0, {}), *const nats = call.Output(1, {rows});
  float *const hidden_gradient = call.Output(2, {rows, width}), *const embedding_gradient = call.Output(3, {vocabulary, width});
  const auto known = [=](int64_t target) { return target >= 0 && target < vocabulary; };
  thread_local Lines<float> kept, kept_scaled, kept_sums;
  kept.resize(vocabulary * stride);
  kept_scaled.resize(std::min(kRows, rows) * width);
  float *const logits = kept.data(), *const scaled = kept_scaled.data();
  const int64_t blocks = ProductBlocks<Number>(vocabulary).count, tasks = (vocabulary + kRowsAtOnce - 1) / kRowsAtOnce;
  kept_sums.resize((blocks + tasks) * padded);
  float *const greatest = kept_sums.data(), *const sums = greatest + blocks * padded;
  std::vector<float> chosen(kRows), scales(kRows);
  for (int64_t first = 0; first < rows; first += kRows) {
    const int64_t count = std::min(kRows, rows - first);
    const float *const block = hidden + first * width;
    std::fill_n(greatest, blocks * padded, -std::numeric_limits<float>::infinity());
    Product<Number>({Matrix(embedding, width)}, {Matrix(block, width), true}, vocabulary, width, count, [&](int64_t column, int64_t of_rows) {
      return [=, to = logits + column, most = greatest + of_rows * padded + column](int64_t row, Vector sum) {
        Store(most, Max(Load(most), sum));
        Store(to + row * stride, sum);
      };
    });
    for (int64_t i = 1; i < blocks; i++) {
      for (int64_t j = 0; j < padded; j++) greatest[j] = std::max(greatest[j], greatest[i * padded + j]);
    }
    for (int64_t j = 0; j < count; j++) {
      const int64_t target = targets[first + j];
      chosen[j] = known(target) ? logits[target * stride + j] - greatest[j] : std::numeric_limits<float>::quiet_NaN();
    }
    ThreadPool::Shared().For(tasks, [&](int64_t task) {
      float *const sum = sums + task * padded;
      std::fill_n(sum, padded, 0.0f);
      for (int64_t row = task * kRowsAtOnce; row < std::min(vocabulary, (task + 1) * kRowsAtOnce); row++) {
        for (int64_t j = 0; j < padded; j += kLanes) {
          float *const logit = logits + row * stride + j;
          const Vector exponential = ExpOfDifference(Load(logit), Load(greatest + j));
          Store(sum + j, Load(sum + j) + exponential);
          Store(logit, exponential);
        }
      }
    });
    for (int64_t task = 1; task < tasks; task++) {
      for (int64_t j = 0; j < padded; j++) sums[j] += sums[task * padded + j];
    }
    for (int64_t j = 0; j < count; j++) {
      nats[first + j] = std::log(sums[j]) - chosen[j];
      scales[j] = weights[first + j] / sums[j];
      for (int64_t i = 0; i < width; i++) scaled[j * width + i] = block[j * width + i] * scales[j];
    }
    const Matrix exponentials({logits}, stride, stride);
    Product<Number>({exponentials, true}, {Matrix(embedding, width)}, count, vocabulary, width, [&](int64_t column, int64_t) {
      return [=, &scales, filled = width - column](int64_t row, Vector sum) {
        const int64_t target = targets[first + row];
        const Vector of_target = known(target) ? LoadFirst(embedding + target * width + column, filled) : Vector{};
        StoreFirst(hidden_gradient + (first + row) * width + column, sum * scales[row] - of_target * weights[first + row], filled);
      };
    });
    Product<Number>({exponentials}, {Matrix(scaled, width)}, vocabulary, count, width, [&](int64_t column, int64_t) {
      return [=, to = embedding_gradient + column, filled = width - column](int64_t row, Vector sum) {
        const Vector before = first == 0 ? Vector{} : LoadFirst(to + row * width, filled);
        StoreFirst(to + row * width, before + sum, filled);
      };
    });
  }
  double sum = 0;
  for (int64_t row = 0; row < rows; row++) {
    sum += static_cast<double>(weights[row]) * nats[row];
    const int64_t target = targets[row];
    if (!known(target)) continue;
    float *const to = embedding_gradient + target * width;
    for (int64_t j = 0; j < width; j++) to[j] -= weights[row] * hidden[row * width + j];
  }
  *loss = static_cast<float>(sum);
}

// queries [H, B, n, k], keys and values of evicted rows [H, B, S, k], keys and values of compressed ones [H, B, E, k], evicted rows of each
// document [B], its weight [B], c as the attribute -> loss [], its gradients by compressed keys and values [H, B, E, k]
template <typename Number>
void Reconstruction(Call &call) {
  const int64_t heads = call.Size(0, 0), batch = call.Size(0, 1), n = call.Size(0, 2), k = call.Size(0, 3);
  const int64_t old = call.Size(1, 2), compressed = call.Size(3, 2), pairs = heads * batch;
  float *const loss = call.Output(0, {});
  float *const keys = call.Output(1, {heads, batch, compressed, k}), *const values = call.Output(2, {heads, batch, compressed, k});
  std::vector<float> losses(pairs);
  ForTasks<Number>(pairs, [&](int64_t pair) {
    const int64_t b = pair % batch, at = pair * compressed * k, evicted = static_cast<int64_t>(call.Data(5)[b]);
    std::fill_n(keys + at, compressed * k, 0.0f);
    std::fill_n(values + at, compressed * k, 0.0f);
    const float weight = call.Data(6)[b];
    if (evicted == 0 || weight == 0) return;
    thread_local AttentionReconstruction<Number> reconstruction;
    losses[pair] = reconstruction.Run({call.Data(0) + pair * n * k,
                                       {call.Data(1) + pair * old * k, call.Data(2) + pair * old * k, old, evicted},
                                       {call.Data(3) + at, call.Data(4) + at, compressed, evicted / call.attribute()},
                                       n,
                                       k,
                                       weight / static_cast<float>(heads * n * k),
                                       keys + at,
                                       values + at});
  });
  double sum = 0;
  for (const float of_pair : losses) sum += of_pair;
  *loss = static_cast<float>(sum);
}

// x [S, d], gain [d], gradient of the output [S, d] -> gradients of x [S, d], gain [d], bias [d]
void LayerNormalisationGradient(Call &call) {
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1);
  const float *const x = call.Data(0), *const gain = call.Data(1), *const slope = call.Data(2);
  float *const result = call.Output(0, {rows, width});
  float *const gain_gradient = call.Output(1, {width}), *const bias_gradient = call.Output(2, {width});
  const int64_t tasks = (rows + kRowsAtOnce - 1) / kRowsAtOnce, padded = RoundUp(width, kLanes);
  std::vector<float> sums(tasks * 2 * padded), gains(padded);
  std::copy_n(gain, width, gains.data());
  const float share = 1.0f / static_cast<float>(width);
  ThreadPool::Shared().For(tasks, [&](int64_t task) {
    float *const gain_sum = sums.data() + task * 2 * padded, *const bias_sum = gain_sum + padded;
    thread_local std::vector<float> kept;
    kept.assign(2 * padded, 0.0f);
    float *const in = kept.data(), *const given = in + padded;
    const int64_t end = std::min(rows, (task + 1) * kRowsAtOnce);
    for (int64_t row = task * kRowsAtOnce; row < end; row++) {
      std::copy_n(x + row * width, width, in);
      std::copy_n(slope + row * width, width, given);
      Vector sum = {};
      for (int64_t j = 0; j < padded; j += kLanes) sum += Load(in + j);
      const float mean = Sum(sum) * share;
      for (int64_t j = 0; j < width; j++) in[j] -= mean;
      Vector square = {};
      for (int64_t j = 0; j < padded; j += kLanes) square += Load(in + j) * Load(in + j);
      const float inverse = 1.0f / std::sqrt(Sum(square) * share + kEpsilon);
      Vector scaled_sum = {}, product_sum = {};
      for (int64_t j = 0; j < padded; j += kLanes) {
        const Vector normalised = Load(in + j) * inverse, of_output = Load(given + j), scaled = of_output * Load(gains.data() + j);
        Store(in + j, normalised);
        Store(gain_sum + j, Load(gain_sum + j) + of_output * normalised);
        Store(bias_sum + j, Load(bias_sum + j) + of_output);
        Store(given + j, scaled);
        scaled_sum += scaled;
        product_sum += scaled * normalised;
      }
      const float scaled_mean = Sum(scaled_sum) * share, product_mean = Sum(product_sum) * share;
      float *const to = result + row * width;
      for (int64_t j = 0; j < width; j++) to[j] = inverse * (given[j] - scaled_mean - in[j] * product_mean);
    }
  });
  std::fill_n(gain_gradient, width, 0.0f);
  std::fill_n(bias_gradient, width, 0.0f);
  for (int64_t task = 0; task < tasks; task++) {
    const float *const sum = sums.data() + task * 2 * padded;
    for (int64_t j = 0; j < width; j++) gain_gradient[j] += sum[j];
    for (int64_t j = 0; j < width; j++) bias_gradient[j] += sum[padded + j];
  }
}

// A number from the bits of `index`, which stands beside others as if drawn at random (finalizer of MurmurHash3).
inline uint32_t Mix(uint32_t bits) {
  bits = (bits ^ bits >> 16) * 0x85ebca6bu;
  bits = (bits ^ bits >> 13) * 0xc2b2ae35u;
  return bits ^ bits >> 16;
}

// x, seed int32 [2], rate [] -> x, of which elements are dropped with a probability of `rate` and the others scaled by 1 / (1 - rate)
void DropElements(Call &call) {
  const std::vector<int64_t> shape = call.Shape(0);
  int64_t elements = 1;
  for (int64_t length : shape) elements *= length;
  const float *const x = call.Data(0);
  const float rate = *call.Data(2), scale = 1.0f / (1.0f - rate);
  const int32_t *const seed = call.Data<int32_t>(1);
  const uint32_t first = Mix(static_cast<uint32_t>(seed[0]) + 0x9e3779b9u), second = Mix(first ^ static_cast<uint32_t>(seed[1]));
  const auto limit = static_cast<uint32_t>(static_cast<double>(rate) * (1u << 24));
  float *const output = call.Output(0, shape);
  ThreadPool::Shared().For((elements + kElementsAtOnce - 1) / kElementsAtOnce, [&](int64_t task) {
    for (int64_t i = task * kElementsAtOnce; i < std::min(elements, (task + 1) * kElementsAtOnce); i++) {
      const uint32_t drawn = Mix(Mix(static_cast<uint32_t>(i) ^ first) + second) >> 8;
      output[i] = drawn < limit ? 0.0f : x[i] * scale;
    }
  });
}

// weight, first and second moment, gradient: all of one shape; what the gradient is multiplied by [], learning rate [], 1 - beta1^t [],
// 1 - beta2^t [] -> weight, first and second moment after an update of Adam
void Adam(Call &call) {
  constexpr float kFirstDecay = 0.9f, kSecondDecay = 0.999f, kAdamEpsilon = 1e-8f;
  const std::vector<int64_t> shape = call.Shape(0);
  int64_t elements = 1;
  for (int64_t length : shape) elements *= length;
  const float factor = *call.Data(4), rate = *call.Data(5) / *call.Data(6), spread = 1.0f / *call.Data(7);
  float *weight = call.Output(0, shape), *first = call.Output(1, shape), *second = call.Output(2, shape);
  const float *weights = call.Data(0), *firsts = call.Data(1), *seconds = call.Data(2), *gradients = call.Data(3);
  ThreadPool::Shared().For((elements + kElementsAtOnce - 1) / kElementsAtOnce, [&](int64_t task) {
    for (int64_t i = task * kElementsAtOnce; i < std::min(elements, (task + 1) * kElementsAtOnce); i++) {
      const float gradient = gradients[i] * factor;
      first[i] = kFirstDecay * firsts[i] + (1.0f - kFirstDecay) * gradient;
      second[i] = kSecondDecay * seconds[i] + (1.0f - kSecondDecay) * (gradient * gradient);
      weight[i] = weights[i] - rate * first[i] / (std::sqrt(second[i] * spread) + kAdamEpsilon);
    }
  });
}

std::vector<std::string> Floats(int count) { return std::vector<std::string>(count, "float"); }

// Operations that multiply, by the type in which they do so.
template <typename Number>
void RegisterProducts(const std::string &suffix) {
  const auto name = [&](const char *operation) { return "PalimpsestTraining" + std::string(operation) + suffix; };
  std::vector<std::string> inputs = Floats(kCounts);
  inputs.push_back("int32");
  Register<Attention<Number>>(name("Attention"), {inputs, Floats(2)});
  for (int i = 0; i < 2; i++) inputs.push_back("float");
  Register<AttentionGradient<Number>>(name("AttentionGradient"), {inputs, Floats(kCounts)});
  Register<TrainingDense<Number>>(name("Dense"), {Floats(2), Floats(1)});
  Register<TrainingDenseBias<Number>>(name("DenseBias"), {Floats(3), Floats(1)});
  Register<TrainingAddDense<Number>>(name("AddDense"), {Floats(3), Floats(1)});
  Register<TrainingAddDenseBias<Number>>(name("AddDenseBias"), {Floats(4), Floats(1)});
  Register<RectifiedGradient<Number>>(name("RectifiedGradient"), {Floats(3), Floats(1)});
  Register<WeightGradient<Number>>(name("WeightGradient"), {Floats(2), Floats(1)});
  Register<NextTokenLoss<Number>>(name("NextTokenLoss"), {{"float", "float", "int32", "float"}, Floats(4)});
  Register<Reconstruction<Number>>(name("Reconstruction"), {Floats(7), Floats(3)});
  Register<TrainingProjectHeads<Number>>(name("ProjectHeads2"), {Floats(2), Floats(2)});
  Register<TrainingProjectHeads<Number>>(name("ProjectHeads3"), {Floats(2), Floats(3)});
  Register<ProjectHeadsWeightGradient<Number, 2>>(name("ProjectHeadsWeightGradient2"), {Floats(3), Floats(1)});
  Register<ProjectHeadsWeightGradient<Number, 3>>(name("ProjectHeadsWeightGradient3"), {Floats(4), Floats(1)});
  Register<ProjectHeadsRowsGradient<Number, 2>>(name("ProjectHeadsRowsGradient2"), {Floats(3), Floats(1)});
  Register<ProjectHeadsRowsGradient<Number, 3>>(name("ProjectHeadsRowsGradient3"), {Floats(4), Floats(1)});
}

const bool registered = [] {
  WithFloat32([](auto number) { RegisterProducts<decltype(number)>(""); });
  WithBfloat16([](auto number) { RegisterProducts<decltype(number)>("Bfloat16"); });
  Register<TrainingPositionKeys>("PalimpsestTrainingPositionKeys", {Floats(2), Floats(1)});
  Register<PositionKeysGradient>("PalimpsestTrainingPositionKeysGradient", {Floats(2), Floats(1)});
  Register<DropElements>("PalimpsestDropElements", {{"float", "int32", "float"}, Floats(1)});
  Register<ColumnSums>("PalimpsestColumnSums", {Floats(1), Floats(1)});
  Register<LayerNormalisationGradient>("PalimpsestLayerNormalisationGradient", {Floats(3), Floats(3)});
  Register<Adam>("PalimpsestAdam", {Floats(8), Floats(3)});
  return true;
}();

}  // namespace
}  // namespace palimpsest
