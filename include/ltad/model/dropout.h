#pragma once

#include <ATen/core/Tensor.h>

#include "ltad/kernels/dropout.h"

namespace ltad {

/// A mask whose key LibTorch's default CPU generator gives; one that keeps everything, and no draw, when not training
/// or p = 0.
[[nodiscard]] DropoutMask draw_dropout(double p, bool training);

/// Inverted dropout: each value becomes 0 with probability p (to 1 / 65536), else is divided by what is left of 1. The
/// same seed gives the same mask whatever the number of threads. On other devices at::dropout is used. Not training, or
/// p = 0: x itself.
[[nodiscard]] at::Tensor apply_dropout(const at::Tensor& x, double p, bool training);

}  // namespace ltad
