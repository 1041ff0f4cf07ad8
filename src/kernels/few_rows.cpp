#include "ltad/kernels/few_rows.h"

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>

#include "ltad/kernels/gemm.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t block = 64;       // rows of the weight
constexpr std::int64_t most_parts = 16;  // of a sum over rows of the weight

std::int64_t blocks_of(std::int64_t size) { return (size + block - 1) / block; }

/// Runs work(first, count) on the weight's rows, block by block, by all threads.
template <typename Work>
void for_weight_rows(std::int64_t n, const Work& work) {
    at::parallel_for(0, blocks_of(n), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t first = begin * block; first < std::min(end * block, n); first += block)
            work(first, std::min(block, n - first));
    });
}

LTAD_MULTIVERSION(void, add_to, (float* __restrict sum, const float* __restrict x, std::int64_t count)) {
    for (std::int64_t i = 0; i < count; ++i) sum[i] += x[i];
}

}  // namespace

void multiply_few_rows(const float* x, std::int64_t rows, std::int64_t k, const float* weight, std::int64_t n,
                       const float* bias, float* y) {
    std::vector<float> x_t(static_cast<std::size_t>(k * rows));
    transpose(x, rows, k, k, x_t.data(), rows);
    for_weight_rows(n, [&](std::int64_t first, std::int64_t count) {
        std::vector<float> y_t(static_cast<std::size_t>(count * rows));
        gemm(count, rows, k, weight + first * k, k, x_t.data(), rows, y_t.data(), rows);
        transpose(y_t.data(), count, rows, rows, y + first, n);
        if (bias == nullptr) return;
        for (std::int64_t r = 0; r < rows; ++r) add_to(y + r * n + first, bias + first, count);
    });
}

void few_rows_weight_gradient(const float* x, std::int64_t rows, std::int64_t k, const float* d_y, std::int64_t n,
                              float* d_weight, float* d_bias) {
    for_weight_rows(n, [&](std::int64_t first, std::int64_t count) {
        std::vector<float> d_y_t(static_cast<std::size_t>(count * rows));
        transpose(d_y + first, rows, count, n, d_y_t.data(), rows);
        gemm(count, k, rows, d_y_t.data(), rows, x, k, d_weight + first * k, k);
        std::fill_n(d_bias + first, count, 0.0f);
        for (std::int64_t r = 0; r < rows; ++r) add_to(d_bias + first, d_y + r * n + first, count);
    });
}

void few_rows_input_gradient(const float* d_y, std::int64_t rows, std::int64_t n, const float* weight, std::int64_t k,
                             float* d_x) {
    // The weight is read once, in pieces of whole rows; their contributions are added in order.
    const std::int64_t parts = std::clamp<std::int64_t>(n / 256, 1, most_parts);
    const std::int64_t size = (n + parts - 1) / parts;
    std::vector<float> sums(static_cast<std::size_t>(parts * rows * k));
    at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t part = begin; part < end; ++part) {
            const std::int64_t first = part * size;
            const std::int64_t count = std::min(size, n - first);
            if (count > 0)
                gemm(rows, k, count, d_y + first, n, weight + first * k, k, sums.data() + part * rows * k, k);
        }
    });
    std::copy_n(sums.data(), rows * k, d_x);
    for (std::int64_t part = 1; part < parts; ++part) add_to(d_x, sums.data() + part * rows * k, rows * k);
}

}  // namespace ltad
