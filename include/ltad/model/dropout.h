#pragma once

#include <ATen/core/Tensor.h>

namespace ltad {

/// Inverted dropout: each value becomes 0 with probability p (to 1 / 65536), else is divided by what is left of 1.
/// The mask is counter-based and drawn by all threads, from a key that LibTorch's default generator gives: the same
/// seed gives the same mask whatever the number of threads. (at::dropout draws its mask on one thread, which took a
/// third of a step on two cores.) On other devices at::dropout is used. Not training, or p = 0: x itself.
[[nodiscard]] at::Tensor apply_dropout(const at::Tensor& x, double p, bool training);

}  // namespace ltad
