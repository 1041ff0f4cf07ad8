#include "ltad/kernels/gemm.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/native/CPUBlas.h>
#include <c10/util/Exception.h>

#include "ltad/kernels/bfloat16.h"
#include "ltad/kernels/multiversion.h"
#include "tile_gemm.h"

namespace ltad {
namespace {

/// Whether LibTorch's brgemm works here; it throws where the processor or the build lacks it.
bool has_block_kernel() {
    static const bool works = [] {
        if (isa() != Isa::avx512) return false;
        const float a = 1, b = 1;
        float c = 0;
        try {
            at::native::cpublas::brgemm(1, 1, 1, 1, 1, 1, false, &a, &b, &c);
        } catch (const c10::Error&) {
            return false;
        }
        return true;
    }();
    return works;
}

std::int64_t blocks_of(std::int64_t size, std::int64_t block) { return (size + block - 1) / block; }

constexpr std::int64_t rows_per_block = 128;
constexpr std::int64_t least_rows_per_block = 16;
constexpr std::int64_t summed_per_block =
    112;                             // rows of a weight gradient's sum taken at once: they stay in the L2 cache
constexpr std::int64_t page = 1024;  // floats
constexpr std::int64_t grain = 1;

template <typename T>
LTAD_INLINE void transpose_tiles(const T* __restrict in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in,
                                 T* __restrict out, std::int64_t ld_out) {
    constexpr std::int64_t tile = 16;
    for (std::int64_t i = 0; i < rows; i += tile) {
        for (std::int64_t j = 0; j < columns; j += tile) {
            const T* const from = in + i * ld_in + j;
            T* const to = out + j * ld_out + i;
            if (i + tile <= rows && j + tile <= columns) {
                for (std::int64_t c = 0; c < tile; ++c)
                    for (std::int64_t r = 0; r < tile; ++r) to[c * ld_out + r] = from[r * ld_in + c];
            } else {
                for (std::int64_t c = 0; c < std::min(tile, columns - j); ++c)
                    for (std::int64_t r = 0; r < std::min(tile, rows - i); ++r)
                        to[c * ld_out + r] = from[r * ld_in + c];
            }
        }
    }
}

LTAD_MULTIVERSION(void, transpose_rows,
                  (const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in, float* out,
                   std::int64_t ld_out)) {
    transpose_tiles(in, rows, columns, ld_in, out, ld_out);
}

LTAD_MULTIVERSION(void, transpose_words,
                  (const std::uint32_t* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in,
                   std::uint32_t* out, std::int64_t ld_out)) {
    transpose_tiles(in, rows, columns, ld_in, out, ld_out);
}

LTAD_MULTIVERSION(void, add_rows,
                  (const float* __restrict x, std::int64_t rows, std::int64_t n, std::int64_t ldx,
                   float* __restrict out)) {
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < n; ++i) out[i] += x[r * ldx + i];
}

}  // namespace

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda, const float* b,
          std::int64_t ldb, float* c, std::int64_t ldc, bool accumulate) {
    if (m == 0 || n == 0) return;
    if (has_block_kernel()) {
        at::native::cpublas::brgemm(m, n, k, lda, ldb, ldc, accumulate, a, b, c);
        return;
    }
    tile_gemm(m, n, k, a, lda, b, ldb, c, ldc, accumulate);
}

void transpose(const float* in, std::int64_t rows, std::int64_t columns, std::int64_t ld_in, float* out,
               std::int64_t ld_out) {
    transpose_rows(in, rows, columns, ld_in, out, ld_out);
}

/// Calls work(first column, columns) for each panel of [.., n], by all threads.
template <typename Work>
void for_panels(std::int64_t n, const Work& work) {
    at::parallel_for(0, blocks_of(n, Panels::width), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t panel = begin; panel < end; ++panel)
            work(panel * Panels::width, std::min(Panels::width, n - panel * Panels::width));
    });
}

Panels Panels::of(const float* weight, std::int64_t k, std::int64_t n, Precision precision) {
    Panels panels(k, n);
    if (precision == Precision::bfloat16) {
        panels.pairs_ = make_buffer<std::uint32_t>((k + 1) / 2 * n);
        for_panels(n, [&](std::int64_t first, std::int64_t columns) {
            to_bfloat16_pairs(weight + first, k, columns, n, panels.pairs_.get() + (k + 1) / 2 * first);
        });
    } else if (n % page != 0) {
        panels.weight_ = weight;
    } else {
        panels.data_ = make_buffer<float>(k * n);
        for_panels(n, [&](std::int64_t first, std::int64_t columns) {
            float* const panel = panels.data_.get() + first * k;
            for (std::int64_t r = 0; r < k; ++r) std::copy_n(weight + r * n + first, columns, panel + r * columns);
        });
    }
    return panels;
}

Panels Panels::transposed(const float* weight, std::int64_t n, std::int64_t k, Precision precision) {
    Panels panels(k, n);
    if (precision == Precision::bfloat16) {
        const std::int64_t words = (k + 1) / 2;
        panels.pairs_ = make_buffer<std::uint32_t>(words * n);
        for_panels(n, [&](std::int64_t first, std::int64_t columns) {
            const auto rounded = make_buffer<std::uint32_t>(columns * words);
            to_bfloat16(weight + first * k, columns, k, k, rounded.get());
            transpose_words(rounded.get(), columns, words, words, panels.pairs_.get() + words * first, columns);
        });
    } else {
        panels.data_ = make_buffer<float>(k * n);
        for_panels(n, [&](std::int64_t first, std::int64_t columns) {
            transpose_rows(weight + first * k, columns, k, k, panels.data_.get() + first * k, columns);
        });
    }
    return panels;
}

