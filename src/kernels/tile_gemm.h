#pragma once

#include <cstdint>

namespace ltad {

/// C [m, n] = A [m, k] B [k, n], or C += A B with `accumulate`, by tiles of 6 × 16 in registers; on the calling thread.
/// An element of C is the same to the last bit however many rows and columns stand beside it.
void tile_gemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
               std::int64_t ldb, float* c, std::int64_t ldc, bool accumulate);

}  // namespace ltad
