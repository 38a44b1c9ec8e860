// What a kernel is given by TensorFlow, and how one is registered.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"
#include "tensorflow/c/tf_tensor.h"

namespace palimpsest {

// The inputs and outputs of one call of an operation; deletes what it was given.
class Call {
 public:
  // `attribute` is the operation's.
  Call(TF_OpKernelContext *context, int64_t attribute) : context_(context), attribute_(attribute), status_(TF_NewStatus()) {
    inputs_.resize(TF_NumInputs(context), nullptr);
    outputs_.resize(TF_NumOutputs(context), nullptr);
    for (size_t i = 0; i < inputs_.size(); i++) TF_GetInput(context, static_cast<int>(i), &inputs_[i], status_);
  }
  ~Call() {
    for (TF_Tensor *tensor : inputs_) TF_DeleteTensor(tensor);
    for (TF_Tensor *tensor : outputs_) {
      if (tensor != nullptr) TF_DeleteTensor(tensor);
    }
    if (TF_GetCode(status_) != TF_OK) TF_OpKernelContext_Failure(context_, status_);
    TF_DeleteStatus(status_);
  }

  template <typename T = float>
  const T *Data(int input) const {
    return static_cast<const T *>(TF_TensorData(inputs_[input]));
  }
  int Rank(int input) const { return TF_NumDims(inputs_[input]); }
  int64_t Size(int input, int axis) const { return TF_Dim(inputs_[input], axis); }
  std::vector<int64_t> Shape(int input) const {
    std::vector<int64_t> shape;
    for (int axis = 0; axis < Rank(input); axis++) shape.push_back(Size(input, axis));
    return shape;
  }
  int64_t attribute() const { return attribute_; }
  int inputs() const { return static_cast<int>(inputs_.size()); }
  int outputs() const { return static_cast<int>(outputs_.size()); }

  // T takes four bytes.
  template <typename T = float>
  T *Output(int output, const std::vector<int64_t> &shape) {
    const TF_DataType type = std::is_same<T, float>::value ? TF_FLOAT : TF_INT32;
    size_t bytes = sizeof(T);
    for (int64_t length : shape) bytes *= length;
    outputs_[output] =
        TF_AllocateOutput(context_, output, type, shape.data(), static_cast<int>(shape.size()), bytes, status_);
    return static_cast<T *>(TF_TensorData(outputs_[output]));
  }

  void Fail(const char *message) { TF_SetStatus(status_, TF_INVALID_ARGUMENT, message); }

 private:
  TF_OpKernelContext *context_;
  int64_t attribute_;
  TF_Status *status_;
  std::vector<TF_Tensor *> inputs_, outputs_;
};

// What an operation takes and gives: types of TensorFlow such as "float", one for each tensor, or "N * float" for any number of them.
struct Signature {
  std::vector<std::string> inputs, outputs;
};

// Registers an operation and its kernel. Each has an attribute "size", a whole number, which some have no use for.
template <void (*compute)(Call &call)>
void Register(const std::string &name, const Signature &signature) {
  TF_Status *const status = TF_NewStatus();
  TF_OpDefinitionBuilder *const definition = TF_NewOpDefinitionBuilder(name.c_str());
  for (size_t i = 0; i < signature.inputs.size(); i++) {
    TF_OpDefinitionBuilderAddInput(definition, ("input_" + std::to_string(i) + ": " + signature.inputs[i]).c_str());
  }
  for (size_t i = 0; i < signature.outputs.size(); i++) {
    TF_OpDefinitionBuilderAddOutput(definition, ("output_" + std::to_string(i) + ": " + signature.outputs[i]).c_str());
  }
  TF_OpDefinitionBuilderAddAttr(definition, "size: int = 0");
  if (signature.inputs[0].rfind("N * ", 0) == 0) TF_OpDefinitionBuilderAddAttr(definition, "N: int >= 1");
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, [](TF_ShapeInferenceContext *context, TF_Status *unknown) {
    TF_ShapeInferenceContextSetUnknownShape(context, unknown);
  });
  TF_RegisterOpDefinition(definition, status);
  const auto create = [](TF_OpKernelConstruction *construction) -> void * {
    TF_Status *const found = TF_NewStatus();
    auto *const size = new int64_t(0);
    TF_OpKernelConstruction_GetAttrInt64(construction, "size", size, found);
    TF_DeleteStatus(found);
    return size;
  };
  const auto run = [](void *size, TF_OpKernelContext *context) {
    Call call(context, *static_cast<int64_t *>(size));
    compute(call);
  };
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(
        name.c_str(),
        TF_NewKernelBuilder(name.c_str(), "CPU", create, run, [](void *size) { delete static_cast<int64_t *>(size); }), status);
  }
  TF_DeleteStatus(status);
}

}  // namespace palimpsest
