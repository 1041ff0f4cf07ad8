#pragma once

#include <cstdint>

#include "ltad/kernels/simd.h"

namespace ltad {

/// What follows a convolution.
enum class Rectifier { relu, relu6, swish };

LTAD_INLINE Lanes rectified(const Lanes& x, Rectifier f) {
    if (f == Rectifier::swish) return fast_swish(x);
    const Lanes positive = x < 0.0f ? 0.0f : x;  // NaN stays NaN
    if (f == Rectifier::relu) return positive;
    return positive > 6.0f ? 6.0f : positive;
}

/// x [m, n] = f(x + bias), rows ld apart; on the calling thread.
void add_bias_rectify(float* x, std::int64_t m, std::int64_t n, std::int64_t ld, const float* bias, Rectifier f);

}  // namespace ltad
