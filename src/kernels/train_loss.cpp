#include "ltad/kernels/train_loss.h"

#include "ltad/kernels/multiversion.h"
#include "ltad/kernels/train_norm.h"

namespace ltad {
namespace {

constexpr std::int64_t most_rows = 128;  // of a block

LTAD_MULTIVERSION(void, add_squares,
                  (const float* __restrict predicted, const float* __restrict real, std::int64_t rows,
                   std::int64_t channels, float* __restrict sum)) {
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t i = 0; i < channels; ++i) {
            const float error = predicted[r * channels + i] - real[r * channels + i];
            sum[i] += error * error;
        }
    }
}

LTAD_MULTIVERSION(void, differentiate,
                  (const float* __restrict predicted, const float* __restrict real, std::int64_t rows,
                   std::int64_t channels, const float* __restrict weight, float twice, float* __restrict d)) {
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < channels; ++i)
            d[r * channels + i] = twice * weight[i] * (predicted[r * channels + i] - real[r * channels + i]);
}

}  // namespace

double squared_error(const float* predicted, const float* real, std::int64_t rows, std::int64_t channels,
                     const float* weight) {
    const MapBlocks blocks(1, rows, most_rows);
    BlockSums sums(blocks.count(), 1, channels);
    blocks.run([&](std::int64_t block) {
        const std::int64_t at = blocks.first(block) * channels;
        add_squares(predicted + at, real + at, blocks.rows(block), channels, sums.part(block, 0));
    });
    double total = 0;
    for (const double sum : sums.total(0)) total += sum * static_cast<double>(*weight++);
    return total;
}

void squared_error_gradient(const float* predicted, const float* real, std::int64_t rows, std::int64_t channels,
                            const float* weight, float scale, float* d) {
    const MapBlocks blocks(1, rows, most_rows);
    blocks.run([&](std::int64_t block) {
        const std::int64_t at = blocks.first(block) * channels;
        differentiate(predicted + at, real + at, blocks.rows(block), channels, weight, 2 * scale, d + at);
    });
}

}  // namespace ltad
