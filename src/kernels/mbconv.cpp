#include "ltad/kernels/mbconv.h"

#include <algorithm>

#include <ATen/Parallel.h>

#include "depthwise_plane.h"
#include "ltad/kernels/bfloat16.h"

namespace ltad {
namespace {

constexpr std::int64_t width = PointwiseWeight::width;
constexpr std::int64_t product_rows = 112;     // 112 × 64 floats stay in the L1 cache
constexpr std::int64_t band_floats = 1 << 17;  // half of a usual L2 cache
constexpr std::int64_t grain = 1;

std::int64_t blocks_of(std::int64_t size, std::int64_t block) { return (size + block - 1) / block; }

/// A band of 64 channels' map with zeros around it, 16 channels at a time: [4, rows, columns, 16].
struct Band {
    explicit Band(const MapShape& shape)
        : columns((blocks_of(shape.out_width(), DepthwisePlane::strip) * DepthwisePlane::strip - 1) * shape.stride +
                  shape.kernel) {
        columns = std::max(columns, shape.before + shape.width);
        const std::int64_t fitting = (band_floats / (columns * width) - shape.kernel) / shape.stride + 1;
        out_rows = std::clamp<std::int64_t>(fitting, 1, shape.out_height());
        rows = (out_rows - 1) * shape.stride + shape.kernel;
        floats = make_buffer<float>(rows * columns * width);
        std::fill_n(floats.get(), rows * columns * width, 0.0f);
    }

    [[nodiscard]] std::int64_t plane_stride() const { return rows * columns * lane_count; }
    [[nodiscard]] float* at(std::int64_t row, std::int64_t column) const {
        return floats.get() + (row * columns + column) * lane_count;
    }

    std::int64_t columns = 0;
    std::int64_t rows = 0;
    std::int64_t out_rows = 0;  ///< rows of the result that a band gives
    Buffer<float> floats;
};

/// What one image and one panel need.
struct Source {
    const MapShape& shape;
    const float* x;                ///< the image, [H, W, in]; of the panel's first channel where nothing is expanded
    const std::uint32_t* rounded;  ///< the image in bfloat16, or null
    const PointwiseWeight* expand;
    const float* bias;
    std::int64_t in;
    std::int64_t panel;
    std::int64_t columns;  ///< channels of this panel
    Rectifier rectifier;
};

/// Rows first … last of the padded map go to the band, `at` rows from its top.
void fill_band(const Source& s, std::int64_t first, std::int64_t last, const Band& band, std::int64_t at,
               float* product) {
    const MapShape& shape = s.shape;
    const std::int64_t w = shape.width;
    const std::int64_t rows_at_once = std::max<std::int64_t>(1, product_rows / w);
    for (std::int64_t row = first; row < last;) {
        const std::int64_t y = row - shape.before;
        if (y < 0 || y >= shape.height) {
            for (std::int64_t l = 0; l < width / lane_count; ++l)
                std::fill_n(band.at(at + row - first, shape.before) + l * band.plane_stride(), w * lane_count, 0.0f);
            ++row;
            continue;
        }
        const std::int64_t count = std::min({rows_at_once, last - row, shape.height - y});
        const float* from = s.x + y * w * s.in;
        std::int64_t ld = s.in;
        if (s.expand != nullptr) {
            if (s.rounded != nullptr)
                s.expand->multiply(s.panel, 0, s.in, count * w, s.rounded + y * w * ((s.in + 1) / 2), product, width,
                                   false);
            else
                s.expand->multiply(s.panel, 0, s.in, count * w, from, s.in, product, width, false);
            from = product;
            ld = width;
        }
        for (std::int64_t i = 0; i < count; ++i)
            scatter_planes(from + i * w * ld, w, ld, s.columns, s.bias, s.rectifier,
                           band.at(at + row - first + i, shape.before), band.plane_stride());
        row += count;
    }
}

/// One image and panel: y and means are the image's, of the panel's first channel.
void convolve_panel(const Source& s, const DepthwiseWeight& depthwise, const Band& band, float* product, float* y,
                    float* means) {
    const MapShape& shape = s.shape;
    const std::int64_t out_height = shape.out_height();
    const std::int64_t out_width = shape.out_width();
    float sums[width] = {};
    std::int64_t filled = 0;
    for (std::int64_t top = 0; top < out_height; top += band.out_rows) {
        const std::int64_t rows = std::min(band.out_rows, out_height - top);
        const std::int64_t first = top * shape.stride;
        const std::int64_t last = (top + rows - 1) * shape.stride + shape.kernel;
        const std::int64_t kept = top == 0 ? 0 : std::max<std::int64_t>(0, filled - first);
        const std::int64_t kept_from = band.rows - kept;  // every band but the last is full
        for (std::int64_t l = 0; kept > 0 && l < width / lane_count; ++l) {
            float* const plane = band.at(0, 0) + l * band.plane_stride();
            const float* const bottom = band.at(kept_from, 0) + l * band.plane_stride();
            std::copy(bottom, bottom + kept * band.columns * lane_count, plane);
        }
        fill_band(s, first + kept, last, band, kept, product);
        filled = last;
        for (std::int64_t c = 0; c < s.columns; c += lane_count) {
            const std::int64_t group = s.panel * (width / lane_count) + c / lane_count;
            depthwise_plane({.in = band.at(0, 0) + c / lane_count * band.plane_stride(),
                             .row = band.columns,
                             .taps = depthwise.taps.get() + group * shape.kernel * shape.kernel * lane_count,
                             .bias = depthwise.biases.get() + group * lane_count,
                             .kernel = shape.kernel,
                             .stride = shape.stride,
                             .out = y + top * out_width * depthwise.channels + c,
                             .rows = rows,
                             .width = out_width,
                             .channels = depthwise.channels,
                             .lanes = std::min(lane_count, s.columns - c),
                             .sums = sums + c},
                            s.rectifier);
        }
    }
    for (std::int64_t c = 0; c < s.columns; ++c) means[c] = sums[c] / static_cast<float>(out_height * out_width);
}

}  // namespace

DepthwiseWeight::DepthwiseWeight(const float* weight, const float* bias, std::int64_t channels_, std::int64_t kernel_)
    : channels(channels_), kernel(kernel_) {
    const std::int64_t area = kernel * kernel;
    const std::int64_t padded = blocks_of(channels, lane_count) * lane_count;
    taps = make_buffer<float>(padded * area);
    biases = make_buffer<float>(padded);
    std::fill_n(taps.get(), padded * area, 0.0f);
    std::fill_n(biases.get(), padded, 0.0f);
    std::copy_n(bias, channels, biases.get());
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t i = 0; i < area; ++i)
            taps[static_cast<std::size_t>((c / lane_count * area + i) * lane_count + c % lane_count)] =
                weight[c * area + i];
}

