#include <algorithm>

#include <ATen/Parallel.h>

#include "depthwise_plane.h"
#include "ltad/kernels/bfloat16.h"
#include "ltad/kernels/mbconv.h"
#include "ltad/kernels/simd.h"

namespace ltad {
namespace {

constexpr std::int64_t width = PointwiseWeight::width;
constexpr std::int64_t chunk = 128;  // inputs multiplied at once: 128 × 64 weights stay in the L1 cache
constexpr std::int64_t most_rows = 256;
constexpr std::int64_t grain = 1;

std::int64_t blocks_of(std::int64_t size, std::int64_t block) { return (size + block - 1) / block; }

LTAD_MULTIVERSION void scale_row(const float* __restrict x, const float* __restrict factors, std::int64_t n,
                                 float* __restrict out) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = x[i] * factors[i];
}

LTAD_MULTIVERSION void add_row(const float* __restrict x, std::int64_t n, float* __restrict out) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += x[i];
}

LTAD_MULTIVERSION void sigmoids(float* x, std::int64_t n) {
    for (std::int64_t i = 0; i < n; ++i) x[i] = fast_sigmoid(x[i]);
}

/// Rows first … first + rows of project().
struct Projection {
    std::int64_t area;
    const float* y;
    const float* gates;
    const PointwiseWeight& weight;
    const float* bias;
    const float* residual;
    float* out;
};

void project_rows(const Projection& p, std::int64_t first, std::int64_t rows) {
    const std::int64_t in = p.weight.inputs();
    const std::int64_t n = p.weight.outputs();
    const bool rounds = p.weight.precision() == Precision::bfloat16;
    float* const out = p.out + first * n;
    const auto gated = make_buffer<float>(rows * chunk);
    const auto rounded = make_buffer<std::uint32_t>(rounds ? rows * chunk / 2 : 0);
    for (std::int64_t k = 0; k < in; k += chunk) {
        const std::int64_t count = std::min(chunk, in - k);
        const float* a = p.y + first * in + k;
        std::int64_t lda = in;
        if (p.gates != nullptr) {
            for (std::int64_t r = 0; r < rows; ++r)
                scale_row(a + r * in, p.gates + (first + r) / p.area * in + k, count, gated.get() + r * count);
            a = gated.get();
            lda = count;
        }
        if (rounds) to_bfloat16(a, rows, count, lda, rounded.get());
        for (std::int64_t panel = 0; panel < p.weight.panels(); ++panel)
            if (rounds)
                p.weight.multiply(panel, k, count, rows, rounded.get(), out + panel * width, n, k > 0);
            else
                p.weight.multiply(panel, k, count, rows, a, lda, out + panel * width, n, k > 0);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
        add_row(p.bias, n, out + r * n);
        if (p.residual != nullptr) add_row(p.residual + (first + r) * n, n, out + r * n);
    }
}

/// Calls work(first, rows) for blocks of rows, as many for each thread.
template <typename Work>
void for_rows(std::int64_t total, const Work& work) {
    const std::int64_t threads = at::get_num_threads();
    const std::int64_t blocks = blocks_of(blocks_of(total, most_rows), threads) * threads;
    const std::int64_t size = blocks_of(total, blocks);
    at::parallel_for(0, blocks_of(total, size), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t block = begin; block < end; ++block) work(block * size, std::min(size, total - block * size));
    });
}

}  // namespace

void project(std::int64_t batch, std::int64_t area, const float* y, const float* gates, const PointwiseWeight& weight,
             const float* bias, const float* residual, float* out) {
    const Projection projection{area, y, gates, weight, bias, residual, out};
    for_rows(batch * area, [&](std::int64_t first, std::int64_t rows) { project_rows(projection, first, rows); });
}

void squeeze_excite(std::int64_t batch, const float* means, const PointwiseWeight& reduce, const float* reduce_bias,
                    const PointwiseWeight& excite, const float* excite_bias, Rectifier rectifier, float* gates) {
    const std::int64_t in = reduce.inputs();
    const std::int64_t n = reduce.outputs();
    const auto squeezed = make_buffer<float>(batch * n);
    at::parallel_for(0, reduce.panels(), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t panel = begin; panel < end; ++panel) {
            float* const to = squeezed.get() + panel * width;
            reduce.multiply(panel, 0, in, batch, means, in, to, n, false);
            add_bias_rectify(to, batch, reduce.columns(panel), n, reduce_bias + panel * width, rectifier);
        }
    });
    at::parallel_for(0, excite.panels(), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t panel = begin; panel < end; ++panel) {
            float* const to = gates + panel * width;
            excite.multiply(panel, 0, n, batch, squeezed.get(), n, to, in, false);
            for (std::int64_t i = 0; i < batch; ++i) {
                add_row(excite_bias + panel * width, excite.columns(panel), to + i * in);
                sigmoids(to + i * in, excite.columns(panel));
            }
        }
    });
}

void stem(const MapShape& shape, const float* pixels, const PointwiseWeight& weight, const float* bias,
          Rectifier rectifier, float* out) {
    constexpr std::int64_t colours = 3;
    const std::int64_t out_height = shape.out_height();
    const std::int64_t out_width = shape.out_width();
    const std::int64_t patch_row = shape.kernel * colours;
    const std::int64_t patch = shape.kernel * patch_row;
    at::parallel_for(0, shape.batch * out_height, grain, [&](std::int64_t begin, std::int64_t end) {
        const auto patches = make_buffer<float>(out_width * patch);
        for (std::int64_t row = begin; row < end; ++row) {
            const float* const image = pixels + row / out_height * shape.height * shape.width * colours;
            std::fill_n(patches.get(), out_width * patch, 0.0f);
            for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
                const std::int64_t y = row % out_height * shape.stride - shape.before + ky;
                if (y < 0 || y >= shape.height) continue;
                for (std::int64_t x = 0; x < out_width; ++x) {
                    const std::int64_t left = x * shape.stride - shape.before;
                    const std::int64_t from = std::max<std::int64_t>(left, 0);
                    const std::int64_t to = std::min(left + shape.kernel, shape.width);
                    std::copy(image + (y * shape.width + from) * colours, image + (y * shape.width + to) * colours,
                              patches.get() + x * patch + ky * patch_row + (from - left) * colours);
                }
            }
            float* const y = out + row * out_width * weight.outputs();
            for (std::int64_t panel = 0; panel < weight.panels(); ++panel)
                weight.multiply(panel, 0, patch, out_width, patches.get(), patch, y + panel * width, weight.outputs(),
                                false);
            add_bias_rectify(y, out_width, weight.outputs(), weight.outputs(), bias, rectifier);
        }
    });
}

}  // namespace ltad
