#include "ltad/kernels/train_gate.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <ATen/Parallel.h>

#include "ltad/kernels/multiversion.h"
#include "ltad/kernels/train_product.h"
#include "train_rectifier.h"

namespace ltad {
namespace {

constexpr std::int64_t wide = 64;  // channels whose sums stay in registers
constexpr std::int64_t narrow = 16;
constexpr std::int64_t rows_ahead = 8;
constexpr std::int64_t most_values = 128 * 1024;  // of a block: they stay in the L2 cache

template <Rectifier f, std::int64_t width>
LTAD_INLINE void mean_of_strip(const float* __restrict x, std::int64_t pixels, std::int64_t ld,
                               const float* __restrict scale, const float* __restrict shift, float* __restrict mean) {
    float sum[width] = {};
    for (std::int64_t r = 0; r < pixels; ++r)
        for (std::int64_t i = 0; i < width; ++i) sum[i] += value_of<f>(x[r * ld + i] * scale[i] + shift[i]);
    for (std::int64_t i = 0; i < width; ++i) mean[i] = sum[i] / static_cast<float>(pixels);
}

LTAD_MULTIVERSION(void, mean_of_columns,
                  (Rectifier f, const float* x, std::int64_t pixels, std::int64_t ld, std::int64_t count,
                   const float* scale, const float* shift, float* mean)) {
    with_rectifier(
        f, [&](auto c) __attribute__((always_inline)) {
            std::int64_t i = 0;
            for (; i + narrow <= count; i += narrow)
                mean_of_strip<c.value, narrow>(x + i, pixels, ld, scale + i, shift + i, mean + i);
            for (; i < count; ++i) mean_of_strip<c.value, 1>(x + i, pixels, ld, scale + i, shift + i, mean + i);
        });
}

LTAD_MULTIVERSION(void, gate_rows,
                  (Rectifier f, const float* __restrict x, std::int64_t rows, std::int64_t channels,
                   const float* __restrict scale, const float* __restrict shift, const float* __restrict gate,
                   float* __restrict out)) {
    with_rectifier(
        f, [&](auto c) __attribute__((always_inline)) {
            for (std::int64_t r = 0; r < rows; ++r)
                for (std::int64_t i = 0; i < channels; ++i)
                    out[r * channels + i] = value_of<c.value>(x[r * channels + i] * scale[i] + shift[i]) * gate[i];
        });
}

struct GateRows {
    const float* x;
    const float* d;  ///< gradient of the gated values
    const float* scale;
    const float* shift;
    const float* mean;
    const float* gate;
    float* gated;     ///< dense, as wide as what is asked
    float* sums;      ///< of one kind; the next is ld further
    std::int64_t ld;  ///< from row to row of x and d
};

template <Rectifier f, std::int64_t width>
LTAD_INLINE void differentiate_strip(const GateRows& p, std::int64_t first, std::int64_t rows, std::int64_t channels) {
    const float* const scale = p.scale + first;
    const float* const shift = p.shift + first;
    const float* const mean = p.mean + first;
    const float* const gate = p.gate + first;
    float sums[gate_sum_kinds][width] = {};
    for (std::int64_t r = 0; r < rows; ++r) {
        const float* const x = p.x + r * p.ld + first;
        const float* const d = p.d + r * p.ld + first;
        float* const gated = p.gated + r * channels + first;
        __builtin_prefetch(x + rows_ahead * p.ld);  // the processor does not see it coming
#pragma GCC ivdep
        for (std::int64_t i = 0; i < width; ++i) {
            const float from_mean = x[i] - mean[i];
            float value, slope;
            value_and_slope<f>(x[i] * scale[i] + shift[i], value, slope);
            gated[i] = value * gate[i];
            sums[gate_value][i] += d[i] * value;
            sums[gate_slope][i] += d[i] * slope;
            sums[gate_slope_x][i] += d[i] * slope * from_mean;
            sums[mean_slope][i] += slope;
            sums[mean_slope_x][i] += slope * from_mean;
        }
    }
    for (std::int64_t kind = 0; kind < gate_sum_kinds; ++kind)
        for (std::int64_t i = 0; i < width; ++i) p.sums[kind * p.ld + first + i] = sums[kind][i];
}

LTAD_MULTIVERSION(void, differentiate_rows,
                  (Rectifier f, const GateRows& p, std::int64_t rows, std::int64_t channels)) {
    with_rectifier(
        f, [&](auto c) __attribute__((always_inline)) {
            std::int64_t i = 0;
            for (; i + narrow <= channels; i += narrow) differentiate_strip<c.value, narrow>(p, i, rows, channels);
            for (; i < channels; ++i) differentiate_strip<c.value, 1>(p, i, rows, channels);
        });
}

}  // namespace

void mean_of_maps(const NormedInput& input, std::int64_t batch, std::int64_t pixels, std::int64_t channels,
                  float* means) {
    const std::int64_t strips = (channels + wide - 1) / wide;
    at::parallel_for(0, batch * strips, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t picture = i / strips;
            const std::int64_t first = i % strips * wide;
            mean_of_columns(input.f, input.x + picture * pixels * channels + first, pixels, channels,
                            std::min(wide, channels - first), input.norm.scale + first, input.norm.shift + first,
                            means + picture * channels + first);
        }
    });
}

