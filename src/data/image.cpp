#include "ltad/data/image.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#include "codecs.h"
#include "ltad/core/error.h"
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

/// One row of an image, each output pixel the sum of its window.
void narrow_line(const std::uint8_t* line, const std::vector<Window>& columns, float* out) {
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

/// The greatest value that samples of so many bits can have.
int greatest(int bits) { return (1 << bits) - 1; }

/// Throws Error where `bits` is too few for the samples of a file of 16 bits.
void check_largest(int largest, const std::string& name, int bits) {
    if (largest <= greatest(bits)) return;
    int needed = bits;
    while (largest > greatest(needed)) ++needed;
    fail(name, ": it has a sample of ", largest, ", but ", bits, " bits end at ", greatest(bits),
         "; set dataset.bits to ", needed, ", or to 0 where the pictures use the whole range of 16 bits");
}

/// Repeats a grey sample for red, green and blue.
template <typename T, typename Narrow>
std::vector<std::uint8_t> to_rgb(const std::vector<T>& samples, int channels, const Narrow& narrow) {
    std::vector<std::uint8_t> pixels(samples.size() / static_cast<std::size_t>(channels) * 3);
    const int repeats = channels == 1 ? 3 : 1;
    std::uint8_t* out = pixels.data();
    for (const T sample : samples)
        for (int i = 0; i < repeats; ++i) *out++ = narrow(sample);
    return pixels;
}

DecodedPicture to_8_bit(StoredPicture& stored, const std::string& name, int bits) {
    DecodedPicture picture{.image = {.width = stored.width, .height = stored.height, .pixels = {}}};
    if (stored.bits == 8) {
        picture.image.pixels = stored.channels == 3
                                   ? std::move(stored.bytes)
                                   : to_rgb(stored.bytes, 1, [](std::uint8_t sample) { return sample; });
        return picture;
    }
    int most = greatest(stored.bits);
    if (stored.bits == 16) {
        picture.largest = *std::max_element(stored.words.begin(), stored.words.end());
        if (bits > 0) check_largest(picture.largest, name, bits);
        if (bits > 0) most = greatest(bits);
    }
    const auto range = static_cast<std::uint32_t>(most);
    picture.image.pixels = to_rgb(stored.words, stored.channels, [range](std::uint16_t sample) {
        return static_cast<std::uint8_t>((sample * 255u + range / 2) / range);
    });
    return picture;
}

}  // namespace

DecodedPicture decode_picture(std::string_view bytes, const std::string& name, int bits) {
    StoredPicture stored = decode_stored(bytes, name);
    try {
        return to_8_bit(stored, name, bits);
    } catch (const std::bad_alloc&) {
        fail(name, ": there is not enough memory for its ", stored.width, " x ", stored.height, " pixels");
    }
}

DecodedPicture read_picture(const std::filesystem::path& path, int bits) {
    return decode_picture(read_picture_file(path), path.string(), bits);
}

Image decode_image(std::string_view bytes, const std::string& name, int bits) {
    return decode_picture(bytes, name, bits).image;
}

Image read_image(const std::filesystem::path& path, int bits) { return read_picture(path, bits).image; }

Image resize_bilinear(const Image& image, int width, int height) {
    if (image.width == width && image.height == height) return image;
    const auto columns = triangle_windows(image.width, width);
    const auto rows = triangle_windows(image.height, height);
    const std::size_t in_stride = static_cast<std::size_t>(image.width) * 3;
    const std::size_t stride = static_cast<std::size_t>(width) * 3;

    // Only the rows that one window needs are held: they take turns in as many places.
    std::size_t held = 0;
    for (const Window& window : rows) held = std::max(held, window.weights.size());
    std::vector<float> narrow(stride * held);
    const auto narrow_row = [&](int y) { return narrow.data() + static_cast<std::size_t>(y) % held * stride; };

    Image result{.width = width, .height = height, .pixels = {}};
    result.pixels.resize(stride * static_cast<std::size_t>(height));
    std::vector<float> sums(stride);
    int next = 0;  // the first row not yet narrowed
    for (int y = 0; y < height; ++y) {
        const Window& window = rows[static_cast<std::size_t>(y)];
        const int end = window.first + static_cast<int>(window.weights.size());
        for (next = std::max(next, window.first); next < end; ++next)
            narrow_line(image.pixels.data() + static_cast<std::size_t>(next) * in_stride, columns, narrow_row(next));
        std::fill(sums.begin(), sums.end(), 0.5f);  // rounds
        for (std::size_t k = 0; k < window.weights.size(); ++k) {
            const float* const in = narrow_row(window.first + static_cast<int>(k));
            for (std::size_t i = 0; i < stride; ++i) sums[i] += window.weights[k] * in[i];
        }
        std::uint8_t* const out = result.pixels.data() + static_cast<std::size_t>(y) * stride;
        for (std::size_t i = 0; i < stride; ++i) out[i] = static_cast<std::uint8_t>(std::clamp(sums[i], 0.0f, 255.0f));
    }
    return result;
}

}  // namespace ltad
