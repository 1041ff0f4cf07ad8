#include "ltad/kernels/max_projection.h"

#include <algorithm>

#include "ltad/kernels/buffer.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t lanes = 16;

/// y = x + bias, won by tap 0.
LTAD_MULTIVERSION(void, start,
                  (float* __restrict best, std::uint8_t* __restrict winner, std::int64_t rows, std::int64_t dim,
                   const float* __restrict bias)) {
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < dim; ++i) {
            best[r * dim + i] += bias[i];
            winner[r * dim + i] = 0;
        }
    }
}

/// best = max(best, x + bias); NaN wins and stays.
LTAD_MULTIVERSION(void, compete,
                  (const float* __restrict x, float* __restrict best, std::uint8_t* __restrict winner,
                   std::int64_t rows, std::int64_t dim, const float* __restrict bias, std::uint8_t tap)) {
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < dim; ++i) {
            const std::int64_t at = r * dim + i;
            const float value = x[at] + bias[i];
            const bool wins = (value > best[at]) | (value != value);
            best[at] = wins ? value : best[at];
            winner[at] = wins ? tap : winner[at];
        }
    }
}

/// a · b with 16 partial sums, so that the order does not depend on the processor.
LTAD_MULTIVERSION(float, dot, (const float* __restrict a, const float* __restrict b, std::int64_t n)) {
    float part[lanes] = {};
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
        for (std::int64_t l = 0; l < lanes; ++l) part[l] += a[i + l] * b[i + l];
    for (; i < n; ++i) part[0] += a[i] * b[i];
    float sum = 0;
    for (const float value : part) sum += value;
    return sum;
}

/// out = slope · direction where the tap has won, else 0.
LTAD_MULTIVERSION(void, won_share,
                  (const std::uint8_t* __restrict winner, const float* __restrict direction, std::int64_t n,
                   float slope, std::uint8_t tap, float* __restrict out)) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = winner[i] == tap ? slope * direction[i] : 0.0f;
}

}  // namespace

void max_projection_forward(const ProjectedTokens& in, const std::vector<TapProjection>& taps, float* logits,
                            std::uint8_t* winner) {
    const std::int64_t dim = in.dim;
    for_row_blocks(in.pictures * in.per_picture, [&](std::int64_t first, std::int64_t rows) {
        const auto best = make_buffer<float>(rows * dim);
        const auto next = make_buffer<float>(rows * dim);
        std::uint8_t* const block = winner + first * dim;
        const float* tokens = in.tokens + first * in.channels;
        for (std::size_t l = 0; l < taps.size(); ++l) {
            taps[l].weight.multiply(rows, tokens, in.channels, l == 0 ? best.get() : next.get(), dim);
            if (l == 0)
                start(best.get(), block, rows, dim, taps[l].bias);
            else
                compete(next.get(), best.get(), block, rows, dim, taps[l].bias, static_cast<std::uint8_t>(l));
            tokens += taps[l].weight.rows();
        }
        for (std::int64_t r = 0; r < rows; ++r)
            logits[first + r] = dot(best.get() + r * dim, in.direction + (first + r) / in.per_picture * dim, dim);
    });
}

void max_projection_backward(const ProjectedTokens& in, const std::uint8_t* winner, const float* d_logits,
                             std::int64_t tap, std::int64_t first, std::int64_t width, float* d_weight, float* d_bias) {
    const std::int64_t rows = in.pictures * in.per_picture;
    const std::int64_t dim = in.dim;
    const auto share = make_buffer<float>(rows * dim);
    for_row_blocks(rows, [&](std::int64_t begin, std::int64_t count) {
        for (std::int64_t r = begin; r < begin + count; ++r)
            won_share(winner + r * dim, in.direction + r / in.per_picture * dim, dim, d_logits[r],
                      static_cast<std::uint8_t>(tap), share.get() + r * dim);
    });
    multiply_transposed(share.get(), dim, dim, in.tokens + first, width, in.channels, rows, d_weight);
    sum_rows(share.get(), rows, dim, dim, d_bias);
}

}  // namespace ltad
