#include "ltad/kernels/pointwise.h"

#include <algorithm>

#include "ltad/kernels/bfloat16.h"
#include "ltad/kernels/simd.h"

namespace ltad {

FrozenPointwise::FrozenPointwise(const float* weight, const float* bias, std::int64_t n, std::int64_t k,
                                 Precision precision)
    : n_(n), k_(k), precision_(precision) {
    const std::int64_t padded = (n + lane_count - 1) / lane_count * lane_count;
    bias_ = make_buffer<float>(padded);
    std::fill(std::copy_n(bias, n, bias_.get()), bias_.get() + padded, 0.0f);
    const std::int64_t words = (k + 1) / 2;
    const bool rounds = precision == Precision::bfloat16;
    const auto unrounded = make_buffer<float>(rounds ? k * width : 0);
    if (rounds)
        pairs_ = make_buffer<std::uint32_t>(words * n);
    else
        floats_ = make_buffer<float>(k * n);
    for (std::int64_t first = 0; first < n; first += width) {
        const std::int64_t count = std::min(width, n - first);
        float* const panel = rounds ? unrounded.get() : floats_.get() + first * k;
        transpose(weight + first * k, count, k, k, panel, count);
        if (rounds) to_bfloat16_pairs(panel, k, count, count, pairs_.get() + first * words);
    }
}

std::int64_t FrozenPointwise::columns(std::int64_t panel) const { return std::min(width, n_ - panel * width); }

void FrozenPointwise::multiply(const Part& part, std::int64_t m, const float* a, std::int64_t lda, float* c,
                               std::int64_t ldc, bool accumulate) const {
    const std::int64_t n = columns(part.panel);
    const float* const b = floats_.get() + part.panel * width * k_ + part.first * n;
    gemm(m, n, part.count, a, lda, b, n, c, ldc, accumulate);
}

void FrozenPointwise::multiply(const Part& part, std::int64_t m, const std::uint32_t* a, float* c, std::int64_t ldc,
                               bool accumulate) const {
    const std::int64_t n = columns(part.panel);
    const std::uint32_t* const b = pairs_.get() + part.panel * width * ((k_ + 1) / 2) + part.first / 2 * n;
    gemm_bfloat16(m, n, part.count, a, b, c, ldc, accumulate);
}

}  // namespace ltad
