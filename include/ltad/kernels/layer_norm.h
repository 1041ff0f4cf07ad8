#pragma once

#include <cstdint>

#include "ltad/kernels/dropout.h"

namespace ltad {

// y = LayerNorm(x + dropout(change)) γ + β on the CPU in float32, rows of `dim` values, eps 1e-5; a transformer's
// residual connection in one pass over the memory. By all threads; sums over rows are cut by the shapes alone.

struct LayerNormShape {
    std::int64_t rows = 0;
    std::int64_t dim = 0;
    /// Of x; fewer than `rows` when x is shared: change's row r meets x's row r modulo x_rows.
    std::int64_t x_rows = 0;
};

/// change: [rows, dim], or null for none. normalized [rows, dim] and inverse deviations [rows] are for backward;
/// normalized may be null when there is none to follow.
void add_layer_norm_forward(const LayerNormShape& shape, const float* x, const float* change,
                            const DropoutMask& dropout, const float* gamma, const float* beta, float* y,
                            float* normalized, float* inverse_deviations);

/// d_x: [rows, dim], the gradient of the sum, one row for each of y's. d_change: its part through dropout, or null.
/// d_gamma, d_beta: [dim].
void add_layer_norm_backward(const LayerNormShape& shape, const float* normalized, const float* inverse_deviations,
                             const DropoutMask& dropout, const float* gamma, const float* d_y, float* d_x,
                             float* d_change, float* d_gamma, float* d_beta);

}  // namespace ltad
