// Operations of a training step that TensorFlow has no single kernel for, with their gradients; see fused-kernels.cc.

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <vector>

#include "attention-gradient.h"
#include "kernel-call.h"
#include "thread-pool.h"

namespace palimpsest {
namespace {

using training::Head;
using training::HeadGradient;
using training::Scratch;

constexpr float kEpsilon = 1e-5f;
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
  kMixed,                   // [B * n, H * k]; this and what follows for the gradient alone
  kLogSums,                 // [H, B, n]
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

Head HeadOf(const Call &call, const AttentionSizes &sizes, int64_t pair) {
  const int64_t h = pair / sizes.batch, b = pair % sizes.batch, k = sizes.k;
  const int32_t *counts = call.Data<int32_t>(kCounts);
  const auto tier = [&](int keys, int64_t slots, int64_t filled) {
    const int64_t offset = pair * slots * k;
    return training::Tier{call.Data(keys) + offset, call.Data(keys + 1) + offset, slots, filled};
  };
  return Head{
      call.Data(kQueries) + pair * sizes.n * k,
      call.Data(kContentBias) + h * k,
      {call.Data(kCompressedPositionKeys) + h * k * sizes.compressed_width, call.Data(kCompressedPositionBias) + h * k, sizes.compressed},
      {call.Data(kPositionKeys) + h * k * sizes.width, call.Data(kPositionBias) + h * k, sizes.memory},
      {tier(kCompressedKeys, sizes.compressed, counts[2 * b + 1]), tier(kMemoryKeys, sizes.memory, counts[2 * b]),
       tier(kSegmentKeys, sizes.n, sizes.n)},
      sizes.n,
      k,
  };
}

// -> mixed values [B * n, H * k], logarithms of the queries' sums [H, B, n]
void Attention(Call &call) {
  const AttentionSizes sizes(call);
  if (!sizes.Agree(call)) return call.Fail("Cannot attend as position keys and counts must go with the memories");
  const int64_t stride = sizes.heads * sizes.k;
  float *mixed = call.Output(0, {sizes.batch * sizes.n, stride});
  float *log_sums = call.Output(1, {sizes.heads, sizes.batch, sizes.n});
  ThreadPool::Shared().For(sizes.heads * sizes.batch, [&](int64_t pair) {
    const int64_t h = pair / sizes.batch, b = pair % sizes.batch;
    thread_local Scratch scratch;
    training::Attend(HeadOf(call, sizes, pair), mixed + b * sizes.n * stride + h * sizes.k, stride, log_sums + pair * sizes.n, scratch);
  });
}

// -> gradients of the first twelve inputs, in their order
void AttentionGradient(Call &call) {
  const AttentionSizes sizes(call);
  if (!sizes.Agree(call)) return call.Fail("Cannot attend as position keys and counts must go with the memories");
  const int64_t k = sizes.k, stride = sizes.heads * k, pairs = sizes.heads * sizes.batch;
  float *outputs[kCounts];
  for (int i = 0; i < kCounts; i++) outputs[i] = call.Output(i, call.Shape(i));
  // What all documents share is added up for each of them and then over them, in an order that does not depend on threads.
  const int shared[] = {kContentBias, kPositionBias, kPositionKeys, kCompressedPositionBias, kCompressedPositionKeys};
  const int64_t shared_sizes[] = {k, k, k * sizes.width, k, k * sizes.compressed_width};
  int64_t offsets[6] = {0};
  for (int i = 0; i < 5; i++) offsets[i + 1] = offsets[i] + shared_sizes[i];
  std::vector<float> sums(pairs * offsets[5]);
  ThreadPool::Shared().For(pairs, [&](int64_t pair) {
    const int64_t h = pair / sizes.batch, b = pair % sizes.batch;
    const auto slots = [&](int output, int64_t count) {
      float *start = outputs[output] + pair * count * k;
      std::fill_n(start, count * k, 0.0f);
      return start;
    };
    float *const sum = sums.data() + pair * offsets[5];
    const HeadGradient gradient{
        outputs[kQueries] + pair * sizes.n * k,
        {slots(kCompressedKeys, sizes.compressed), slots(kMemoryKeys, sizes.memory), slots(kSegmentKeys, sizes.n)},
        {slots(kCompressedValues, sizes.compressed), slots(kMemoryValues, sizes.memory), slots(kSegmentValues, sizes.n)},
        sum + offsets[0],
        sum + offsets[1],
        sum + offsets[3],
        sum + offsets[2],
        sum + offsets[4],
    };
    const int64_t offset = b * sizes.n * stride + h * k;
    thread_local Scratch scratch;
    training::AttendGradient(HeadOf(call, sizes, pair), call.Data(kMixed) + offset, call.Data(kMixedGradient) + offset, stride,
                             call.Data(kLogSums) + pair * sizes.n, gradient, scratch);
  });
  for (int i = 0; i < 5; i++) {
    for (int64_t h = 0; h < sizes.heads; h++) {
      training::RowMap total(outputs[shared[i]] + h * shared_sizes[i], shared_sizes[i]);
      total.setZero();
      for (int64_t b = 0; b < sizes.batch; b++) {
        total += training::RowMap(sums.data() + (h * sizes.batch + b) * offsets[5] + offsets[i], shared_sizes[i]);
      }
    }
  }
}

// x [S, d], gain [d], gradient of the output [S, d] -> gradients of x [S, d], gain [d], bias [d]
void LayerNormalisationGradient(Call &call) {
  using ConstRow = Eigen::Map<const training::Array>;
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1);
  const float *x = call.Data(0), *slope = call.Data(2);
  const ConstRow gain(call.Data(1), width);
  float *result = call.Output(0, {rows, width});
  training::RowMap gain_gradient(call.Output(1, {width}), width), bias_gradient(call.Output(2, {width}), width);
  const int64_t tasks = (rows + kRowsAtOnce - 1) / kRowsAtOnce;
  std::vector<float> sums(tasks * 2 * width);
  ThreadPool::Shared().For(tasks, [&](int64_t task) {
    training::RowMap gains(sums.data() + task * 2 * width, width), biases(sums.data() + (task * 2 + 1) * width, width);
    thread_local training::Array normalised, scaled;
    const int64_t end = std::min(rows, (task + 1) * kRowsAtOnce);
    for (int64_t row = task * kRowsAtOnce; row < end; row++) {
      const ConstRow in(x + row * width, width), given(slope + row * width, width);
      normalised = in - in.mean();
      const float inverse = 1.0f / std::sqrt(normalised.square().mean() + kEpsilon);
      normalised *= inverse;
      gains += given * normalised;
      biases += given;
      scaled = given * gain;
      training::RowMap(result + row * width, width) =
          inverse * (scaled - scaled.mean() - normalised * (scaled * normalised).mean());
    }
  });
  gain_gradient.setZero();
  bias_gradient.setZero();
  for (int64_t task = 0; task < tasks; task++) {
    gain_gradient += training::RowMap(sums.data() + task * 2 * width, width);
    bias_gradient += training::RowMap(sums.data() + (task * 2 + 1) * width, width);
  }
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
    const int64_t start = task * kElementsAtOnce, count = std::min(kElementsAtOnce, elements - start);
    using Const = Eigen::Map<const training::Array>;
    const auto gradient = Const(gradients + start, count) * factor;
    training::RowMap moved(first + start, count), squared(second + start, count);
    moved = kFirstDecay * Const(firsts + start, count) + (1.0f - kFirstDecay) * gradient;
    squared = kSecondDecay * Const(seconds + start, count) + (1.0f - kSecondDecay) * gradient.square();
    training::RowMap(weight + start, count) =
        Const(weights + start, count) - rate * moved / ((squared * spread).sqrt() + kAdamEpsilon);
  });
}

std::vector<std::string> Floats(int count) { return std::vector<std::string>(count, "float"); }

const bool registered = [] {
  std::vector<std::string> inputs = Floats(kCounts);
  inputs.push_back("int32");
  Register<Attention>("PalimpsestTrainingAttention", {inputs, Floats(2)});
  for (int i = 0; i < 3; i++) inputs.push_back("float");
  Register<AttentionGradient>("PalimpsestTrainingAttentionGradient", {inputs, Floats(kCounts)});
  Register<LayerNormalisationGradient>("PalimpsestLayerNormalisationGradient", {Floats(3), Floats(3)});
  Register<Adam>("PalimpsestAdam", {Floats(8), Floats(3)});
  return true;
}();

}  // namespace
}  // namespace palimpsest
