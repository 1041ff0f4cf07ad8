#include "ltad/kernels/train_norm.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <ATen/Parallel.h>

#include "ltad/kernels/gemm.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t wide = 64;  // channels whose sums stay in registers
constexpr std::int64_t narrow = 16;

template <std::int64_t width>
LTAD_INLINE void describe_strip(const float* __restrict x, std::int64_t rows, std::int64_t ld, float* __restrict mean,
                                float* __restrict spread) {
    float sum[width] = {}, squares[width] = {};
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < width; ++i) sum[i] += x[r * ld + i];
    for (std::int64_t i = 0; i < width; ++i) sum[i] /= static_cast<float>(rows);
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < width; ++i) {
            const float distance = x[r * ld + i] - sum[i];
            squares[i] += distance * distance;
        }
    }
    for (std::int64_t i = 0; i < width; ++i) {
        mean[i] = sum[i];
        spread[i] = squares[i];
    }
}

/// Means of columns, and sums of squared distances from them.
LTAD_MULTIVERSION(void, describe,
                  (const float* x, std::int64_t rows, std::int64_t ld, std::int64_t count, float* mean,
                   float* spread)) {
    std::int64_t i = 0;
    for (; i + wide <= count; i += wide) describe_strip<wide>(x + i, rows, ld, mean + i, spread + i);
    for (; i + narrow <= count; i += narrow) describe_strip<narrow>(x + i, rows, ld, mean + i, spread + i);
    for (; i < count; ++i) describe_strip<1>(x + i, rows, ld, mean + i, spread + i);
}

template <std::int64_t width>
LTAD_INLINE void sum_gradient_strip(const float* __restrict d_z, const float* __restrict x, std::int64_t rows,
                                    std::int64_t ld, const float* __restrict mean, float* __restrict sum,
                                    float* __restrict product) {
    float plain[width] = {}, weighted[width] = {};
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < width; ++i) {
            plain[i] += d_z[r * ld + i];
            weighted[i] += d_z[r * ld + i] * (x[r * ld + i] - mean[i]);
        }
    }
    for (std::int64_t i = 0; i < width; ++i) {
        sum[i] = plain[i];
        product[i] = weighted[i];
    }
}

LTAD_MULTIVERSION(void, sum_gradient,
                  (const float* d_z, const float* x, std::int64_t rows, std::int64_t channels, const float* mean,
                   float* sum, float* product)) {
    std::int64_t i = 0;
    for (; i + narrow <= channels; i += narrow)
        sum_gradient_strip<narrow>(d_z + i, x + i, rows, channels, mean + i, sum + i, product + i);
    for (; i < channels; ++i) sum_gradient_strip<1>(d_z + i, x + i, rows, channels, mean + i, sum + i, product + i);
}

LTAD_MULTIVERSION(void, normalize,
                  (const float* __restrict x, std::int64_t rows, std::int64_t channels, const float* __restrict scale,
                   const float* __restrict shift, float* __restrict y)) {
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < channels; ++i) y[r * channels + i] = x[r * channels + i] * scale[i] + shift[i];
}

LTAD_MULTIVERSION(void, normalize_and_add,
                  (const float* __restrict x, std::int64_t rows, std::int64_t channels, const float* __restrict scale,
                   const float* __restrict shift, const float* __restrict added, float* __restrict y)) {
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < channels; ++i)
            y[r * channels + i] = x[r * channels + i] * scale[i] + shift[i] + added[r * channels + i];
}

LTAD_MULTIVERSION(void, apply_gradient,
                  (const float* scale, const float* slope, const float* offset, const float* d_z,
                   const float* __restrict x, std::int64_t rows, std::int64_t channels, float* d_x)) {
    for (std::int64_t r = 0; r < rows; ++r) {
#pragma GCC ivdep  // d_x is d_z or far from it
        for (std::int64_t i = 0; i < channels; ++i)
            d_x[r * channels + i] = d_z[r * channels + i] * scale[i] + (x[r * channels + i] * slope[i] + offset[i]);
    }
}

}  // namespace

MapBlocks::MapBlocks(std::int64_t batch, std::int64_t pixels, std::int64_t most_rows)
    : batch_(batch),
      pixels_(pixels),
      per_picture_((pixels + most_rows - 1) / most_rows),
      size_((pixels + per_picture_ - 1) / per_picture_) {}

std::int64_t MapBlocks::rows(std::int64_t block) const {
    return std::min(size_, pixels_ - block % per_picture_ * size_);
}

std::vector<std::int64_t> MapBlocks::all_rows() const {
    std::vector<std::int64_t> all(static_cast<std::size_t>(count()));
    for (std::int64_t block = 0; block < count(); ++block) all[static_cast<std::size_t>(block)] = rows(block);
    return all;
}

