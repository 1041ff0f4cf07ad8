#include "ltad/data/image.h"

#include <algorithm>
#include <cmath>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"
#include "ltad/core/files.h"

namespace ltad {
namespace {

/// Whether a JPEG stream has its end marker; OpenCV fills what is missing with grey and says nothing.
bool jpeg_is_whole(std::string_view bytes) {
    // Headers are skipped by their lengths: a thumbnail inside one has an end marker of its own.
    std::size_t at = 2;
    while (at + 4 <= bytes.size() && static_cast<unsigned char>(bytes[at]) == 0xFF) {
        const auto marker = static_cast<unsigned char>(bytes[at + 1]);
        if (marker == 0xFF) {  // a fill byte
            ++at;
            continue;
        }
        if (marker == 0xDA) return bytes.find("\xFF\xD9", at) != std::string_view::npos;
        at += 2 + static_cast<unsigned char>(bytes[at + 2]) * 256u + static_cast<unsigned char>(bytes[at + 3]);
    }
    return false;
}

/// As stored: grey, BGR or BGRA of 8 or 16 bit. IMREAD_UNCHANGED also ignores the EXIF orientation.
cv::Mat decode(std::string_view bytes, const std::string& name) {
    [[maybe_unused]] static const auto silenced = cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    if (bytes.empty()) fail(name, ": the file is empty, a picture was expected");
    cv::Mat picture;
    try {
        const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
        picture = cv::imdecode(raw, cv::IMREAD_UNCHANGED);
    } catch (const cv::Exception&) {
        picture.release();  // reported below, like any other unreadable file
    }
    if (bytes.starts_with("\xFF\xD8") && !jpeg_is_whole(bytes)) picture.release();
    if (picture.empty()) fail(name, ": not a picture that can be read (PNG, JPEG, BMP, TIFF, WebP), or damaged");
    if (picture.depth() != CV_8U && picture.depth() != CV_16U)
        fail(name, ": its samples are neither 8 nor 16 bit whole numbers; convert it first");
    return picture;
}

std::uint8_t to_8_bit(std::uint8_t value) { return value; }
std::uint8_t to_8_bit(std::uint16_t value) { return static_cast<std::uint8_t>((value + 128u) / 257u); }

template <typename T>
void to_rgb(const cv::Mat& picture, std::vector<std::uint8_t>& pixels) {
    const int channels = picture.channels();
    std::uint8_t* out = pixels.data();
    for (int y = 0; y < picture.rows; ++y) {
        const T* in = picture.ptr<T>(y);
        for (int x = 0; x < picture.cols; ++x, in += channels, out += 3)
            for (int c = 0; c < 3; ++c) out[c] = to_8_bit(in[channels < 3 ? 0 : 2 - c]);  // OpenCV's order is BGR
    }
}

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
    const cv::Mat picture = decode(bytes, name);
    Image image{.width = picture.cols, .height = picture.rows, .pixels = {}};
    image.pixels.resize(picture.total() * 3);
    if (picture.depth() == CV_8U)
        to_rgb<std::uint8_t>(picture, image.pixels);
    else
        to_rgb<std::uint16_t>(picture, image.pixels);
    return image;
}

Image read_image(const std::filesystem::path& path) { return decode_image(read_file(path), path.string()); }

Mask read_mask(const std::filesystem::path& path) {
    const cv::Mat picture = decode(read_file(path), path.string());
    const int colours = std::min(picture.channels(), 3);  // without alpha
    Mask mask{.width = picture.cols, .height = picture.rows, .pixels = {}};
    mask.pixels.resize(picture.total());
    std::vector<cv::Mat> planes;
    cv::split(picture, planes);
    for (int c = 0; c < colours; ++c) {
        const cv::Mat set = planes[static_cast<std::size_t>(c)] != 0;
        for (int y = 0; y < set.rows; ++y)
            for (int x = 0; x < set.cols; ++x)
                if (set.at<std::uint8_t>(y, x) != 0)
                    mask.pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(set.cols) +
                                static_cast<std::size_t>(x)] = 1;
    }
    return mask;
}

Mask read_mask(const std::filesystem::path& root, const Sample& sample, int width, int height) {
    Mask mask = read_mask(root / sample.mask);
    if (mask.width != width || mask.height != height)
        fail((root / sample.mask).string(), ": the mask has ", mask.width, " x ", mask.height, " pixels, its picture ",
             sample.file, " ", width, " x ", height);
    return mask;
}

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

Mask resize_nearest(const Mask& mask, int width, int height) {
    const auto source = [](int i, int in, int out) { return std::min(in - 1, static_cast<int>((i + 0.5) * in / out)); };
    Mask result{.width = width, .height = height, .pixels = {}};
    result.pixels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    for (int y = 0; y < height; ++y) {
        const std::size_t line =
            static_cast<std::size_t>(source(y, mask.height, height)) * static_cast<std::size_t>(mask.width);
        for (int x = 0; x < width; ++x)
            result.pixels.push_back(mask.pixels[line + static_cast<std::size_t>(source(x, mask.width, width))]);
    }
    return result;
}

}  // namespace ltad
