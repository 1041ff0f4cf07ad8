#include "ltad/kernels/train_product.h"

#include <algorithm>
#include <memory>

#include <ATen/Parallel.h>

#include "ltad/kernels/gemm.h"

namespace ltad {
namespace {

constexpr std::int64_t lanes = 16;
constexpr std::int64_t usual_width = 128;
constexpr std::int64_t panel = 64;            // columns of a at once
constexpr std::int64_t rows_at_once = 392;    // a tile of them stays in the L2 cache
constexpr std::int64_t transposed_rows = 64;  // by a thread

std::int64_t blocks_of(std::int64_t size, std::int64_t block) { return (size + block - 1) / block; }

}  // namespace

ColumnTiles::ColumnTiles(std::int64_t n)
    : n_(n), count_(std::min(2 * blocks_of(n, 2 * usual_width), blocks_of(n, lanes))) {}

std::int64_t ColumnTiles::first(std::int64_t tile) const {
    return std::min(tile * blocks_of(n_, lanes) / count_ * lanes, n_);
}

TransposedRows::TransposedRows(const float* a, std::int64_t rows, std::int64_t columns)
    : columns_(columns),
      ld_((blocks_of(rows, lanes) + 1) * lanes),  // never whole pages, which the caches do not like
      data_(static_cast<std::size_t>(columns * ld_)) {
    at::parallel_for(0, blocks_of(rows, transposed_rows), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin * transposed_rows; r < std::min(end * transposed_rows, rows); r += transposed_rows)
            transpose(a + r * columns, std::min(transposed_rows, rows - r), columns, columns, data_.data() + r, ld_);
    });
}

void TransposedRows::multiply(std::int64_t first, std::int64_t count, const float* b, std::int64_t ldb, std::int64_t n,
                              float* c, std::int64_t ldc, bool accumulate) const {
    for (std::int64_t i = 0; i < columns_; i += panel)
        gemm(std::min(panel, columns_ - i), n, count, data_.data() + i * ld_ + first, ld_, b, ldb, c + i * ldc, ldc,
             accumulate);
}

void wide_weight_gradient(const float* d_y, std::int64_t n, const float* x, std::int64_t k, std::int64_t rows,
                          float* d_weight) {
    const TransposedRows x_t(x, rows, k);
    const ColumnTiles tiles(n);
    at::parallel_for(0, tiles.count(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t first = tiles.first(i);
            const std::int64_t width = tiles.width(i);
            const auto tile = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(k * width));
            for (std::int64_t r = 0; r < rows; r += rows_at_once)
                x_t.multiply(r, std::min(rows_at_once, rows - r), d_y + r * n + first, n, width, tile.get(), width,
                             r > 0);
            transpose(tile.get(), k, width, width, d_weight + first * k, k);
        }
    });
}

}  // namespace ltad
