#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace ltad {

/// EfficientNet's "same" convolution. x: [N, C, H, W]; weight: [O, C / groups, k, k], k odd; bias: [O] or undefined.
/// Stride 1 pads k / 2 all round; stride 2 pads k / 2, or with `asymmetric` one pixel less above and left.
[[nodiscard]] at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                                  std::int64_t stride, bool asymmetric, std::int64_t groups);

}  // namespace ltad
