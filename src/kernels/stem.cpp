#include <algorithm>

#include <ATen/Parallel.h>

#include "ltad/kernels/mbconv.h"

namespace ltad {
namespace {

constexpr std::int64_t colours = 3;

/// patches [out width, k · k · 3]: what the results of one row see of an image, zeros outside.
void gather_patches(const MapShape& shape, const float* image, std::int64_t row, float* patches) {
    const std::int64_t patch_row = shape.kernel * colours, patch = shape.kernel * patch_row;
    std::fill_n(patches, shape.out_width() * patch, 0.0f);
    for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
        const std::int64_t y = row * shape.stride - shape.before + ky;
        if (y < 0 || y >= shape.height) continue;
        for (std::int64_t x = 0; x < shape.out_width(); ++x) {
            const std::int64_t left = x * shape.stride - shape.before;
            const std::int64_t from = std::max<std::int64_t>(left, 0), to = std::min(left + shape.kernel, shape.width);
            std::copy(image + (y * shape.width + from) * colours, image + (y * shape.width + to) * colours,
                      patches + x * patch + ky * patch_row + (from - left) * colours);
        }
    }
}

}  // namespace

void stem(const MapShape& shape, const float* pixels, const FrozenPointwise& convolution, Rectifier f, float* out) {
    const std::int64_t out_height = shape.out_height(), out_width = shape.out_width();
    const std::int64_t patch = convolution.inputs(), channels = convolution.outputs();
    at::parallel_for(0, shape.batch * out_height, 1, [&](std::int64_t begin, std::int64_t end) {
        const auto patches = make_buffer<float>(out_width * patch);
        for (std::int64_t row = begin; row < end; ++row) {
            gather_patches(shape, pixels + row / out_height * shape.area() * colours, row % out_height, patches.get());
            float* const to = out + row * out_width * channels;
            for (std::int64_t panel = 0; panel < convolution.panels(); ++panel)
                convolution.multiply({panel, 0, patch}, out_width, patches.get(), patch,
                                     to + panel * FrozenPointwise::width, channels);
            add_bias_rectify(to, out_width, channels, channels, convolution.bias(), f);
        }
    });
}

}  // namespace ltad