void expand_depthwise(const MapShape& shape, const float* x, const PointwiseWeight* expand, const float* expand_bias,
                      const DepthwiseWeight& depthwise, Rectifier rectifier, float* y, float* means) {
    const std::int64_t channels = depthwise.channels;
    const std::int64_t in = expand != nullptr ? expand->inputs() : channels;
    const std::int64_t area = shape.height * shape.width;
    const std::int64_t words = (in + 1) / 2;
    const std::int64_t panels = blocks_of(channels, width);
    const std::int64_t out_area = shape.out_height() * shape.out_width();
    Buffer<std::uint32_t> rounded;
    if (expand != nullptr && expand->precision() == Precision::bfloat16) {
        rounded = make_buffer<std::uint32_t>(shape.batch * area * words);
        for_row_blocks(shape.batch * area, [&](std::int64_t first, std::int64_t rows) {
            to_bfloat16(x + first * in, rows, in, in, rounded.get() + first * words);
        });
    }
    // What is larger is read once: the panels' weights or the images.
    const bool images_outside = area > channels;
    at::parallel_for(0, shape.batch * panels, grain, [&](std::int64_t begin, std::int64_t end) {
        const Band band(shape);
        const auto product = make_buffer<float>(std::max(product_rows, shape.width) * width);
        for (std::int64_t item = begin; item < end; ++item) {
            const std::int64_t image = images_outside ? item / panels : item % shape.batch;
            const std::int64_t panel = images_outside ? item % panels : item / shape.batch;
            const std::int64_t c = panel * width;
            const Source source{shape,
                                x + image * area * in + (expand == nullptr ? c : 0),
                                rounded ? rounded.get() + image * area * words : nullptr,
                                expand,
                                expand == nullptr ? nullptr : expand_bias + c,
                                in,
                                panel,
                                std::min(width, channels - c),
                                rectifier};
            convolve_panel(source, depthwise, band, product.get(), y + image * out_area * channels + c,
                           means + image * channels + c);
        }
    });
}

}  // namespace ltad
