#include <algorithm>

#include "ltad/kernels/bfloat16.h"
#include "ltad/kernels/mbconv.h"

namespace ltad {

PointwiseWeight::PointwiseWeight(const float* weight, std::int64_t n, std::int64_t k, Precision precision)
    : n_(n), k_(k), precision_(precision) {
    const std::int64_t words = (k + 1) / 2;
    const auto panel = make_buffer<float>(k * width);
    if (precision == Precision::bfloat16)
        pairs_ = make_buffer<std::uint32_t>(words * n);
    else
        floats_ = make_buffer<float>(k * n);
    for (std::int64_t first = 0; first < n; first += width) {
        const std::int64_t count = std::min(width, n - first);
        const bool rounded = precision == Precision::bfloat16;
        transpose(weight + first * k, count, k, k, rounded ? panel.get() : floats_.get() + first * k, count);
        if (rounded) to_bfloat16_pairs(panel.get(), k, count, count, pairs_.get() + first * words);
    }
}

std::int64_t PointwiseWeight::columns(std::int64_t panel) const { return std::min(width, n_ - panel * width); }

void PointwiseWeight::multiply(std::int64_t panel, std::int64_t first_input, std::int64_t count, std::int64_t m,
                               const float* a, std::int64_t lda, float* c, std::int64_t ldc, bool accumulate) const {
    const std::int64_t n = columns(panel);
    gemm(m, n, count, a, lda, floats_.get() + panel * width * k_ + first_input * n, n, c, ldc, accumulate);
}

void PointwiseWeight::multiply(std::int64_t panel, std::int64_t first_input, std::int64_t count, std::int64_t m,
                               const std::uint32_t* a, float* c, std::int64_t ldc, bool accumulate) const {
    const std::int64_t n = columns(panel);
    const std::uint32_t* const b = pairs_.get() + panel * width * ((k_ + 1) / 2) + first_input / 2 * n;
    gemm_bfloat16(m, n, count, a, b, c, ldc, accumulate);
}

}  // namespace ltad
