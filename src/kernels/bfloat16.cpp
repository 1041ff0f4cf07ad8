#include "ltad/kernels/bfloat16.h"

#include <ATen/native/CPUBlas.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>

#include "ltad/kernels/gemm.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

LTAD_MULTIVERSION(void, round_row, (const float* __restrict in, std::int64_t columns, std::uint32_t* __restrict out)) {
    for (std::int64_t i = 0; i < columns / 2; ++i)
        out[i] = bfloat16_bits(in[2 * i]) | bfloat16_bits(in[2 * i + 1]) << 16;
    if (columns % 2 != 0) out[columns / 2] = bfloat16_bits(in[columns - 1]);
}

/// `second` may be null for a row of zeros.
LTAD_MULTIVERSION(void, interleave,
                  (const float* __restrict first, const float* __restrict second, std::int64_t columns,
                   std::uint32_t* __restrict out)) {
    if (second == nullptr)
        for (std::int64_t i = 0; i < columns; ++i) out[i] = bfloat16_bits(first[i]);
    else
        for (std::int64_t i = 0; i < columns; ++i) out[i] = bfloat16_bits(first[i]) | bfloat16_bits(second[i]) << 16;
}

}  // namespace

void to_bfloat16(const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in, std::uint32_t* out) {
    for (std::int64_t r = 0; r < rows; ++r) round_row(in + r * ld_in, columns, out + r * ((columns + 1) / 2));
}

void to_bfloat16_pairs(const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in,
                       std::uint32_t* out) {
    for (std::int64_t r = 0; r < rows; r += 2)
        interleave(in + r * ld_in, r + 1 < rows ? in + (r + 1) * ld_in : nullptr, columns, out + r / 2 * columns);
}

void gemm_bfloat16(std::int64_t m, std::int64_t n, std::int64_t k, const std::uint32_t* a, const std::uint32_t* b,
                   float* c, std::int64_t ldc, bool accumulate) {
    if (m == 0 || n == 0) return;
    const std::int64_t even = (k + 1) / 2 * 2;
    at::native::cpublas::brgemm(m, n, even, even, n, ldc, accumulate, reinterpret_cast<const at::BFloat16*>(a),
                                reinterpret_cast<const at::BFloat16*>(b), c, true);
}

bool has_bfloat16() {
    static const bool works = [] {
        if (isa() != Isa::avx512) return false;
        const std::uint32_t one = bfloat16_bits(1);
        float c = 0;
        try {
            gemm_bfloat16(1, 1, 1, &one, &one, &c, 1);
        } catch (const c10::Error&) {
            return false;
        }
        return c == 1;
    }();
    return works;
}

}  // namespace ltad
