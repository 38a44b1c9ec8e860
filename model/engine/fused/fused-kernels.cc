// Operations that TensorFlow has no single kernel for, registered with it when this file's library is loaded. Each does in one
// pass over memory what otherwise takes several. Float32, on the processor, for inference: they have no gradients.

#include <Eigen/Core>
#include <cmath>
#include <string>

#include "relative-attention.h"
#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"
#include "thread-pool.h"

namespace palimpsest {
namespace {

constexpr float kEpsilon = 1e-5f;
// Rows that one task takes: enough work to be worth handing over.
constexpr int64_t kRowsAtOnce = 16;

using ConstRow = Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>>;

// The inputs and the one output of an operation; deletes what it was given.
class Call {
 public:
  Call(TF_OpKernelContext *context, int inputs) : context_(context), status_(TF_NewStatus()), inputs_(inputs, nullptr) {
    for (int i = 0; i < inputs; i++) TF_GetInput(context, i, &inputs_[i], status_);
  }
  ~Call() {
    for (TF_Tensor *input : inputs_) TF_DeleteTensor(input);
    if (output_ != nullptr) TF_DeleteTensor(output_);
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelContext_Failure(context_, status_);
    TF_DeleteStatus(status_);
  }

  template <typename T = float>
  const T *Data(int input) const {
    return static_cast<const T *>(TF_TensorData(inputs_[input]));
  }
  int Rank(int input) const { return TF_NumDims(inputs_[input]); }
  int64_t Size(int input, int axis) const { return TF_Dim(inputs_[input], axis); }

  float *Output(std::vector<int64_t> shape) {
    size_t bytes = sizeof(float);
    for (int64_t length : shape) bytes *= length;
    output_ = TF_AllocateOutput(context_, 0, TF_FLOAT, shape.data(), static_cast<int>(shape.size()), bytes, status_);
    return static_cast<float *>(TF_TensorData(output_));
  }

  void Fail(const char *message) { TF_SetStatus(status_, TF_INVALID_ARGUMENT, message); }

 private:
  TF_OpKernelContext *context_;
  TF_Status *status_;
  std::vector<TF_Tensor *> inputs_;
  TF_Tensor *output_ = nullptr;
};

void ForRows(int64_t rows, const std::function<void(int64_t row)> &work) {
  ThreadPool::Shared().For((rows + kRowsAtOnce - 1) / kRowsAtOnce, [&](int64_t task) {
    const int64_t end = std::min(rows, (task + 1) * kRowsAtOnce);
    for (int64_t row = task * kRowsAtOnce; row < end; row++) work(row);
  });
}

// x [S, d], gain [d], bias [d] -> [S, d]
void LayerNormalisation(void *, TF_OpKernelContext *context) {
  Call call(context, 3);
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1);
  const float *x = call.Data(0);
  const ConstRow gain(call.Data(1), width), bias(call.Data(2), width);
  float *output = call.Output({rows, width});
  ForRows(rows, [&](int64_t row) {
    const ConstRow in(x + row * width, width);
    Row out(output + row * width, width);
    out = in - in.mean();
    out = out * (1.0f / std::sqrt(out.square().mean() + kEpsilon)) * gain + bias;
  });
}

// x [S, f], bias [f] -> relu(x + bias) [S, f]
void BiasRelu(void *, TF_OpKernelContext *context) {
  Call call(context, 2);
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1);
  const float *x = call.Data(0);
  const ConstRow bias(call.Data(1), width);
  float *output = call.Output({rows, width});
  ForRows(rows, [&](int64_t row) {
    Row(output + row * width, width) = (ConstRow(x + row * width, width) + bias).max(0.0f);
  });
}

// x [S, d], y [S, d], bias [d] -> x + y + bias [S, d]
void AddWithBias(void *, TF_OpKernelContext *context) {
  Call call(context, 3);
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1);
  const float *x = call.Data(0), *y = call.Data(1);
  const ConstRow bias(call.Data(2), width);
  float *output = call.Output({rows, width});
  ForRows(rows, [&](int64_t row) {
    Row(output + row * width, width) = ConstRow(x + row * width, width) + (ConstRow(y + row * width, width) + bias);
  });
}

// memory [.., S, w], added [.., E, w] -> the last S slots of both, memory first [.., S, w]
void AppendSlots(void *, TF_OpKernelContext *context) {
  Call call(context, 2);
  const int rank = call.Rank(0);
  const int64_t slots = call.Size(0, rank - 2), added = call.Size(1, rank - 2), width = call.Size(0, rank - 1);
  std::vector<int64_t> shape;
  int64_t outer = 1;
  for (int axis = 0; axis < rank; axis++) {
    shape.push_back(call.Size(0, axis));
    if (axis < rank - 2) outer *= shape.back();
  }
  const int64_t kept = std::max<int64_t>(0, slots - added);
  const float *memory = call.Data(0), *fresh = call.Data(1);
  float *output = call.Output(shape);
  ThreadPool::Shared().For(outer, [&](int64_t task) {
    float *out = output + task * slots * width;
    std::copy_n(memory + ((task + 1) * slots - kept) * width, kept * width, out);
    std::copy_n(fresh + ((task + 1) * added - (slots - kept)) * width, (slots - kept) * width, out + kept * width);
  });
}

