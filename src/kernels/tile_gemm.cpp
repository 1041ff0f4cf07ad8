#include "tile_gemm.h"

#include <algorithm>

#include "ltad/kernels/buffer.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t tile_rows = 6;         // with 16 columns 12 of AVX2's 16 registers
constexpr std::int64_t summed_at_once = 256;  // a strip of B of so many rows and 16 columns stays in the L1 cache

struct Strip {
    std::int64_t k = 0;
    const float* b = nullptr;  ///< [k, 16]
    std::int64_t columns = 0;  ///< of C, at most 16
    bool accumulate = false;
};

template <std::int64_t rows>
LTAD_INLINE void multiply_tile(const float* a, std::int64_t lda, const Strip& strip, float* c, std::int64_t ldc) {
    Lanes sum[rows] = {};
    if (strip.accumulate)
        for (std::int64_t r = 0; r < rows; ++r) sum[r] = load_lanes(c + r * ldc, strip.columns);
    for (std::int64_t p = 0; p < strip.k; ++p) {
        const Lanes right = load_lanes(strip.b + p * lane_count);
#pragma GCC unroll 6
        for (std::int64_t r = 0; r < rows; ++r) sum[r] += a[r * lda + p] * right;
    }
    for (std::int64_t r = 0; r < rows; ++r) store_lanes(sum[r], c + r * ldc, strip.columns);
}

LTAD_MULTIVERSION(void, multiply_strip,
                  (std::int64_t m, const float* a, std::int64_t lda, const Strip& strip, float* c, std::int64_t ldc)) {
    std::int64_t i = 0;
    for (; i + tile_rows <= m; i += tile_rows) multiply_tile<tile_rows>(a + i * lda, lda, strip, c + i * ldc, ldc);
    for (; i + 2 <= m; i += 2) multiply_tile<2>(a + i * lda, lda, strip, c + i * ldc, ldc);
    if (i < m) multiply_tile<1>(a + i * lda, lda, strip, c + i * ldc, ldc);
}

/// out [k, 16] = columns of B; those beyond are 0.
LTAD_MULTIVERSION(void, pack_strip,
                  (const float* b, std::int64_t ldb, std::int64_t k, std::int64_t columns, float* out)) {
    for (std::int64_t p = 0; p < k; ++p) store_lanes(load_lanes(b + p * ldb, columns), out + p * lane_count);
}

}  // namespace

void tile_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
               std::int64_t ldb, float* c, std::int64_t ldc, bool accumulate) {
    if (k == 0 && !accumulate)
        for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * ldc, n, 0.0f);
    const auto packed = make_buffer<float>(summed_at_once * lane_count);
    for (std::int64_t p = 0; p < k; p += summed_at_once) {
        const std::int64_t count = std::min(summed_at_once, k - p);
        for (std::int64_t j = 0; j < n; j += lane_count) {
            const std::int64_t columns = std::min(lane_count, n - j);
            pack_strip(b + p * ldb + j, ldb, count, columns, packed.get());
            multiply_strip(m, a + p, lda, {count, packed.get(), columns, accumulate || p > 0}, c + j, ldc);
        }
    }
}

}  // namespace ltad