void MapBlocks::run(const std::function<void(std::int64_t)>& work) const {
    at::parallel_for(0, count(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t block = begin; block < end; ++block) work(block);
    });
}

BatchStatistics::BatchStatistics(std::vector<std::int64_t> rows_of_blocks, std::int64_t channels)
    : rows_(std::move(rows_of_blocks)),
      channels_(channels),
      parts_(rows_.size() * 2 * static_cast<std::size_t>(channels)) {}

void BatchStatistics::add(std::int64_t block, const float* x, std::int64_t ld, std::int64_t first, std::int64_t count) {
    float* const part = parts_.data() + block * 2 * channels_ + first;
    describe(x, rows_[static_cast<std::size_t>(block)], ld, count, part, part + channels_);
}

void BatchStatistics::finish(float* mean, float* variance) const {
    const auto blocks = static_cast<std::int64_t>(rows_.size());
    const auto total = static_cast<double>(std::accumulate(rows_.begin(), rows_.end(), std::int64_t{0}));
    at::parallel_for(0, (channels_ + wide - 1) / wide, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin * wide; c < std::min(end * wide, channels_); ++c) {
            const auto part = [&](std::int64_t block, std::int64_t kind) {
                return static_cast<double>(parts_[static_cast<std::size_t>((block * 2 + kind) * channels_ + c)]);
            };
            const auto weight = [&](std::int64_t block) {
                return static_cast<double>(rows_[static_cast<std::size_t>(block)]);
            };
            double center = 0, spread = 0;
            for (std::int64_t block = 0; block < blocks; ++block) center += weight(block) * part(block, 0);
            center /= total;
            for (std::int64_t block = 0; block < blocks; ++block) {
                const double distance = part(block, 0) - center;
                spread += part(block, 1) + weight(block) * distance * distance;
            }
            mean[c] = static_cast<float>(center);
            variance[c] = static_cast<float>(spread / total);
        }
    });
}

BlockSums::BlockSums(std::int64_t blocks, std::int64_t kinds, std::int64_t channels)
    : blocks_(blocks),
      kinds_(kinds),
      channels_(channels),
      parts_(static_cast<std::size_t>(blocks * kinds * channels)) {}

std::vector<double> BlockSums::total(std::int64_t kind, std::int64_t first, std::int64_t count) const {
    std::vector<double> sum(static_cast<std::size_t>(channels_));
    for (std::int64_t block = first; block < first + count; ++block) {
        const float* const part = parts_.data() + (block * kinds_ + kind) * channels_;
        for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += static_cast<double>(part[c]);
    }
    return sum;
}

ChannelNormGradient norm_gradient(const ChannelNorm& norm, std::int64_t values, const std::vector<double>& sum,
                                  const std::vector<double>& product, float* d_gamma, float* d_beta) {
    const std::size_t channels = sum.size();
    ChannelNormGradient gradient{std::vector<float>(norm.scale, norm.scale + channels), std::vector<float>(channels),
                                 std::vector<float>(channels)};
    for (std::size_t c = 0; c < channels; ++c) {
        const double inverse = norm.inverse[c], mean = norm.mean[c];
        const double per_value = norm.scale[c] / static_cast<double>(values);
        d_gamma[c] = static_cast<float>(product[c] * inverse);
        d_beta[c] = static_cast<float>(sum[c]);
        const double slope = -per_value * inverse * inverse * product[c];
        gradient.slope[c] = static_cast<float>(slope);
        gradient.offset[c] = static_cast<float>(-per_value * sum[c] - slope * mean);
    }
    return gradient;
}

void normalize_rows(const float* x, std::int64_t rows, std::int64_t channels, const ChannelNorm& norm,
                    const float* added, float* y) {
    for_row_blocks(rows, [&](std::int64_t first, std::int64_t count) {
        const std::int64_t at = first * channels;
        if (added == nullptr)
            normalize(x + at, count, channels, norm.scale, norm.shift, y + at);
        else
            normalize_and_add(x + at, count, channels, norm.scale, norm.shift, added + at, y + at);
    });
}

void sum_norm_gradient(const MapBlocks& blocks, std::int64_t channels, const float* d_z, const float* x,
                       const ChannelNorm& norm, BlockSums& sums) {
    blocks.run([&](std::int64_t block) {
        const std::int64_t at = blocks.first(block) * channels;
        sum_gradient(d_z + at, x + at, blocks.rows(block), channels, norm.mean, sums.part(block, 0),
                     sums.part(block, 1));
    });
}

void apply_norm_gradient(const ChannelNormGradient& gradient, const float* d_z, const float* x, std::int64_t rows,
                         std::int64_t channels, float* d_x) {
    apply_gradient(gradient.scale.data(), gradient.slope.data(), gradient.offset.data(), d_z, x, rows, channels, d_x);
}

}  // namespace ltad
