#include "ltad/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ltad/kernels/gemm.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr float eps = 1e-5f;
constexpr std::int64_t lanes = 16;

/// Sums of a row, 16 partial ones side by side, so that the order does not depend on the processor.
struct Sums {
    float part[lanes] = {};

    [[nodiscard]] LTAD_INLINE float total() const {
        float sum = 0;
        for (const float value : part) sum += value;
        return sum;
    }
};

LTAD_INLINE float mean_of(const float* row, std::int64_t dim) {
    Sums sums;
    std::int64_t i = 0;
    for (; i + lanes <= dim; i += lanes)
        for (std::int64_t l = 0; l < lanes; ++l) sums.part[l] += row[i + l];
    for (; i < dim; ++i) sums.part[0] += row[i];
    return sums.total() / static_cast<float>(dim);
}

LTAD_INLINE float variance_of(const float* row, std::int64_t dim, float mean) {
    Sums sums;
    std::int64_t i = 0;
    for (; i + lanes <= dim; i += lanes)
        for (std::int64_t l = 0; l < lanes; ++l) sums.part[l] += (row[i + l] - mean) * (row[i + l] - mean);
    for (; i < dim; ++i) sums.part[0] += (row[i] - mean) * (row[i] - mean);
    return sums.total() / static_cast<float>(dim);
}

/// `row` holds the sum; becomes y.
LTAD_MULTIVERSION(void, normalize_row,
                  (float* __restrict row, float* __restrict normalized, std::int64_t dim, const float* __restrict gamma,
                   const float* __restrict beta, float* inverse)) {
    const float mean = mean_of(row, dim);
    *inverse = 1.0f / std::sqrt(variance_of(row, dim, mean) + eps);
    for (std::int64_t i = 0; i < dim; ++i) {
        const float value = (row[i] - mean) * *inverse;
        if (normalized != nullptr) normalized[i] = value;
        row[i] = value * gamma[i] + beta[i];
    }
}

/// d_x = (g − mean(g) − x̂ mean(g x̂)) / σ with g = d_y γ; adds to d_gamma and d_beta.
LTAD_MULTIVERSION(void, differentiate_row,
                  (const float* __restrict d_y, const float* __restrict normalized, std::int64_t dim,
                   const float* __restrict gamma, float inverse, float* __restrict d_x, float* __restrict d_gamma,
                   float* __restrict d_beta)) {
    Sums plain, weighted;
    std::int64_t i = 0;
    for (; i + lanes <= dim; i += lanes) {
        for (std::int64_t l = 0; l < lanes; ++l) {
            const float g = d_y[i + l] * gamma[i + l];
            plain.part[l] += g;
            weighted.part[l] += g * normalized[i + l];
        }
    }
    for (; i < dim; ++i) {
        plain.part[0] += d_y[i] * gamma[i];
        weighted.part[0] += d_y[i] * gamma[i] * normalized[i];
    }
    const float mean = plain.total() / static_cast<float>(dim);
    const float slope = weighted.total() / static_cast<float>(dim);
    for (i = 0; i < dim; ++i) {
        d_x[i] = (d_y[i] * gamma[i] - mean - normalized[i] * slope) * inverse;
        d_gamma[i] += d_y[i] * normalized[i];
        d_beta[i] += d_y[i];
    }
}

LTAD_MULTIVERSION(void, add, (const float* __restrict x, std::int64_t n, float* __restrict y)) {
    for (std::int64_t i = 0; i < n; ++i) y[i] += x[i];
}

}  // namespace

void add_layer_norm_forward(const LayerNormShape& shape, const float* x, const float* change,
                            const DropoutMask& dropout, const float* gamma, const float* beta, float* y,
                            float* normalized, float* inverse_deviations) {
    const std::int64_t dim = shape.dim;
    for_row_blocks(shape.rows, [&](std::int64_t first, std::int64_t rows) {
        for (std::int64_t r = first; r < first + rows; ++r) {
            const float* const from = x + r % shape.x_rows * dim;
            float* const to = y + r * dim;
            if (change == nullptr) {
                std::copy_n(from, dim, to);
            } else {
                std::copy_n(change + r * dim, dim, to);
                dropout.apply(to, r * dim, dim);
                add(from, dim, to);
            }
            normalize_row(to, normalized == nullptr ? nullptr : normalized + r * dim, dim, gamma, beta,
                          inverse_deviations + r);
        }
    });
}

void add_layer_norm_backward(const LayerNormShape& shape, const float* normalized, const float* inverse_deviations,
                             const DropoutMask& dropout, const float* gamma, const float* d_y, float* d_x,
                             float* d_change, float* d_gamma, float* d_beta) {
    const std::int64_t dim = shape.dim;
    // Every block has at least 16 rows, so first / 16 is a place of its own for its sums.
    std::vector<float> parts(static_cast<std::size_t>((shape.rows / 16 + 1) * 2 * dim));
    for_row_blocks(shape.rows, [&](std::int64_t first, std::int64_t rows) {
        float* const part = parts.data() + first / 16 * 2 * dim;
        for (std::int64_t r = first; r < first + rows; ++r) {
            differentiate_row(d_y + r * dim, normalized + r * dim, dim, gamma, inverse_deviations[r], d_x + r * dim,
                              part, part + dim);
            if (d_change == nullptr) continue;
            std::copy_n(d_x + r * dim, dim, d_change + r * dim);
            dropout.apply(d_change + r * dim, r * dim, dim);
        }
    });
    std::fill_n(d_gamma, dim, 0.0f);
    std::fill_n(d_beta, dim, 0.0f);
    for (std::size_t part = 0; part < parts.size(); part += static_cast<std::size_t>(2 * dim)) {
        add(parts.data() + part, dim, d_gamma);
        add(parts.data() + part + dim, dim, d_beta);
    }
}

}  // namespace ltad
