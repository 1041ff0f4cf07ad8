#pragma once

#include <optional>
#include <string>

#include <ATen/core/Tensor.h>

#include "ltad/kernels/rectifier.h"

namespace ltad {

enum class Activation { relu, relu6, swish, gelu, gelu_tanh };

/// The activation that transformers calls by this name (swish, silu, relu, relu6, gelu, gelu_new, gelu_pytorch_tanh).
/// Throws Error naming it when it is none of these; `where` says which config asked.
[[nodiscard]] Activation parse_activation(const std::string& name, const std::string& where);

/// What the CPU kernels call this activation, or nothing where they have none.
[[nodiscard]] std::optional<Rectifier> rectifier_of(Activation activation);

[[nodiscard]] at::Tensor activate(Activation activation, const at::Tensor& x);
/// The same, overwriting x where that is possible; for tensors without gradient.
[[nodiscard]] at::Tensor activate_in_place(Activation activation, at::Tensor x);

}  // namespace ltad
