#pragma once

#include <cmath>

#include <ATen/ATen.h>

#include "ltad/kernels/train_depthwise.h"
#include "support/golden.h"

// Maps for the tests of training's kernels: [N, C, H, H] in double for plain operators, [N · H², C] in float for
// kernels.

namespace ltad::test {

inline const float* in(const at::Tensor& t) { return t.const_data_ptr<float>(); }
inline float* out(const at::Tensor& t) { return t.mutable_data_ptr<float>(); }

inline at::Tensor to_rows(const at::Tensor& maps) {
    return maps.detach().permute({0, 2, 3, 1}).reshape({-1, maps.size(1)}).to(at::kFloat).contiguous();
}

inline at::Tensor plain_curve(Rectifier f, const at::Tensor& z) {
    if (f == Rectifier::swish) return at::silu(z);
    return f == Rectifier::relu6 ? at::relu6(z) : at::relu(z);
}

/// Any scale and shift for each channel; mean and inverse only say from where gradients' sums are taken.
struct AnyNorm {
    at::Tensor mean, inverse, scale, shift;

    AnyNorm(std::int64_t channels, std::uint64_t seed)
        : mean(random_tensor({channels}, seed)),
          inverse(random_tensor({channels}, seed + 1).abs() + 0.5),
          scale(random_tensor({channels}, seed + 2) + 1),
          shift(random_tensor({channels}, seed + 3)) {}

    [[nodiscard]] ChannelNorm view() const { return {in(mean), in(inverse), in(scale), in(shift)}; }
    [[nodiscard]] at::Tensor apply(const at::Tensor& maps) const {
        return maps * scale.to(at::kDouble).view({1, -1, 1, 1}) + shift.to(at::kDouble).view({1, -1, 1, 1});
    }
};

}  // namespace ltad::test
