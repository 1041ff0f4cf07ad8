#pragma once

#include <cstdint>
#include <vector>

#include "ltad/kernels/gemm.h"

namespace ltad {

// The semantic head's logits (eqs. 3 and 4) on the CPU in float32: token · W_lᵀ + b_l for each tap l, the maximum over
// l, and its product with one vector for each picture, block by block in the cache. By all threads.

/// One tap's projection.
struct TapProjection {
    Panels weight;                ///< W_lᵀ: [C_l, d]
    const float* bias = nullptr;  ///< [d]
};

/// tokens: [pictures · per_picture, channels], the taps side by side; direction: [pictures, d].
struct ProjectedTokens {
    const float* tokens = nullptr;
    std::int64_t pictures = 0;
    std::int64_t per_picture = 0;
    std::int64_t channels = 0;
    const float* direction = nullptr;
    std::int64_t dim = 0;
};

/// logits: [pictures · per_picture]. winner: [pictures · per_picture, d], the tap that gave each maximum, for backward.
void max_projection_forward(const ProjectedTokens& in, const std::vector<TapProjection>& taps, float* logits,
                            std::uint8_t* winner);

/// Gradients of one tap's weight [d, C_l] and bias [d]; its channels are first … first + width of a token's.
void max_projection_backward(const ProjectedTokens& in, const std::uint8_t* winner, const float* d_logits,
                             std::int64_t tap, std::int64_t first, std::int64_t width, float* d_weight, float* d_bias);

}  // namespace ltad
