#include "tile_gemm.h"

#include <algorithm>
#include <cstring>

#include "ltad/kernels/buffer.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t tile_rows = 6;         // with 16 columns 12 of AVX2's 16 registers
constexpr std::int64_t summed_at_once = 256;  // a strip of B of so many rows and 16 columns stays in the L1 cache

/// Eight floats, a register of AVX2, which would keep the sixteen of `Lanes` in memory.
using Half = float __attribute__((vector_size(32)));

template <typename Vector>
LTAD_INLINE Vector load_vector(const float* from) {
    Vector vector;
    std::memcpy(&vector, from, sizeof vector);
    return vector;
}

/// c [rows, 16], ldc apart, = or += a [rows, k] b [k, 16].
template <typename Vector, std::int64_t rows>
LTAD_INLINE void multiply_tile(const float* a, std::int64_t lda, std::int64_t k, const float* b, bool accumulate,
                               float* c, std::int64_t ldc) {
    constexpr std::int64_t width = sizeof(Vector) / sizeof(float), parts = lane_count / width;
    Vector sum[parts][rows];
#pragma GCC unroll 6
    for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
        for (std::int64_t i = 0; i < parts; ++i)
            sum[i][r] = accumulate ? load_vector<Vector>(c + r * ldc + i * width) : Vector{};
    for (std::int64_t p = 0; p < k; ++p) {
        Vector right[parts];
#pragma GCC unroll 2
        for (std::int64_t i = 0; i < parts; ++i) right[i] = load_vector<Vector>(b + p * lane_count + i * width);
#pragma GCC unroll 6
        for (std::int64_t r = 0; r < rows; ++r) {
            const float factor = a[r * lda + p];
#pragma GCC unroll 2
            for (std::int64_t i = 0; i < parts; ++i) sum[i][r] += factor * right[i];
        }
    }
#pragma GCC unroll 6
    for (std::int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
        for (std::int64_t i = 0; i < parts; ++i) std::memcpy(c + r * ldc + i * width, &sum[i][r], sizeof(Vector));
}

struct Strip {
    std::int64_t k = 0;
    const float* b = nullptr;  ///< [k, 16]
    bool accumulate = false;
};

template <typename Vector>
LTAD_INLINE void multiply_rows_of(std::int64_t m, const float* a, std::int64_t lda, const Strip& s, float* c,
                                  std::int64_t ldc) {
    std::int64_t i = 0;
    for (; i + tile_rows <= m; i += tile_rows)
        multiply_tile<Vector, tile_rows>(a + i * lda, lda, s.k, s.b, s.accumulate, c + i * ldc, ldc);
    for (; i + 2 <= m; i += 2) multiply_tile<Vector, 2>(a + i * lda, lda, s.k, s.b, s.accumulate, c + i * ldc, ldc);
    if (i < m) multiply_tile<Vector, 1>(a + i * lda, lda, s.k, s.b, s.accumulate, c + i * ldc, ldc);
}

LTAD_MULTIVERSION(void, multiply_by_halves,
                  (std::int64_t m, const float* a, std::int64_t lda, const Strip& s, float* c, std::int64_t ldc)) {
    multiply_rows_of<Half>(m, a, lda, s, c, ldc);
}

LTAD_MULTIVERSION(void, multiply_by_lanes,
                  (std::int64_t m, const float* a, std::int64_t lda, const Strip& s, float* c, std::int64_t ldc)) {
    multiply_rows_of<Lanes>(m, a, lda, s, c, ldc);
}

/// Each where it is the faster one.
void multiply_strip(std::int64_t m, const float* a, std::int64_t lda, const Strip& s, float* c, std::int64_t ldc) {
    if (isa() == Isa::avx2)
        multiply_by_halves(m, a, lda, s, c, ldc);
    else
        multiply_by_lanes(m, a, lda, s, c, ldc);
}

/// to [rows, 16] = from [rows, columns], rows ld apart; what is beyond its columns becomes 0.
LTAD_MULTIVERSION(void, pack_strip,
                  (const float* from, std::int64_t ld, std::int64_t rows, std::int64_t columns, float* to)) {
    for (std::int64_t p = 0; p < rows; ++p) store_lanes(load_lanes(from + p * ld, columns), to + p * lane_count);
}

/// A strip of C of fewer than 16 columns, by way of a whole one: the sums must stay in registers.
void multiply_narrow_strip(std::int64_t m, const float* a, std::int64_t lda, const Strip& s, std::int64_t columns,
                           float* c, std::int64_t ldc) {
    const auto whole = make_buffer<float>(m * lane_count);
    if (s.accumulate) pack_strip(c, ldc, m, columns, whole.get());
    multiply_strip(m, a, lda, s, whole.get(), lane_count);
    for (std::int64_t i = 0; i < m; ++i) std::copy_n(whole.get() + i * lane_count, columns, c + i * ldc);
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
            const Strip strip{count, packed.get(), accumulate || p > 0};
            if (columns == lane_count)
                multiply_strip(m, a + p, lda, strip, c + j, ldc);
            else
                multiply_narrow_strip(m, a + p, lda, strip, columns, c + j, ldc);
        }
    }
}

}  // namespace ltad
