#include "ltad/kernels/mbconv.h"

#include <algorithm>

#include <ATen/Parallel.h>

#include "depthwise_plane.h"
#include "ltad/kernels/bfloat16.h"
#include "ltad/kernels/multiversion.h"

namespace ltad {
namespace {

constexpr std::int64_t width = FrozenPointwise::width;
constexpr std::int64_t planes_per_panel = width / lane_count;
constexpr std::int64_t product_rows = 112;     // 112 × 64 floats stay in the L1 cache
constexpr std::int64_t band_floats = 1 << 17;  // half of a usual L2 cache
constexpr std::int64_t grain = 1;

std::int64_t blocks_of(std::int64_t size, std::int64_t block) { return (size + block - 1) / block; }

/// 64 channels of some rows of a map with zeros around it, as planes [4, rows, columns, 16].
struct Band {
    explicit Band(const MapShape& shape)
        : columns(std::max(DepthwisePlane::columns(shape.out_width(), shape.kernel, shape.stride),
                           shape.before + shape.width)) {
        const std::int64_t fitting = (band_floats / (columns * width) - shape.kernel) / shape.stride + 1;
        out_rows = std::clamp<std::int64_t>(fitting, 1, shape.out_height());
        rows = (out_rows - 1) * shape.stride + shape.kernel;
        floats = make_buffer<float>(rows * columns * width);
        std::fill_n(floats.get(), rows * columns * width, 0.0f);
    }

    [[nodiscard]] float* at(std::int64_t plane, std::int64_t row, std::int64_t column = 0) const {
        return floats.get() + ((plane * rows + row) * columns + column) * lane_count;
    }
    /// The last `count` rows become the first ones.
    void keep(std::int64_t count) const {
        for (std::int64_t plane = 0; plane < planes_per_panel; ++plane)
            std::copy(at(plane, rows - count), at(plane, rows), at(plane, 0));
    }

    std::int64_t columns = 0;
    std::int64_t rows = 0;
    std::int64_t out_rows = 0;  ///< rows of the result that a band gives
    Buffer<float> floats;
};

/// One image and one panel of channels.
struct Source {
    const MapShape& shape;
    const float* x;                 ///< the image, [H, W, in]; without expansion from the panel's first channel on
    const std::uint32_t* rounded;   ///< the image in bfloat16, or null
    const FrozenPointwise* expand;  ///< or null
    std::int64_t in;
    std::int64_t panel;
    std::int64_t columns;  ///< channels of the panel
    Rectifier f;
};

LTAD_MULTIVERSION(void, copy_lanes,
                  (const float* __restrict from, std::int64_t m, std::int64_t ld, std::int64_t lanes,
                   float* __restrict to)) {
    for (std::int64_t i = 0; i < m; ++i) store_lanes(load_lanes(from + i * ld, lanes), to + i * lane_count);
}

/// to [m, 16] = f(from + bias), 16 columns of rows 64 apart.
LTAD_MULTIVERSION(void, rectify_lanes,
                  (const float* __restrict from, std::int64_t m, const float* __restrict bias, Rectifier f,
                   float* __restrict to)) {
    const Lanes shift = load_lanes(bias);
    if (f == Rectifier::swish)  // a loop of its own, for its speed
        for (std::int64_t i = 0; i < m; ++i)
            store_lanes(fast_swish(load_lanes(from + i * width) + shift), to + i * lane_count);
    else
        for (std::int64_t i = 0; i < m; ++i)
            store_lanes(rectified(load_lanes(from + i * width) + shift, f), to + i * lane_count);
}

/// `count` rows of the map from y on, expanded, to the band's row `at` and those that follow.
void fill_rows(const Source& s, std::int64_t y, std::int64_t count, const Band& band, std::int64_t at, float* product) {
    const std::int64_t w = s.shape.width;
    const FrozenPointwise::Part part{s.panel, 0, s.in};
    if (s.rounded != nullptr)
        s.expand->multiply(part, count * w, s.rounded + y * w * ((s.in + 1) / 2), product, width);
    else if (s.expand != nullptr)
        s.expand->multiply(part, count * w, s.x + y * w * s.in, s.in, product, width);
    for (std::int64_t i = 0; i < count; ++i)
        for (std::int64_t c = 0; c < s.columns; c += lane_count) {
            float* const to = band.at(c / lane_count, at + i, s.shape.before);
            if (s.expand != nullptr)
                rectify_lanes(product + i * w * width + c, w, s.expand->bias(s.panel) + c, s.f, to);
            else
                copy_lanes(s.x + (y + i) * w * s.in + c, w, s.in, std::min(lane_count, s.columns - c), to);
        }
}

/// Rows first … last of the padded map to the band's row `at` and those that follow.
void fill_band(const Source& s, std::int64_t first, std::int64_t last, const Band& band, std::int64_t at,
               float* product) {
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, product_rows / s.shape.width);
    while (first < last) {
        const std::int64_t y = first - s.shape.before;
        std::int64_t count = 1;
        if (y < 0 || y >= s.shape.height) {
            for (std::int64_t plane = 0; plane < planes_per_panel; ++plane)
                std::fill_n(band.at(plane, at), band.columns * lane_count, 0.0f);
        } else {
            count = std::min({rows_at_once, last - first, s.shape.height - y});
            fill_rows(s, y, count, band, at, product);
        }
        first += count;
        at += count;
    }
}

/// y: the image's and panel's first plane; means: of the panel's first channel.
void convolve_panel(const Source& s, const FrozenDepthwise& depthwise, const Band& band, float* product, float* y,
                    float* means) {
    const MapShape& shape = s.shape;
    const std::int64_t out_area = shape.out_area();
    float sums[width] = {};
    std::int64_t filled = 0;
    for (std::int64_t top = 0; top < shape.out_height(); top += band.out_rows) {
        const std::int64_t rows = std::min(band.out_rows, shape.out_height() - top);
        const std::int64_t first = top * shape.stride;
        const std::int64_t last = (top + rows - 1) * shape.stride + shape.kernel;
        const std::int64_t kept = std::max<std::int64_t>(0, filled - first);  // every band but the last is full
        if (kept > 0) band.keep(kept);
        fill_band(s, first + kept, last, band, kept, product);
        filled = last;
        for (std::int64_t plane = 0; plane < blocks_of(s.columns, lane_count); ++plane) {
            const std::int64_t group = s.panel * planes_per_panel + plane;
            depthwise_plane({.in = band.at(plane, 0),
                             .row = band.columns,
                             .taps = depthwise.taps.get() + group * shape.kernel * shape.kernel * lane_count,
                             .bias = depthwise.biases.get() + group * lane_count,
                             .kernel = shape.kernel,
                             .stride = shape.stride,
                             .out = y + (plane * out_area + top * shape.out_width()) * lane_count,
                             .rows = rows,
                             .width = shape.out_width(),
                             .sums = sums + plane * lane_count},
                            s.f);
        }
    }
    for (std::int64_t c = 0; c < s.columns; ++c) means[c] = sums[c] / static_cast<float>(out_area);
}

}  // namespace

