#pragma once

#include <cstdint>

#include "ltad/kernels/gemm.h"
#include "ltad/kernels/train_depthwise.h"
#include "ltad/kernels/train_norm.h"

namespace ltad {

// What follows a block's depthwise convolution, on the CPU in float32: norm, activation, squeeze-excite's gate and the
// product with the last convolution's weight, y = (f(norm(x)) ∘ gate) B, without writing what is in between.

/// Sums of gated_product_backward per block and channel, over its pixels; a = f(z), z = norm(x).
enum GateSum : std::int64_t {
    gate_value,    ///< Σ d a, with d the gradient of a ∘ gate
    gate_slope,    ///< Σ d a'(z)
    gate_slope_x,  ///< Σ d a'(z) (x − mean)
    mean_slope,    ///< Σ a'(z)
    mean_slope_x,  ///< Σ a'(z) (x − mean)
    gate_sum_kinds
};

/// means [batch, channels] of f(norm(x)) over each picture; x: [batch · pixels, channels].
void mean_of_maps(const NormedInput& input, std::int64_t batch, std::int64_t pixels, std::int64_t channels,
                  float* means);

/// Blocks of few enough rows that a block of `channels` values each stays in the cache.
[[nodiscard]] MapBlocks gate_blocks(std::int64_t batch, std::int64_t pixels, std::int64_t channels);

/// y [rows, B's columns] = (f(norm(x)) ∘ gate) B; gate: [batch, channels]. `statistics` of y, counted by `blocks`,
/// may be null.
void gated_product(const NormedInput& input, const float* gate, const Panels& b, const MapBlocks& blocks, float* y,
                   BatchStatistics* statistics);

/// From d_y [rows, n], y's gradient, and weight [n, channels]: d_gated = d_y weight; d_weight; and the sums.
void gated_product_backward(const NormedInput& input, const float* gate, const float* weight, std::int64_t n,
                            std::int64_t channels, const MapBlocks& blocks, const float* d_y, float* d_gated,
                            float* d_weight, BlockSums& sums);

/// Σ d a over each picture: the gate's gradient, [batch, channels].
void gate_gradient(const BlockSums& sums, const MapBlocks& blocks, std::int64_t batch, std::int64_t channels,
                   float* d_gate);

/// norm's gradient where a's is d gate + d_mean (both [batch, channels]); values: batch · pixels.
[[nodiscard]] ChannelNormGradient gated_norm_gradient(const ChannelNorm& norm, const BlockSums& sums,
                                                      const MapBlocks& blocks, std::int64_t batch, std::int64_t values,
                                                      std::int64_t channels, const float* gate, const float* d_mean,
                                                      float* d_gamma, float* d_beta);

}  // namespace ltad
