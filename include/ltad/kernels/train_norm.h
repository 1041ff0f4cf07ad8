#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ltad/kernels/rectifier.h"

namespace ltad {

// Batch norm for training on the CPU in float32, in parts that the products and convolutions beside it do while the
// cache holds their rows: statistics of what was just computed, the norm and the activation of what is just read. Maps
// lie channels-last, [batch · pixels, channels]. Results never depend on the number of threads: blocks are cut by the
// shapes alone, and their sums are added in order.

/// A batch of maps cut into blocks of rows (pixels), each within one picture.
class MapBlocks {
public:
    MapBlocks(std::int64_t batch, std::int64_t pixels, std::int64_t most_rows);

    [[nodiscard]] std::int64_t count() const { return batch_ * per_picture_; }
    [[nodiscard]] std::int64_t per_picture() const { return per_picture_; }
    [[nodiscard]] std::int64_t picture(std::int64_t block) const { return block / per_picture_; }
    [[nodiscard]] std::int64_t first(std::int64_t block) const {
        return picture(block) * pixels_ + block % per_picture_ * size_;
    }
    [[nodiscard]] std::int64_t rows(std::int64_t block) const;
    [[nodiscard]] std::vector<std::int64_t> all_rows() const;
    /// Runs work(block) on all of them, by all threads.
    void run(const std::function<void(std::int64_t)>& work) const;

private:
    std::int64_t batch_;
    std::int64_t pixels_;
    std::int64_t per_picture_;
    std::int64_t size_;
};

/// Means and variances of channels, gathered block by block: by blocks' own means, so that a mean far from zero costs
/// no digits.
class BatchStatistics {
public:
    BatchStatistics(std::vector<std::int64_t> rows_of_blocks, std::int64_t channels);

    /// Takes columns first … first + count of a block; x: that corner, `ld` values from row to row.
    void add(std::int64_t block, const float* x, std::int64_t ld, std::int64_t first, std::int64_t count);
    /// When all blocks are in. variance: the mean square, not the unbiased estimate. Both [channels].
    void finish(float* mean, float* variance) const;

private:
    std::vector<std::int64_t> rows_;
    std::int64_t channels_;
    std::vector<float> parts_;  // [blocks, 2, channels]: mean, sum of squared distances from it
};

/// Several sums per channel, gathered block by block and added in order.
class BlockSums {
public:
    BlockSums(std::int64_t blocks, std::int64_t kinds, std::int64_t channels);

    [[nodiscard]] float* part(std::int64_t block, std::int64_t kind) {
        return parts_.data() + (block * kinds_ + kind) * channels_;
    }
    /// The sum of a kind over blocks first … first + count, [channels].
    [[nodiscard]] std::vector<double> total(std::int64_t kind, std::int64_t first, std::int64_t count) const;
    [[nodiscard]] std::vector<double> total(std::int64_t kind) const { return total(kind, 0, blocks_); }

private:
    std::int64_t blocks_;
    std::int64_t kinds_;
    std::int64_t channels_;
    std::vector<float> parts_;
};

/// A batch norm with its statistics, per channel: z = scale x + shift with scale = γ inverse, shift = β − scale mean;
/// inverse = 1 / √(variance + eps).
struct ChannelNorm {
    const float* mean = nullptr;
    const float* inverse = nullptr;
    const float* scale = nullptr;
    const float* shift = nullptr;
};

/// The gradient through a batch norm's own statistics: d_x = scale d_z + slope x + offset.
struct ChannelNormGradient {
    std::vector<float> scale, slope, offset;  ///< of each channel
};

/// Sums over all `values` of a channel: sum = Σ d_z, product = Σ d_z (x − mean). Writes the gradients of γ and β.
[[nodiscard]] ChannelNormGradient norm_gradient(const ChannelNorm& norm, std::int64_t values,
                                                const std::vector<double>& sum, const std::vector<double>& product,
                                                float* d_gamma, float* d_beta);

/// y = scale x + shift (+ added, unless null); all [rows, channels].
void normalize_rows(const float* x, std::int64_t rows, std::int64_t channels, const ChannelNorm& norm,
                    const float* added, float* y);

/// Kinds 0 and 1 of `sums`: Σ d_z and Σ d_z (x − mean) of every block. d_z, x: [rows, channels].
void sum_norm_gradient(const MapBlocks& blocks, std::int64_t channels, const float* d_z, const float* x,
                       const ChannelNorm& norm, BlockSums& sums);

/// d_x from d_z for `rows` rows, on the calling thread; d_x may be d_z.
void apply_norm_gradient(const ChannelNormGradient& gradient, const float* d_z, const float* x, std::int64_t rows,
                         std::int64_t channels, float* d_x);

}  // namespace ltad
