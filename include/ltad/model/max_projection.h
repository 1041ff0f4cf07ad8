#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "ltad/model/parameters.h"

namespace ltad {

/// Every tap's channels through its own projection: tokens [B, N, C_tot], the taps side by side → [L, B, N, d].
[[nodiscard]] at::Tensor project_taps(const at::Tensor& tokens, const std::vector<Linear>& projections);

/// max over l of (W_l x_l + b_l), times its picture's direction [B, d]: logits [B, N]. Differentiable in the
/// projections, not in the tokens. In float32 on the CPU by kernels/max_projection, elsewhere by LibTorch's operators.
[[nodiscard]] at::Tensor max_projection(const at::Tensor& tokens, const std::vector<Linear>& projections,
                                        const at::Tensor& direction);

}  // namespace ltad
