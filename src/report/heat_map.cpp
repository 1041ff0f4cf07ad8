#include "ltad/report/heat_map.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "ltad/core/error.h"
#include "ltad/data/image.h"
#include "ltad/data/mask.h"

namespace ltad {
namespace {

constexpr double most_opaque = 0.8;

void check(const HeatMap& map) {
    const auto side = static_cast<std::size_t>(std::max(map.side, 0));
    if (side == 0 || map.values.size() != side * side)
        fail("heat map: ", map.values.size(), " scores were given for a map of ", map.side, " x ", map.side);
    for (std::size_t i = 0; i < map.values.size(); ++i)
        if (std::isnan(map.values[i]))
            fail("heat map: the score at x ", i % side, ", y ", i / side, " is not a number");
}

void check(HeatRange range) {
    if (!(range.low < range.high) || !std::isfinite(range.low) || !std::isfinite(range.high))
        fail("heat map: the range ", range.low, " to ", range.high, " is empty or not finite");
}

double position(float score, HeatRange range) {
    const double low = range.low;
    return std::clamp((score - low) / (range.high - low), 0.0, 1.0);
}

std::uint8_t srgb_byte(double linear) {
    const double value = std::clamp(linear, 0.0, 1.0);
    const double encoded = value <= 0.0031308 ? 12.92 * value : 1.055 * std::pow(value, 1 / 2.4) - 0.055;
    return static_cast<std::uint8_t>(std::lround(255 * encoded));
}

/// OKLCH to sRGB, with the matrices of Ottosson's article; hue in degrees.
std::array<std::uint8_t, 3> srgb_of_oklch(double lightness, double chroma, double hue) {
    const double angle = hue * std::numbers::pi / 180;
    const double a = chroma * std::cos(angle);
    const double b = chroma * std::sin(angle);
    const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
    const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
    const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
    return {srgb_byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            srgb_byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            srgb_byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

/// Nearly grey and darker, so that no colour of the picture is taken for a score.
void mute(Image& image) {
    constexpr double colour = 0.25, brightness = 0.85;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
        std::uint8_t* const rgb = image.pixels.data() + i;
        const double grey = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        for (std::size_t c = 0; c < 3; ++c)
            rgb[c] = static_cast<std::uint8_t>(std::lround(brightness * (grey + colour * (rgb[c] - grey))));
    }
}

/// White around the mask, so that what lies within can be seen.
void draw_outline(Image& image, const Mask& mask) {
    const auto width = static_cast<std::size_t>(image.width), height = static_cast<std::size_t>(image.height);
    const auto inside = [&](std::size_t x, std::size_t y) { return mask.pixels[y * width + x] != 0; };
    for (std::size_t y = 0; y < height; ++y)
        for (std::size_t x = 0; x < width; ++x) {
            if (inside(x, y)) continue;
            const bool beside = (x > 0 && inside(x - 1, y)) || (x + 1 < width && inside(x + 1, y)) ||
                                (y > 0 && inside(x, y - 1)) || (y + 1 < height && inside(x, y + 1));
            if (beside) std::fill_n(image.pixels.data() + 3 * (y * width + x), 3, std::uint8_t{255});
        }
}

/// Where a pixel of a row or column of `length` lies between two of the map's: the first of them, and how far from it.
std::pair<int, float> between(int pixel, int length, int side) {
    const float place =
        (static_cast<float>(pixel) + 0.5f) * static_cast<float>(side) / static_cast<float>(length) - 0.5f;
    const float inside = std::clamp(place, 0.0f, static_cast<float>(side - 1));
    const int first = std::min(static_cast<int>(inside), std::max(side - 2, 0));
    return {first, inside - static_cast<float>(first)};
}

/// The map's scores at width × height, bilinear.
std::vector<float> resized(const HeatMap& map, int width, int height) {
    std::vector<float> out;
    out.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    const int step = map.side > 1 ? 1 : 0;
    for (int y = 0; y < height; ++y) {
        const auto [top, down] = between(y, height, map.side);
        const float* const upper = map.values.data() + static_cast<std::ptrdiff_t>(top) * map.side;
        const float* const lower = upper + static_cast<std::ptrdiff_t>(step) * map.side;
        for (int x = 0; x < width; ++x) {
            const auto [left, right] = between(x, width, map.side);
            const float above = upper[left] + right * (upper[left + step] - upper[left]);
            const float below = lower[left] + right * (lower[left + step] - lower[left]);
            out.push_back(above + down * (below - above));
        }
    }
    return out;
}

}  // namespace

std::array<std::uint8_t, 3> heat_colour(double position) {
    const double t = std::clamp(position, 0.0, 1.0);
    return srgb_of_oklch(0.28 + 0.64 * t, 0.13 + 0.16 * t * (1 - t), 268 + 195 * t);
}

std::string encode_heat_map(const HeatMap& map, HeatRange range) {
    check(map);
    check(range);
    cv::Mat grey(map.side, map.side, CV_16UC1);
    const float* in = map.values.data();
    for (int y = 0; y < map.side; ++y)
        for (int x = 0; x < map.side; ++x)
            grey.at<std::uint16_t>(y, x) = static_cast<std::uint16_t>(std::lround(65535 * position(*in++, range)));
    std::vector<unsigned char> bytes;
    if (!cv::imencode(".png", grey, bytes)) fail("a heat map of side ", map.side, " could not be encoded");
    return {bytes.begin(), bytes.end()};
}

Image fitted(const Image& picture, int longest) {
    const std::int64_t longer = std::max(picture.width, picture.height);
    const auto side = [&](int length) {
        return static_cast<int>(
            std::max<std::int64_t>(1, (2 * std::int64_t{length} * longest + longer) / (2 * longer)));
    };
    return resize_bilinear(picture, side(picture.width), side(picture.height));
}

int overlay_side(const Image& picture, const HeatMap& map) {
    constexpr int most = 1024;
    return std::max(map.side, std::min(most, std::max(picture.width, picture.height)));
}

Image overlay_heat_map(const Image& picture, const HeatMap& map, HeatRange range, int longest, const Mask* outline) {
    check(map);
    check(range);
    Image result = fitted(picture, longest);
    mute(result);
    const std::vector<float> scores = resized(map, result.width, result.height);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const double t = position(scores[i], range);
        const double alpha = most_opaque * t;
        const auto colour = heat_colour(t);
        for (std::size_t c = 0; c < 3; ++c) {
            std::uint8_t& value = result.pixels[3 * i + c];
            value = static_cast<std::uint8_t>(std::lround((1 - alpha) * value + alpha * colour[c]));
        }
    }
    if (outline != nullptr) draw_outline(result, resize_nearest(*outline, result.width, result.height));
    return result;
}

Box worst_region(const HeatMap& map, float floor) {
    check(map);
    const auto highest = std::max_element(map.values.begin(), map.values.end());
    const float threshold = std::min(*highest, floor + (*highest - floor) / 2);
    const auto side = static_cast<std::size_t>(map.side);
    std::vector<std::uint8_t> seen(map.values.size(), 0);
    std::vector<std::size_t> open{static_cast<std::size_t>(highest - map.values.begin())};
    seen[open[0]] = 1;
    std::size_t left = side, right = 0, top = side, bottom = 0;
    while (!open.empty()) {
        const std::size_t x = open.back() % side, y = open.back() / side;
        open.pop_back();
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
        for (std::size_t v = y - (y > 0 ? 1 : 0); v <= std::min(y + 1, side - 1); ++v)
            for (std::size_t u = x - (x > 0 ? 1 : 0); u <= std::min(x + 1, side - 1); ++u) {
                const std::size_t i = v * side + u;
                if (seen[i] != 0 || map.values[i] < threshold) continue;
                seen[i] = 1;
                open.push_back(i);
            }
    }
    return {static_cast<int>(left), static_cast<int>(top), static_cast<int>(right - left + 1),
            static_cast<int>(bottom - top + 1)};
}

Box box_in_picture(const Box& box, int side, int width, int height) {
    const auto first = [side](int from, int length) {
        return static_cast<int>(static_cast<std::int64_t>(from) * length / side);
    };
    const auto end = [side](int to, int length) {
        return static_cast<int>((static_cast<std::int64_t>(to) * length + side - 1) / side);
    };
    const int left = first(box.left, width), top = first(box.top, height);
    return {left, top, end(box.left + box.width, width) - left, end(box.top + box.height, height) - top};
}

Mask mask_of(const Box& box, int side) {
    Mask mask{.width = side, .height = side, .pixels = {}};
    mask.pixels.reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x)
            mask.pixels.push_back(x >= box.left && x < box.left + box.width && y >= box.top &&
                                  y < box.top + box.height);
    return mask;
}

}  // namespace ltad
