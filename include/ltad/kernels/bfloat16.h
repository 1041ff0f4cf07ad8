#pragma once

#include <bit>
#include <cstdint>

#include "ltad/kernels/simd.h"

namespace ltad {

/// The bfloat16 nearest to x, ties to even; NaN stays NaN.
LTAD_INLINE std::uint32_t bfloat16_bits(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    return x != x ? 0x7FC0u : rounded;
}

// Matrices of bfloat16 hold two values in each 32-bit word, the first in its lower half; an odd last one is followed by
// 0. On the calling thread.

/// out [rows, ⌈columns / 2⌉] = in [rows, columns]: neighbours of a row become a word.
void to_bfloat16(const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in, std::uint32_t* out);

/// out [⌈rows / 2⌉, columns] = in [rows, columns]: neighbours of a column become a word, as the right-hand side of
/// bfloat16 products wants them.
void to_bfloat16_pairs(const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in,
                       std::uint32_t* out);

/// C [m, n] = A [m, k] B [k, n] or C += A B; a as to_bfloat16, b as to_bfloat16_pairs gives it (b's rows are n words
/// long), c in float32. Throws c10::Error where the processor has no such instructions.
void gemm_bfloat16(std::int64_t m, std::int64_t n, std::int64_t k, const std::uint32_t* a, const std::uint32_t* b,
                   float* c, std::int64_t ldc, bool accumulate = false);

}  // namespace ltad