MapBlocks gate_blocks(std::int64_t batch, std::int64_t pixels, std::int64_t channels) {
    return {batch, pixels, std::clamp<std::int64_t>(most_values / channels, 32, 128)};
}

void gated_product(const NormedInput& input, const float* gate, const Panels& b, const MapBlocks& blocks, float* y,
                   BatchStatistics* statistics) {
    const std::int64_t channels = b.rows();
    const std::int64_t n = b.columns();
    at::parallel_for(0, blocks.count(), 1, [&](std::int64_t begin, std::int64_t end) {
        const auto gated = std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(blocks.rows(0) * channels));
        for (std::int64_t block = begin; block < end; ++block) {
            const std::int64_t first = blocks.first(block);
            const std::int64_t rows = blocks.rows(block);
            gate_rows(input.f, input.x + first * channels, rows, channels, input.norm.scale, input.norm.shift,
                      gate + blocks.picture(block) * channels, gated.get());
            b.multiply(rows, gated.get(), channels, y + first * n, n);
            if (statistics != nullptr) statistics->add(block, y + first * n, n, 0, n);
        }
    });
}

void gated_product_backward(const NormedInput& input, const float* gate, const float* weight, std::int64_t n,
                            std::int64_t channels, const MapBlocks& blocks, const float* d_y, float* d_gated,
                            float* d_weight, BlockSums& sums) {
    const TransposedRows d_y_t(d_y, blocks.first(blocks.count()), n);
    const ColumnTiles tiles(channels);
    at::parallel_for(0, tiles.count(), 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> gated;
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t first = tiles.first(i);
            const std::int64_t width = tiles.width(i);
            gated.resize(static_cast<std::size_t>(blocks.rows(0) * width));
            for (std::int64_t block = 0; block < blocks.count(); ++block) {
                const std::int64_t row = blocks.first(block);
                const std::int64_t rows = blocks.rows(block);
                float* const d = d_gated + row * channels + first;
                gemm(rows, width, n, d_y + row * n, n, weight + first, channels, d, channels);
                differentiate_rows(input.f,
                                   {.x = input.x + row * channels + first,
                                    .d = d,
                                    .scale = input.norm.scale + first,
                                    .shift = input.norm.shift + first,
                                    .mean = input.norm.mean + first,
                                    .gate = gate + blocks.picture(block) * channels + first,
                                    .gated = gated.data(),
                                    .sums = sums.part(block, 0) + first,
                                    .ld = channels},
                                   rows, width);
                d_y_t.multiply(row, rows, gated.data(), width, width, d_weight + first, channels, block > 0);
            }
        }
    });
}

void gate_gradient(const BlockSums& sums, const MapBlocks& blocks, std::int64_t batch, std::int64_t channels,
                   float* d_gate) {
    for (std::int64_t picture = 0; picture < batch; ++picture) {
        const std::vector<double> total = sums.total(gate_value, picture * blocks.per_picture(), blocks.per_picture());
        std::transform(total.begin(), total.end(), d_gate + picture * channels,
                       [](double value) { return static_cast<float>(value); });
    }
}

ChannelNormGradient gated_norm_gradient(const ChannelNorm& norm, const BlockSums& sums, const MapBlocks& blocks,
                                        std::int64_t batch, std::int64_t values, std::int64_t channels,
                                        const float* gate, const float* d_mean, float* d_gamma, float* d_beta) {
    std::vector<double> sum(static_cast<std::size_t>(channels)), product(static_cast<std::size_t>(channels));
    for (std::int64_t picture = 0; picture < batch; ++picture) {
        const auto total = [&](GateSum kind) {
            return sums.total(kind, picture * blocks.per_picture(), blocks.per_picture());
        };
        const auto by_gate = total(gate_slope), by_gate_x = total(gate_slope_x);
        const auto by_mean = total(mean_slope), by_mean_x = total(mean_slope_x);
        for (std::size_t c = 0; c < sum.size(); ++c) {
            const double g = gate[picture * channels + static_cast<std::int64_t>(c)];
            const double m = d_mean[picture * channels + static_cast<std::int64_t>(c)];
            sum[c] += g * by_gate[c] + m * by_mean[c];
            product[c] += g * by_gate_x[c] + m * by_mean_x[c];
        }
    }
    return norm_gradient(norm, values, sum, product, d_gamma, d_beta);
}

}  // namespace ltad