FrozenDepthwise::FrozenDepthwise(const float* weight, const float* bias, std::int64_t channels_, std::int64_t kernel_)
    : channels(channels_), kernel(kernel_) {
    const std::int64_t area = kernel * kernel;
    const std::int64_t padded = blocks_of(channels, lane_count) * lane_count;
    taps = make_buffer<float>(padded * area);
    biases = make_buffer<float>(padded);
    for (std::int64_t c = 0; c < padded; ++c) {
        const bool real = c < channels;
        biases[static_cast<std::size_t>(c)] = real ? bias[c] : 0.0f;
        for (std::int64_t i = 0; i < area; ++i)
            taps[static_cast<std::size_t>((c / lane_count * area + i) * lane_count + c % lane_count)] =
                real ? weight[c * area + i] : 0.0f;
    }
}

std::int64_t planes_size(const MapShape& shape, std::int64_t channels) {
    return shape.batch * blocks_of(channels, lane_count) * lane_count * shape.out_area();
}

void expand_depthwise(const MapShape& shape, const float* x, const FrozenPointwise* expand,
                      const FrozenDepthwise& depthwise, Rectifier f, float* y, float* means) {
    const std::int64_t channels = depthwise.channels;
    const std::int64_t planes = blocks_of(channels, lane_count), panels = blocks_of(channels, width);
    const std::int64_t in = expand != nullptr ? expand->inputs() : channels, words = (in + 1) / 2;
    Buffer<std::uint32_t> rounded;
    if (expand != nullptr && expand->precision() == Precision::bfloat16) {
        rounded = make_buffer<std::uint32_t>(shape.batch * shape.area() * words);
        for_row_blocks(shape.batch * shape.area(), [&](std::int64_t first, std::int64_t rows) {
            to_bfloat16(x + first * in, rows, in, in, rounded.get() + first * words);
        });
    }
    // What is larger is read once: the images or the panels' weights.
    const bool by_images = shape.area() > channels;
    at::parallel_for(0, shape.batch * panels, grain, [&](std::int64_t begin, std::int64_t end) {
        const Band band(shape);
        const auto product = make_buffer<float>(std::max(product_rows, shape.width) * width);
        for (std::int64_t item = begin; item < end; ++item) {
            const std::int64_t image = by_images ? item / panels : item % shape.batch;
            const std::int64_t panel = by_images ? item % panels : item / shape.batch;
            const std::int64_t c = panel * width;
            const Source source{.shape = shape,
                                .x = x + image * shape.area() * in + (expand == nullptr ? c : 0),
                                .rounded = rounded ? rounded.get() + image * shape.area() * words : nullptr,
                                .expand = expand,
                                .in = in,
                                .panel = panel,
                                .columns = std::min(width, channels - c),
                                .f = f};
            float* const to = y + (image * planes + panel * planes_per_panel) * shape.out_area() * lane_count;
            convolve_panel(source, depthwise, band, product.get(), to, means + image * channels + c);
        }
    });
}

}  // namespace ltad
