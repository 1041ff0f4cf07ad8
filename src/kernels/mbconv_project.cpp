#include <algorithm>

#include <ATen/Parallel.h>

#include "ltad/kernels/bfloat16.h"
#include "ltad/kernels/mbconv.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t width = FrozenPointwise::width;
constexpr std::int64_t chunk = 128;  // inputs multiplied at once: 128 × 64 weights stay in the L1 cache
constexpr std::int64_t most_rows = 256;
constexpr std::int64_t grain = 1;

std::int64_t blocks_of(std::int64_t size, std::int64_t block) { return (size + block - 1) / block; }

/// out [rows, chunk] = planes [.., area, 16] side by side, times their gates where there are any.
LTAD_MULTIVERSION(void, gather,
                  (const float* __restrict planes, std::int64_t area, const float* __restrict gates,
                   std::int64_t channels, std::int64_t rows, float* __restrict out)) {
    for (std::int64_t c = 0; c < channels; c += lane_count) {
        const float* const from = planes + c * area;
        if (gates == nullptr) {
            for (std::int64_t r = 0; r < rows; ++r) store_lanes(load_lanes(from + r * lane_count), out + r * chunk + c);
            continue;
        }
        const Lanes gate = load_lanes(gates + c, std::min(lane_count, channels - c));
        for (std::int64_t r = 0; r < rows; ++r)
            store_lanes(load_lanes(from + r * lane_count) * gate, out + r * chunk + c);
    }
}

LTAD_MULTIVERSION(void, add_row, (const float* __restrict x, std::int64_t n, float* __restrict out)) {
    for (std::int64_t i = 0; i < n; ++i) out[i] += x[i];
}

LTAD_MULTIVERSION(void, add_sigmoid, (const float* __restrict x, std::int64_t n, float* __restrict out)) {
    for (std::int64_t i = 0; i < n; ++i) out[i] = fast_sigmoid(out[i] + x[i]);
}

/// What project() is given.
struct Projection {
    std::int64_t area;
    const float* y;
    const float* gates;
    const FrozenPointwise& weight;
    const float* residual;
    float* out;
};

/// Channels k … k + count of rows first … first + rows, which may belong to several images.
void gather_rows(const Projection& p, std::int64_t first, std::int64_t rows, std::int64_t k, std::int64_t count,
                 float* gated) {
    const std::int64_t in = p.weight.inputs();
    const std::int64_t padded = blocks_of(in, lane_count) * lane_count;
    for (std::int64_t done = 0; done < rows;) {
        const std::int64_t image = (first + done) / p.area, pixel = (first + done) % p.area;
        const std::int64_t some = std::min(rows - done, p.area - pixel);
        gather(p.y + (image * padded + k) * p.area + pixel * lane_count, p.area,
               p.gates == nullptr ? nullptr : p.gates + image * in + k, count, some, gated + done * chunk);
        done += some;
    }
}

void project_rows(const Projection& p, std::int64_t first, std::int64_t rows) {
    const std::int64_t in = p.weight.inputs(), n = p.weight.outputs();
    const bool rounds = p.weight.precision() == Precision::bfloat16;
    float* const out = p.out + first * n;
    const auto gated = make_buffer<float>(rows * chunk);
    const auto rounded = make_buffer<std::uint32_t>(rounds ? rows * chunk / 2 : 0);
    for (std::int64_t k = 0; k < in; k += chunk) {
        const std::int64_t count = std::min(chunk, in - k);
        gather_rows(p, first, rows, k, count, gated.get());
        if (rounds) to_bfloat16(gated.get(), rows, count, chunk, rounded.get());
        for (std::int64_t panel = 0; panel < p.weight.panels(); ++panel) {
            float* const to = out + panel * width;
            if (rounds)
                p.weight.multiply({panel, k, count}, rows, rounded.get(), to, n, k > 0);
            else
                p.weight.multiply({panel, k, count}, rows, gated.get(), chunk, to, n, k > 0);
        }
    }
    for (std::int64_t r = 0; r < rows; ++r) {
        add_row(p.weight.bias(), n, out + r * n);
        if (p.residual != nullptr) add_row(p.residual + (first + r) * n, n, out + r * n);
    }
}

}  // namespace

void project(std::int64_t batch, std::int64_t area, const float* y, const float* gates,
             const FrozenPointwise& projection, const float* residual, float* out) {
    const Projection p{area, y, gates, projection, residual, out};
    const std::int64_t total = batch * area;
    if (total == 0) return;
    const std::int64_t threads = at::get_num_threads();
    const std::int64_t size = blocks_of(total, blocks_of(blocks_of(total, most_rows), threads) * threads);
    at::parallel_for(0, blocks_of(total, size), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t first = begin * size; first < std::min(end * size, total); first += size)
            project_rows(p, first, std::min(size, total - first));
    });
}

void squeeze_excite(std::int64_t batch, const float* means, const FrozenPointwise& reduce,
                    const FrozenPointwise& excite, Rectifier f, float* gates) {
    const std::int64_t channels = reduce.inputs(), squeezed = reduce.outputs();
    const auto hidden = make_buffer<float>(batch * squeezed);
    at::parallel_for(0, reduce.panels(), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t panel = begin; panel < end; ++panel) {
            float* const to = hidden.get() + panel * width;
            reduce.multiply({panel, 0, channels}, batch, means, channels, to, squeezed);
            add_bias_rectify(to, batch, reduce.columns(panel), squeezed, reduce.bias(panel), f);
        }
    });
    at::parallel_for(0, excite.panels(), grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t panel = begin; panel < end; ++panel) {
            float* const to = gates + panel * width;
            excite.multiply({panel, 0, squeezed}, batch, hidden.get(), squeezed, to, channels);
            for (std::int64_t i = 0; i < batch; ++i)
                add_sigmoid(excite.bias(panel), excite.columns(panel), to + i * channels);
        }
    });
}

}  // namespace ltad
