#include "ltad/data/image.h"

#include <algorithm>
#include <cmath>

#include "ltad/core/error.h"
#include "ltad/core/files.h"
#include "ltad/data/raster.h"

namespace ltad {
namespace {

/// The input pixels that one output pixel is made of, and their weights.
struct Window {
    int first = 0;
    std::vector<float> weights;
};

/// PIL's coefficients: a triangle around the output pixel's centre, widened by the reduction so that it antialiases.
std::vector<Window> triangle_windows(int in, int out) {
    const double scale = static_cast<double>(in) / out;
    const double reach = std::max(scale, 1.0);
    std::vector<Window> windows(static_cast<std::size_t>(out));
    for (int i = 0; i < out; ++i) {
        const double centre = (i + 0.5) * scale;
        const int first = std::max(0, static_cast<int>(centre - reach + 0.5));
        const int last = std::min(in, static_cast<int>(centre + reach + 0.5));
        std::vector<double> weights;
        double sum = 0;
        for (int x = first; x < last; ++x) {
            weights.push_back(std::max(0.0, 1.0 - std::abs((x - centre + 0.5) / reach)));
            sum += weights.back();
        }
        Window& window = windows[static_cast<std::size_t>(i)];
        window.first = first;
        for (const double weight : weights) window.weights.push_back(static_cast<float>(weight / sum));
    }
    return windows;
}

}  // namespace

Image decode_image(std::string_view bytes, const std::string& name) {
    const Raster raster = decode_raster(bytes, name);
    Image image{.width = raster.width, .height = raster.height, .pixels = {}};
    image.pixels.reserve(raster.samples.size() / static_cast<std::size_t>(raster.channels) * 3);
    for (std::size_t i = 0; i < raster.samples.size(); i += static_cast<std::size_t>(raster.channels))
        for (std::size_t c = 0; c < 3; ++c) {
            const std::uint16_t value = raster.samples[i + (raster.channels == 3 ? c : 0)];
            image.pixels.push_back(static_cast<std::uint8_t>(raster.bits == 8 ? value : (value + 128u) / 257u));
        }
    return image;
}

Image read_image(const std::filesystem::path& path) { return decode_image(read_file(path), path.string()); }

Image resize_bilinear(const Image& image, int width, int height) {
    if (image.width == width && image.height == height) return image;
    const auto columns = triangle_windows(image.width, width);
    const auto rows = triangle_windows(image.height, height);
    const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
    const std::size_t stride = static_cast<std::size_t>(width) * 3;

    std::vector<float> narrow(stride * static_cast<std::size_t>(image.height));
    for (int y = 0; y < image.height; ++y) {
        const std::uint8_t* const line = image.pixels.data() + static_cast<std::size_t>(y) * in_stride;
        float* out = narrow.data() + static_cast<std::size_t>(y) * stride;
        for (const Window& window : columns) {
            const std::uint8_t* in = line + static_cast<std::size_t>(window.first) * 3;
            float r = 0, g = 0, b = 0;
            for (const float weight : window.weights) {
                r += weight * in[0];
                g += weight * in[1];
                b += weight * in[2];
                in += 3;
            }
            *out++ = r;
            *out++ = g;
            *out++ = b;
        }
    }
    Image result{.width = width, .height = height, .pixels = {}};
    result.pixels.resize(stride * static_cast<std::size_t>(height));
    std::vector<float> sums(stride);
    for (int y = 0; y < height; ++y) {
        const Window& window = rows[static_cast<std::size_t>(y)];
        std::fill(sums.begin(), sums.end(), 0.5f);  // rounds
        for (std::size_t k = 0; k < window.weights.size(); ++k) {
            const float* const in = narrow.data() + (static_cast<std::size_t>(window.first) + k) * stride;
            for (std::size_t i = 0; i < stride; ++i) sums[i] += window.weights[k] * in[i];
        }
        std::uint8_t* const out = result.pixels.data() + static_cast<std::size_t>(y) * stride;
        for (std::size_t i = 0; i < stride; ++i) out[i] = static_cast<std::uint8_t>(std::clamp(sums[i], 0.0f, 255.0f));
    }
    return result;
}

}  // namespace ltad