void Panels::multiply(std::int64_t m, const float* a, std::int64_t lda, float* c, std::int64_t ldc) const {
    const std::int64_t words = (k_ + 1) / 2;
    Buffer<std::uint32_t> rounded;
    if (pairs_) {
        rounded = make_buffer<std::uint32_t>(m * words);
        to_bfloat16(a, m, k_, lda, rounded.get());
    }
    for (std::int64_t first = 0; first < n_; first += width) {
        const std::int64_t columns = std::min(width, n_ - first);
        if (pairs_)
            gemm_bfloat16(m, columns, k_, rounded.get(), pairs_.get() + words * first, c + first, ldc);
        else if (weight_ != nullptr)
            gemm(m, columns, k_, a, lda, weight_ + first, n_, c + first, ldc);
        else
            gemm(m, columns, k_, a, lda, data_.get() + first * k_, columns, c + first, ldc);
    }
}

void for_row_blocks(std::int64_t rows, const RowBlock& work) {
    if (rows == 0) return;
    // A multiple of four blocks, so that two or four threads get the same number each.
    const std::int64_t size = std::max(least_rows_per_block, blocks_of(rows, blocks_of(rows, rows_per_block * 4) * 4));
    const std::int64_t blocks = blocks_of(rows, size);
    at::parallel_for(0, blocks, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t first = begin * size; first < std::min(end * size, rows); first += size)
            work(first, std::min(size, rows - first));
    });
}

void multiply_rows(const float* x, std::int64_t ldx, std::int64_t rows, const Panels& b, float* y, std::int64_t ldy,
                   const RowBlock& finish) {
    for_row_blocks(rows, [&](std::int64_t first, std::int64_t count) {
        b.multiply(count, x + first * ldx, ldx, y + first * ldy, ldy);
        if (finish) finish(first, count);
    });
}

namespace {

/// out [na, nb] = aᵀ b in bfloat16: b is rounded once, strips of a by the thread that multiplies them.
void multiply_transposed_bfloat16(const float* a, std::int64_t na, std::int64_t lda, const float* b, std::int64_t nb,
                                  std::int64_t ldb, std::int64_t rows, float* out) {
    const std::int64_t words = (rows + 1) / 2;
    constexpr std::int64_t words_per_block = summed_per_block / 2;
    const auto pairs = make_buffer<std::uint32_t>(words * nb);
    at::parallel_for(0, blocks_of(rows, summed_per_block), grain, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t first = begin * summed_per_block;
        to_bfloat16_pairs(b + first * ldb, std::min(end * summed_per_block, rows) - first, nb, ldb,
                          pairs.get() + first / 2 * nb);
    });
    for_panels(na, [&](std::int64_t first, std::int64_t width) {
        const auto strip = make_buffer<std::uint32_t>(width * words_per_block);
        const auto rounded = make_buffer<std::uint32_t>(width * words_per_block);
        for (std::int64_t r = 0; r < rows; r += summed_per_block) {
            const std::int64_t count = std::min(summed_per_block, rows - r);
            to_bfloat16_pairs(a + r * lda + first, count, width, lda, rounded.get());
            transpose_words(rounded.get(), (count + 1) / 2, width, width, strip.get(), (count + 1) / 2);
            gemm_bfloat16(width, nb, count, strip.get(), pairs.get() + r / 2 * nb, out + first * nb, nb, r > 0);
        }
    });
}

void multiply_transposed_float32(const float* a, std::int64_t na, std::int64_t lda, const float* b, std::int64_t nb,
                                 std::int64_t ldb, std::int64_t rows, float* out) {
    for_panels(na, [&](std::int64_t first, std::int64_t width) {
        const auto strip = make_buffer<float>(width * summed_per_block);
        for (std::int64_t r = 0; r < rows; r += summed_per_block) {
            const std::int64_t count = std::min(summed_per_block, rows - r);
            transpose(a + r * lda + first, count, width, lda, strip.get(), count);
            gemm(width, nb, count, strip.get(), count, b + r * ldb, ldb, out + first * nb, nb, r > 0);
        }
    });
}

}  // namespace

void multiply_transposed(const float* a, std::int64_t na, std::int64_t lda, const float* b, std::int64_t nb,
                         std::int64_t ldb, std::int64_t rows, float* out, Precision precision) {
    if (rows == 0) {
        std::fill_n(out, na * nb, 0.0f);
        return;
    }
    if (na > nb) {  // transposing the narrower of the two is less work: out = (bᵀ a)ᵀ
        const auto flipped = make_buffer<float>(na * nb);
        multiply_transposed(b, nb, ldb, a, na, lda, rows, flipped.get(), precision);
        for_panels(na, [&](std::int64_t first, std::int64_t width) {
            transpose(flipped.get() + first, nb, width, na, out + first * nb, nb);
        });
        return;
    }
    if (precision == Precision::bfloat16)
        multiply_transposed_bfloat16(a, na, lda, b, nb, ldb, rows, out);
    else
        multiply_transposed_float32(a, na, lda, b, nb, ldb, rows, out);
}

void sum_rows(const float* x, std::int64_t rows, std::int64_t n, std::int64_t ldx, float* out) {
    at::parallel_for(0, blocks_of(n, Panels::width), grain, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t first = begin * Panels::width;
        const std::int64_t last = std::min(end * Panels::width, n);
        std::fill(out + first, out + last, 0.0f);
        add_rows(x + first, rows, last - first, ldx, out + first);
    });
}

}  // namespace ltad
