#pragma once

#include <cstdint>
#include <vector>

namespace ltad {

// Gradients of 1 × 1 convolutions' weights, aᵀ b over many rows, by tiles of b's columns: a tile's rows are read, or
// made, once, and stay in the cache while all of a meets them.

/// The columns 0 … n cut into tiles of about 128, an even number of them; multiples of 16 but for the last.
class ColumnTiles {
public:
    explicit ColumnTiles(std::int64_t n);

    [[nodiscard]] std::int64_t count() const { return count_; }
    [[nodiscard]] std::int64_t first(std::int64_t tile) const;
    [[nodiscard]] std::int64_t width(std::int64_t tile) const { return first(tile + 1) - first(tile); }

private:
    std::int64_t n_;
    std::int64_t count_;
};

/// aᵀ [columns, rows] of a [rows, columns], by all threads.
class TransposedRows {
public:
    TransposedRows(const float* a, std::int64_t rows, std::int64_t columns);

    /// c [columns, n] (+)= aᵀ b for rows first … first + count; b points at row `first`. On the calling thread.
    void multiply(std::int64_t first, std::int64_t count, const float* b, std::int64_t ldb, std::int64_t n, float* c,
                  std::int64_t ldc, bool accumulate) const;

private:
    std::int64_t columns_;
    std::int64_t ld_;
    std::vector<float> data_;
};

/// d_weight [n, k] = d_yᵀ x of y = x weightᵀ, for x [rows, k] narrower than d_y [rows, n]; by all threads.
void wide_weight_gradient(const float* d_y, std::int64_t n, const float* x, std::int64_t k, std::int64_t rows,
                          float* d_weight);

}  // namespace ltad
