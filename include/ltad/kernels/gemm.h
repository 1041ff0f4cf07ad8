#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "ltad/kernels/buffer.h"

namespace ltad {

// Dense matrix products on the CPU, row-major. `ld…` is the distance between two rows. A result never depends on the
// number of threads: blocks are cut by the shapes alone, and each sum runs in one order.

/// What products multiply. Inputs and outputs are float32 and sums are taken in float32 either way; bfloat16 rounds the
/// factors to 8 significant bits, which processors with AVX-512 BF16 multiply at twice the rate.
enum class Precision { float32, bfloat16 };

/// The precision of a config: "float32" or "bfloat16".
[[nodiscard]] inline Precision precision_of(std::string_view name) {
    return name == "bfloat16" ? Precision::bfloat16 : Precision::float32;
}

/// Whether products in bfloat16 run here.
[[nodiscard]] bool has_bfloat16();

/// C [m, n] = A [m, k] B [k, n], or C += A B with `accumulate`; on the calling thread. oneDNN's block kernel where the
/// processor has AVX-512 (twice as fast as MKL on AMD), else tiles of our own, whose rows, unlike a BLAS's, do not
/// depend on how many there are.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
          std::int64_t ldb, float* c, std::int64_t ldc, bool accumulate = false);

/// out [columns, rows] = in [rows, columns]ᵀ, on the calling thread.
void transpose(const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in, float* out,
               std::int64_t ld_out);

/// A right-hand matrix B [k, n] in panels of 64 columns, each contiguous: strides of whole pages, which the caches do
/// not like, disappear.
class Panels {
public:
    static constexpr std::int64_t width = 64;

    /// B = weight: [k, n]. In float32, where its own stride is harmless, it is used as it is and must outlive the
    /// panels.
    static Panels of(const float* weight, std::int64_t k, std::int64_t n, Precision precision = Precision::float32);
    /// B = weightᵀ; weight: [n, k], as linear layers and 1 × 1 convolutions keep it.
    static Panels transposed(const float* weight, std::int64_t n, std::int64_t k,
                             Precision precision = Precision::float32);

    [[nodiscard]] std::int64_t rows() const { return k_; }
    [[nodiscard]] std::int64_t columns() const { return n_; }
    /// c [m, n] = a [m, k] B, on the calling thread.
    void multiply(std::int64_t m, const float* a, std::int64_t lda, float* c, std::int64_t ldc) const;

private:
    Panels(std::int64_t k, std::int64_t n) : k_(k), n_(n) {}

    std::int64_t k_;
    std::int64_t n_;
    Buffer<std::uint32_t> pairs_;    // bfloat16: two rows of B interleaved, panel after panel; else null
    Buffer<float> data_;             // panel after panel, or null:
    const float* weight_ = nullptr;  // somebody else's [k, n]
};

/// Called with a block's first row and its number of rows, by the thread that has just computed it.
using RowBlock = std::function<void(std::int64_t first, std::int64_t rows)>;

/// Cuts `rows` into blocks of 16 to 128 and runs `work` on each, by all threads. Every block starts at a multiple of
/// the first one's size.
void for_row_blocks(std::int64_t rows, const RowBlock& work);

/// y [rows, n] = x [rows, k] B by all threads; `finish` may go on with each block of y while the cache holds it.
void multiply_rows(const float* x, std::int64_t ldx, std::int64_t rows, const Panels& b, float* y, std::int64_t ldy,
                   const RowBlock& finish = nullptr);

/// out [na, nb] = Σ_r a[r]ᵀ b[r] over rows: aᵀ b for a [rows, na], b [rows, nb], by all threads. The gradient of a
/// linear layer's weight.
void multiply_transposed(const float* a, std::int64_t na, std::int64_t lda, const float* b, std::int64_t nb,
                         std::int64_t ldb, std::int64_t rows, float* out, Precision precision = Precision::float32);

/// out [n] = sum of the rows of x [rows, n]; the gradient of a bias.
void sum_rows(const float* x, std::int64_t rows, std::int64_t n, std::int64_t ldx, float* out);

}  // namespace ltad