// x [S, V] -> log(sum(exp(x))) over the last axis [S]
void LogSumExp(void *, TF_OpKernelContext *context) {
  Call call(context, 1);
  const int64_t rows = call.Size(0, 0), width = call.Size(0, 1);
  const float *x = call.Data(0);
  float *output = call.Output({rows});
  ForRows(rows, [&](int64_t row) {
    const ConstRow in(x + row * width, width);
    const float greatest = in.maxCoeff();
    output[row] = greatest + std::log((in - greatest).exp().sum());
  });
}

enum AttentionInput {
  kQueries,                  // [H, B, n, k]
  kContentBias,              // [H, 1, k]
  kPositionBias,             // [H, 1, k]
  kPositionKeys,             // [H, k, n_m + n + 1]
  kCompressedPositionBias,   // [H, 1, k]
  kCompressedPositionKeys,   // [H, k, n_cm + n + 1]
  kCompressedKeys,           // [H, B, n_cm, k]
  kCompressedValues,         // [H, B, n_cm, k]
  kMemoryKeys,               // [H, B, n_m, k]
  kMemoryValues,             // [H, B, n_m, k]
  kSegmentKeys,              // [H, B, n, k]
  kSegmentValues,            // [H, B, n, k]
  kCounts,                   // v_m and v_cm of each document, int32 [B, 2]
  kAttentionInputs,
};

// -> [B * n, H * k]
void RelativeAttention(void *, TF_OpKernelContext *context) {
  Call call(context, kAttentionInputs);
  const int64_t heads = call.Size(kQueries, 0), batch = call.Size(kQueries, 1), n = call.Size(kQueries, 2), k = call.Size(kQueries, 3);
  const int64_t compressed = call.Size(kCompressedKeys, 2), memory = call.Size(kMemoryKeys, 2);
  if (call.Size(kPositionKeys, 2) != memory + n + 1 ||
      (compressed > 0 && call.Size(kCompressedPositionKeys, 2) != compressed + n + 1) ||
      call.Size(kCounts, 0) != batch) {
    return call.Fail("Cannot attend as position keys and counts must go with the memories");
  }
  float *output = call.Output({batch * n, heads * k});
  const int32_t *counts = call.Data<int32_t>(kCounts);
  const int64_t blocks = (n + kQueryBlock - 1) / kQueryBlock;
  ThreadPool::Shared().For(heads * batch * blocks, [&](int64_t task) {
    // The last blocks see the most keys: they go first, so that no thread is left with one at the end.
    const int64_t block = blocks - 1 - task / (heads * batch), pair = task % (heads * batch);
    const int64_t h = pair / batch, b = pair % batch;
    const auto tier = [&](int keys, int64_t slots, int64_t filled) {
      const int64_t offset = pair * slots * k;
      return Tier{call.Data(keys) + offset, call.Data(keys + 1) + offset, slots, filled};
    };
    const AttentionHead head{
        call.Data(kQueries) + pair * n * k,
        call.Data(kContentBias) + h * k,
        call.Data(kPositionBias) + h * k,
        call.Data(kCompressedPositionBias) + h * k,
        call.Data(kPositionKeys) + h * k * (memory + n + 1),
        call.Data(kCompressedPositionKeys) + h * k * (compressed + n + 1),
        tier(kCompressedKeys, compressed, counts[2 * b + 1]),
        tier(kMemoryKeys, memory, counts[2 * b]),
        tier(kSegmentKeys, n, n),
        n,
        k,
        output + b * n * heads * k + h * k,
        heads * k,
    };
    thread_local AttentionScratch scratch;
    const int64_t first = block * kQueryBlock;
    AttendBlock(head, first, std::min(kQueryBlock, n - first), scratch);
  });
}

void UnknownShape(TF_ShapeInferenceContext *context, TF_Status *status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
}

void Register(const char *name, int floats, int integers, void (*compute)(void *, TF_OpKernelContext *)) {
  TF_Status *const status = TF_NewStatus();
  TF_OpDefinitionBuilder *const definition = TF_NewOpDefinitionBuilder(name);
  for (int i = 0; i < floats + integers; i++) {
    const std::string input = "input_" + std::to_string(i) + (i < floats ? ": float" : ": int32");
    TF_OpDefinitionBuilderAddInput(definition, input.c_str());
  }
  TF_OpDefinitionBuilderAddOutput(definition, "output: float");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, UnknownShape);
  TF_RegisterOpDefinition(definition, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", nullptr, compute, nullptr), status);
  }
  TF_DeleteStatus(status);
}

const bool registered = [] {
  Register("PalimpsestLayerNormalisation", 3, 0, LayerNormalisation);
  Register("PalimpsestBiasRelu", 2, 0, BiasRelu);
  Register("PalimpsestAddWithBias", 3, 0, AddWithBias);
  Register("PalimpsestAppendSlots", 2, 0, AppendSlots);
  Register("PalimpsestLogSumExp", 1, 0, LogSumExp);
  Register("PalimpsestRelativeAttention", kAttentionInputs - 1, 1, RelativeAttention);
  return true;
}();

}  // namespace
}  // namespace palimpsest
